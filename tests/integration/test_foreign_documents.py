"""Documents of matters that no intent was taught are answered from all the same."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from bot.understanding.understand import Interpreter
from knowledge.documents import NewDocument, create_document, delete_document
from knowledge.index import Knowledge
from tests.product import OpenProduct
from tests.scenarios.test_traps import _sentences

TOWN_HALL = (
    NewDocument(
        "Comment obtenir un extrait d'acte de naissance ?",
        "Demandez l'extrait d'acte de naissance à la mairie de la commune de naissance. "
        "Il est gratuit et arrive par courrier sous dix jours.",
    ),
    NewDocument(
        "Comment inscrire mon enfant à la cantine scolaire ?",
        "L'inscription à la cantine scolaire se fait en mairie avant le 15 juin, avec le livret de "
        "famille et un justificatif de domicile.",
    ),
    NewDocument(
        "Que faire d'un nid de frelons asiatiques ?",
        "Signalez le nid de frelons asiatiques à la police municipale, qui le fait détruire. "
        "N'intervenez pas vous-même.",
    ),
)


@pytest.fixture(scope="module")
def town_hall(product: OpenProduct) -> Iterator[list[str]]:
    """The product with a town hall's documents beside the shop's; their ids."""
    runtime = product.runtime

    async def written() -> list[UUID]:
        async with runtime.database.transaction(product.organization_id) as transaction:
            found = [
                (await create_document(transaction, runtime.outbox, new, runtime.clock())).id
                for new in TOWN_HALL
            ]
        return found

    async def deleted(ids: list[UUID]) -> None:
        async with runtime.database.transaction(product.organization_id) as transaction:
            for id in ids:
                await delete_document(transaction, runtime.outbox, id)

    async def settled() -> None:
        while await runtime.outbox.drain():
            pass
        await runtime.part(Knowledge).settle()

    ids = product.call(written())
    product.call(settled())
    yield [str(id) for id in ids]
    product.call(deleted(ids))
    product.call(settled())


@pytest.mark.parametrize(
    ("asked", "document"),
    [
        ("ma mère a besoin d'un extrait d'acte de naissance, elle le demande où ?", 0),
        ("on inscrit les petits à la cantine jusqu'à quelle date ?", 1),
        ("y a des frelons asiatiques dans mon arbre, j'appelle qui ?", 2),
    ],
)
def test_that_a_question_out_of_the_intents_scope_is_answered(
    asked: str, document: int, product: OpenProduct, town_hall: list[str]
) -> None:
    sentences = product.call(_sentences(product, asked))
    sources = [source.id for sentence in sentences for source in sentence.sources]
    assert sources[:1] == [town_hall[document]]


@pytest.mark.parametrize(
    "asked", ["Quelle est la capitale de la Mongolie ?", "donne la recette du gratin dauphinois"]
)
def test_that_what_no_document_tells_stays_unanswered(
    asked: str, product: OpenProduct, town_hall: list[str]
) -> None:
    sentences = product.call(_sentences(product, asked))
    assert [sentence.text for sentence in sentences if sentence.sources] == []


def test_that_words_of_documents_are_not_taken_for_slips(
    product: OpenProduct, town_hall: list[str]
) -> None:
    interpreter = product.runtime.part(Interpreter)
    uses = product.runtime.part(Knowledge).uses_word
    assert uses(product.organization_id, "frelons")
    assert uses(product.organization_id, "Scolaire")
    assert not uses(product.organization_id, "frelonss")
    read = product.call(
        interpreter.understand("un nid de frelons ?", "fr", product.organization_id)
    )
    assert read.corrected == "un nid de frelons ?"
