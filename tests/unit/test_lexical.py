"""Words find passages whatever their accents and endings, one slip away, or by a synonym."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import LexicalIndex, LexicalPassage
from knowledge.words import fold, plain_words


def passage(number: int, title: str, text: str, tags: tuple[str, ...] = ()) -> LexicalPassage:
    return LexicalPassage(f"p{number}", UUID(int=number), title, tags, text)


PASSAGES = [
    passage(1, "Livraison à l'étage", "Le livreur monte le meuble si l'escalier le permet."),
    passage(2, "Payer en plusieurs fois", "Le paiement en trois fois est gratuit dès 100 €."),
    passage(3, "Entretien du cuir", "Nourrissez le cuir avec un lait incolore.", ("canapé",)),
    passage(4, "Horaires", "Le magasin de Lyon ouvre de 10 h à 19 h, du lundi au samedi."),
]


def index(passages: list[LexicalPassage]) -> LexicalIndex:
    made = LexicalIndex("fr")
    made.add(passages)
    return made


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("LIVRAISON À L’ÉTAGE", "p1"),
        ("livraison a letage", "p1"),
        ("nourrir du cuir", "p3"),
        ("entretien du cuirr", "p3"),
        ("entretien canape", "p3"),
        ("regler en 3 mensualités", "p2"),
        ("la boutique lyonnaise, lyon ?", "p4"),
    ],
)
def test_the_passage_that_shares_the_meaning_of_the_words_comes_first(
    question: str, first: str
) -> None:
    assert next(iter(index(PASSAGES).search(question, 3))) == first


@pytest.mark.parametrize("question", ["", "le la les", "zzzz qqqq", "🙂", "?"])
def test_nothing_is_found_where_no_word_is_shared(question: str) -> None:
    assert index(PASSAGES).search(question, 3) == {}


def test_unknown_words_lower_a_score() -> None:
    found = index(PASSAGES)
    sure = found.search("entretien du cuir", 1)["p3"]
    unsure = found.search("entretien du cuir martien galactique", 1)["p3"]
    assert 0.0 < unsure < sure


def test_a_removed_document_is_not_found_and_the_rest_scores_as_if_it_never_was() -> None:
    changed = index(PASSAGES)
    changed.remove(UUID(int=1))
    changed.remove(UUID(int=2))
    assert len(changed) == 2
    fresh = index(PASSAGES[2:])
    assert changed.search("entretien du cuir", 5) == fresh.search("entretien du cuir", 5)
    assert changed.search("livraison", 5) == {}


@given(st.text(max_size=200))
def test_any_question_gets_scores_between_nothing_and_a_little_over_one(question: str) -> None:
    found = index(PASSAGES).search(question, 4)
    assert all(0.0 < score < 1.5 for score in found.values())
    assert list(found.values()) == sorted(found.values(), reverse=True)


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert all(word.isascii() for word in plain_words(text, "fr"))
