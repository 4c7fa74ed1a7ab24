"""Two documents that say different things about one matter are told apart from two matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.contradictions import DatedPassage, contradictions
from knowledge.passages import Span

EARLIER = datetime(2025, 3, 1, tzinfo=UTC)
LATER = EARLIER + timedelta(days=200)


def passage(number: int, title: str, text: str, written_at: datetime = EARLIER) -> DatedPassage:
    return DatedPassage(UUID(int=number), title, "fr", text, written_at)


@pytest.mark.parametrize(
    ("older", "newer", "kind"),
    [
        (
            ("Délai de retour", "Vous avez 14 jours pour retourner un article."),
            ("Retourner un article", "Vous disposez de 30 jours pour nous retourner un article."),
            "days",
        ),
        (
            ("Frais de livraison", "La livraison standard coûte 39 €."),
            ("Tarifs de livraison", "La livraison standard coûte 49 € partout en France."),
            "euros",
        ),
        (
            ("Garantie des canapés", "Nos canapés sont garantis cinq ans."),
            ("Garantie canapé", "La garantie des canapés est de 2 ans."),
            "years",
        ),
        (
            ("Soldes d'hiver", "Les soldes d'hiver commencent le 7 janvier."),
            ("Soldes", "Les soldes d'hiver commencent le 14 janvier."),
            "dates",
        ),
        (
            ("Prix du montage", "Le montage d'une armoire coûte 1 099,50 €."),
            ("Montage", "Le montage d'une armoire coûte 1 100 €."),
            "euros",
        ),
    ],
)
def test_that_different_values_for_one_matter_contradict_newest_first(
    older: tuple[str, str], newer: tuple[str, str], kind: str
) -> None:
    found = contradictions([passage(1, *older), passage(2, *newer, LATER)])
    assert [(one.newer.text, one.older.text, one.kind) for one in found] == [
        (newer[1], older[1], kind)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("Livraison en Corse", "La livraison en Corse coûte 149 €."),
            ("Livraison en Belgique", "La livraison en Belgique coûte 89 €."),
        ),
        (
            ("Livraison", "La livraison standard coûte 39 €."),
            ("Livraison en Corse", "La livraison standard coûte 149 € en Corse."),
        ),
        (
            ("Garantie", "Le canapé est garanti 5 ans."),
            ("Garantie", "Le matelas est garanti 10 ans."),
        ),
        (
            ("Livraison", "La livraison standard coûte 39 €."),
            ("Tarifs", "La livraison standard coûte 39,00 euros."),
        ),
        (
            ("Délai de retour", "Vous avez 14 jours pour retourner un article."),
            ("Délai de retour", "Le délai de retour est indiqué sur la facture."),
        ),
        (
            ("Carte", "Par exemple, un achat de 600 € donne un bon de 30 €."),
            ("Carte", "Par exemple, un achat de 800 € donne un bon de 40 €."),
        ),
    ],
)
def test_that_two_matters_or_one_value_do_not_contradict(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert contradictions([passage(1, *one), passage(2, *other, LATER)]) == []


def test_that_a_document_does_not_contradict_itself() -> None:
    text = "La livraison standard coûte 39 €. La livraison standard coûte 49 €."
    assert contradictions([passage(1, "Livraison", text), passage(1, "Livraison", text)]) == []


def test_that_only_what_is_said_is_compared() -> None:
    first = "Le montage d'une armoire coûte 60 €."
    one = DatedPassage(UUID(int=1), "Montage", "fr", f"{first} Merci.", LATER, Span(37, 43))
    other = passage(2, "Montage", "Le montage d'une armoire coûte 80 €.")
    assert contradictions([one, other]) == []
    assert len(contradictions([passage(1, "Montage", first, LATER), other])) == 1


@given(st.lists(st.text(max_size=120), max_size=4), st.booleans())
def test_that_any_texts_are_compared_and_every_sentence_is_literal(
    texts: list[str], same: bool
) -> None:
    passages = [passage(0 if same else i, "Retour", text) for i, text in enumerate(texts)]
    for one in contradictions(passages):
        assert one.newer.text in one.newer.passage.text
        assert one.newer.passage.document_id != one.older.passage.document_id
