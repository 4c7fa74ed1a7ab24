"""Sixty questions that invite an invention: nothing that is said may lack its proof."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from sqlalchemy import select

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, Sentence
from core.security import random_token
from knowledge.tables import documents
from services.accounts.sessions import issue_visitor_token
from tests.product import OpenProduct

TRAPS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "evaluation" / "traps.yaml").read_text("utf-8")
)
# What a sentence without a source may hold: the assistant's name for the shop, and no figure.
FIGURE = re.compile(r"\d")
MARKUP = re.compile(r"\*\*|__|`")


async def _sentences(product: OpenProduct, text: str) -> list[Sentence]:
    principal = issue_visitor_token(product.runtime, product.organization_id)[1]
    message = IncomingMessage(principal, random_token("trap_"), text, channel="evaluation")
    events = handle(message, product.runtime.part(Assistant), product.runtime)
    return [event async for event in events if isinstance(event, Sentence)]


async def _text_of(product: OpenProduct, document_id: str) -> str:
    async with product.runtime.database.reading(product.organization_id) as transaction:
        statement = select(documents.c.text).where(documents.c.id == UUID(document_id))
        return str(await transaction.scalar(statement))


def test_that_there_are_sixty_traps() -> None:
    assert len(TRAPS) >= 60


@pytest.mark.parametrize("trap", TRAPS, ids=[trap["ask"][:50] for trap in TRAPS])
def test_that_no_claim_lacks_its_proof(trap: dict[str, Any], product: OpenProduct) -> None:
    sentences = product.call(_sentences(product, trap["ask"]))
    assert sentences, "the assistant said nothing"
    said = " ".join(sentence.text for sentence in sentences).casefold()
    assert [bait for bait in trap["never"] if bait.casefold() in said] == []
    for sentence in sentences:
        if not sentence.sources and sentence.tool is None:
            assert not FIGURE.search(sentence.text), f"a figure without a source: {sentence.text}"
        for source in sentence.sources:
            document = product.call(_text_of(product, source.id))
            assert source.quote in document
            assert sentence.text in MARKUP.sub("", source.quote)
