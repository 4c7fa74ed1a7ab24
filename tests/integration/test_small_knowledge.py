"""A shop of a dozen and a half short documents is answered from them as one of hundreds is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.runtime import Runtime
from knowledge.documents import create_document
from knowledge.index import open_knowledge
from knowledge.search import ANSWER_THRESHOLD, search
from scripts.benchmarks.sources import documents_of
from tests.integration.shop import Shop

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[1] / "evaluation" / "sports_club"
FOUND_SHARE = 0.75
ANSWERED_SHARE = 0.8


async def test_that_a_small_shop_is_answered_from_its_documents(
    runtime: Runtime, shop: Shop
) -> None:
    knowledge = await open_knowledge(runtime)
    names = {}
    for name, (new,) in documents_of(FOLDER).items():
        async with runtime.database.transaction(shop.organization_id) as transaction:
            document = await create_document(transaction, runtime.outbox, new, runtime.clock())
        names[document.id] = name
        # One by one, as they come through the API.
        while await runtime.outbox.drain():
            pass
    await knowledge.settle()
    questions = yaml.safe_load((FOLDER / "questions.yaml").read_text(encoding="utf-8"))
    found = answered = 0
    for row in questions:
        hits = await search(knowledge, shop.organization_id, row["question"], "fr", 3)
        found += any(names[hit.document_id] in row["documents"] for hit in hits)
        answered += hits[0].score >= ANSWER_THRESHOLD
    await knowledge.close()
    assert found >= FOUND_SHARE * len(questions)
    assert answered >= ANSWERED_SHARE * len(questions)
