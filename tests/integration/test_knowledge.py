"""Documents are found after they are written, gone after they are deleted, and kept apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from core.database import new_id
from core.errors import InvalidRequest, NotFound
from core.providers.passages import SameForBoth
from core.providers.vectors import open_vectors
from core.runtime import Runtime
from knowledge.documents import (
    Document,
    NewDocument,
    create_document,
    delete_document,
    list_documents,
    read_document,
)
from knowledge.index import Knowledge, open_knowledge
from knowledge.search import SearchHit, search
from tests.integration.shop import Shop

pytestmark = pytest.mark.anyio

CORSICA = NewDocument(
    "Livrez-vous en Corse ?",
    "Oui. La livraison en Corse coûte 149 €. Elle prend trois semaines.",
    tags=("livraison",),
)
LEATHER = NewDocument(
    "Comment entretenir un canapé en cuir ?",
    "Dépoussiérez le cuir chaque semaine. Nourrissez-le deux fois par an avec un lait incolore.",
)
PAYMENT = NewDocument(
    "Puis-je payer en plusieurs fois ?",
    "Vous pouvez payer en trois fois sans frais par carte bancaire dès 100 € d'achat.",
)


async def write(runtime: Runtime, organization_id: UUID, new: NewDocument) -> Document:
    async with runtime.database.transaction(organization_id) as transaction:
        return await create_document(transaction, runtime.outbox, new, runtime.clock())


async def index(runtime: Runtime, knowledge: Knowledge) -> None:
    while await runtime.outbox.drain():
        pass
    await knowledge.settle()


async def ask(
    knowledge: Knowledge, organization_id: UUID, question: str, language: str = "fr"
) -> list[SearchHit]:
    return await search(knowledge, organization_id, question, language)


@pytest.fixture
async def knowledge(runtime: Runtime) -> AsyncIterator[Knowledge]:
    opened = await open_knowledge(runtime)
    yield opened
    await opened.close()


@asynccontextmanager
async def restarted(runtime: Runtime) -> AsyncIterator[tuple[Runtime, Knowledge]]:
    """The same database and folders in what would be the next process."""
    await runtime.vectors.close()
    anew = replace(runtime, vectors=open_vectors(runtime.settings.vector_store))
    knowledge = await open_knowledge(anew)
    await knowledge.settle()
    try:
        yield anew, knowledge
    finally:
        await knowledge.close()
        await anew.vectors.close()


async def test_that_a_written_document_is_found_and_quoted(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = [await write(runtime, shop.organization_id, one) for one in (CORSICA, LEATHER, PAYMENT)]
    await index(runtime, knowledge)
    hits = await ask(knowledge, shop.organization_id, "vous livrez à Ajaccio en corse ?")
    assert hits[0].document_id == kept[0].id
    assert hits[0].quote in CORSICA.text
    assert CORSICA.text[hits[0].start : hits[0].end] == hits[0].passage
    assert CORSICA.text[hits[0].quote_start : hits[0].quote_end] == hits[0].quote
    assert 0.0 <= hits[-1].score <= hits[0].score <= 1.0


async def test_that_meaning_crosses_languages(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    for new in (CORSICA, LEATHER, PAYMENT):
        await write(runtime, shop.organization_id, new)
    await index(runtime, knowledge)
    hits = await ask(knowledge, shop.organization_id, "can I pay in instalments?", "en")
    assert hits[0].title == PAYMENT.title


async def test_that_a_deleted_document_is_gone(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    await write(runtime, shop.organization_id, LEATHER)
    await index(runtime, knowledge)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await delete_document(transaction, runtime.outbox, kept.id)
    await index(runtime, knowledge)
    hits = await ask(knowledge, shop.organization_id, "livraison en Corse")
    assert {hit.title for hit in hits} <= {LEATHER.title}
    async with runtime.database.reading(shop.organization_id) as transaction:
        with pytest.raises(NotFound):
            await read_document(transaction, kept.id)


async def test_that_two_organizations_never_see_each_other(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    await write(runtime, shop.other_organization_id, LEATHER)
    await index(runtime, knowledge)
    hits = await ask(knowledge, shop.other_organization_id, "livraison en Corse")
    assert {hit.title for hit in hits} <= {LEATHER.title}
    async with runtime.database.transaction(shop.other_organization_id) as transaction:
        documents, total = await list_documents(transaction)
        assert ([one.title for one in documents], total) == ([LEATHER.title], 1)
        with pytest.raises(NotFound):
            await read_document(transaction, kept.id)
        with pytest.raises(NotFound):
            await delete_document(transaction, runtime.outbox, kept.id)


async def test_that_a_rolled_back_document_is_never_announced(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    async def write_and_fail() -> None:
        async with runtime.database.transaction(shop.organization_id) as transaction:
            await create_document(transaction, runtime.outbox, CORSICA, runtime.clock())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write_and_fail()
    assert await runtime.outbox.drain() == 0


async def test_that_the_same_document_is_kept_once(runtime: Runtime, shop: Shop) -> None:
    first = await write(runtime, shop.organization_id, CORSICA)
    assert (await write(runtime, shop.organization_id, CORSICA)).id == first.id


@pytest.mark.parametrize(
    "new",
    [
        replace(CORSICA, title=" "),
        replace(CORSICA, text="\n"),
        replace(CORSICA, title="x" * 301),
        replace(CORSICA, language="xx"),
        replace(CORSICA, text="a\x00b"),
        replace(CORSICA, title="\ud800"),
        replace(CORSICA, tags=("x" * 61,)),
    ],
)
async def test_that_what_cannot_be_kept_is_refused(
    runtime: Runtime, shop: Shop, new: NewDocument
) -> None:
    with pytest.raises(InvalidRequest):
        await write(runtime, shop.organization_id, new)


async def test_that_a_restart_finds_everything_without_indexing_again(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    await write(runtime, shop.organization_id, LEATHER)
    await index(runtime, knowledge)
    before = knowledge.vectors(shop.organization_id).ready
    assert before is not None
    async with restarted(runtime) as (_, again):
        after = again.vectors(shop.organization_id).ready
        assert after is not None
        assert after.collection == before.collection
        hits = await ask(again, shop.organization_id, "shipping to Corsica", "en")
        assert hits[0].document_id == kept.id


async def test_that_what_another_process_wrote_is_indexed_at_the_next_start(
    runtime: Runtime, shop: Shop
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    async with restarted(runtime) as (_, knowledge):
        hits = await ask(knowledge, shop.organization_id, "shipping to Corsica", "en")
        assert hits[0].document_id == kept.id


def damage(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"garbage" * 1_000)


async def test_that_another_encoder_gets_an_index_of_its_own(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    for new in (CORSICA, LEATHER, PAYMENT):
        await write(runtime, shop.organization_id, new)
    await index(runtime, knowledge)
    former = knowledge.vectors(shop.organization_id).ready
    assert former is not None
    other = replace(runtime, passage_encoder=SameForBoth(runtime.encoder))
    async with restarted(other) as (_, anew):
        ready = anew.vectors(shop.organization_id).ready
        assert ready is not None
        assert ready.collection != former.collection
        hits = await ask(anew, shop.organization_id, "comment nettoyer un fauteuil en cuir ?")
        assert hits[0].title == LEATHER.title
    # The way back costs nothing: the former index is still there.
    async with restarted(runtime) as (_, back):
        found = back.vectors(shop.organization_id).ready
        assert found is not None
        assert found.collection == former.collection


async def test_that_a_damaged_vector_folder_is_set_aside_and_rebuilt(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    await write(runtime, shop.organization_id, LEATHER)
    await index(runtime, knowledge)
    await runtime.vectors.close()
    folder = Path(runtime.settings.vector_store.removeprefix("chroma:"))
    damage(folder)
    async with restarted(runtime) as (_, again):
        assert list(folder.parent.glob(f"{folder.name}.damaged-*"))
        assert again.vectors(shop.organization_id).ready is not None
        hits = await ask(again, shop.organization_id, "shipping to Corsica", "en")
        assert hits[0].document_id == kept.id


async def test_that_words_are_searched_while_the_vectors_are_lost(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    await index(runtime, knowledge)
    knowledge.vectors(shop.organization_id).lose()
    hits = await ask(knowledge, shop.organization_id, "livraison en Corse")
    assert hits[0].document_id == kept.id


async def test_that_vectors_lost_while_running_are_rebuilt(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    await write(runtime, shop.organization_id, CORSICA)
    await index(runtime, knowledge)
    ready = knowledge.vectors(shop.organization_id).ready
    assert ready is not None
    knowledge.vectors(shop.organization_id).ready = replace(ready, collection="x")
    # Chroma refuses a name of one letter: to the search this is a store that fails.
    assert await ask(knowledge, shop.organization_id, "livraison en Corse")
    await knowledge.settle()
    assert knowledge.vectors(shop.organization_id).ready is not None


async def test_that_a_writer_can_wait_for_its_document(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    kept = await write(runtime, shop.organization_id, CORSICA)
    organization_id = shop.organization_id
    assert not await knowledge.wait_until_searchable(organization_id, kept.id, 0.01)
    await index(runtime, knowledge)
    assert await knowledge.wait_until_searchable(organization_id, kept.id, 0.01)
    assert not await knowledge.wait_until_searchable(organization_id, new_id(), 0.01)


async def test_that_a_corpus_that_has_outgrown_its_space_gets_a_new_one(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    await write(runtime, shop.organization_id, CORSICA)
    await index(runtime, knowledge)
    first = knowledge.vectors(shop.organization_id).ready
    for number in range(40):
        text = f"Le rayon {number} du magasin ouvre à {number} heures."
        await write(runtime, shop.organization_id, NewDocument(f"Rayon {number}", text))
    await index(runtime, knowledge)
    second = knowledge.vectors(shop.organization_id).ready
    assert first is not None
    assert second is not None
    assert second.collection != first.collection
    hits = await ask(knowledge, shop.organization_id, "livraison en Corse")
    assert hits[0].title == CORSICA.title


async def test_that_a_corpus_that_has_grown_gets_a_space_of_its_own_once_nothing_more_comes(
    runtime: Runtime, shop: Shop, knowledge: Knowledge
) -> None:
    async def grow(numbers: range) -> None:
        for number in numbers:
            text = f"Le rayon {number} du magasin ouvre à {number} heures."
            await write(runtime, shop.organization_id, NewDocument(f"Rayon {number}", text))
        await index(runtime, knowledge)

    vectors = knowledge.vectors(shop.organization_id)
    await grow(range(40))
    await knowledge.rebuild(shop.organization_id)
    first = vectors.ready
    await grow(range(40, 55))
    assert vectors.ready == first
    await knowledge.warm()
    await knowledge.settle()
    assert first is not None
    assert vectors.ready is not None
    assert vectors.ready.fitted_on == 110
    assert vectors.ready.collection != first.collection
    hits = await ask(knowledge, shop.organization_id, "Rayon 52")
    assert hits[0].title == "Rayon 52"
