"""Passages and sentences: exact offsets, nothing lost, no sentence cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.passages import MAXIMUM_CHARACTERS, heading_of, sentences, split_passages

TEXTS = st.text(
    alphabet=st.sampled_from("abcÀéœ .!?…\n\t#-•«»0123456789,:€\u00a0\u202f'()😀"), max_size=1_500
)


def said(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M. Durand livre. Il monte.", ["M. Durand livre.", "Il monte."]),
        ("Un lit, p. ex. le Fjord. Oui.", ["Un lit, p. ex. le Fjord.", "Oui."]),
        ("Il coûte 1 290,00 €. Merci.", ["Il coûte 1 290,00 €.", "Merci."]),
        ("Selon l'art. L217-3 du code. Fin.", ["Selon l'art. L217-3 du code.", "Fin."]),
        ("Voir https://a.fr/x.html?y=1. Fin.", ["Voir https://a.fr/x.html?y=1.", "Fin."]),
        ("Vraiment ? Oui ! Bon… Suite.", ["Vraiment ?", "Oui !", "Bon…", "Suite."]),
        ("2. Vissez les pieds. Serrez.", ["2. Vissez les pieds.", "Serrez."]),
        ("Elle a dit « non. » Puis oui.", ["Elle a dit « non. »", "Puis oui."]),
        ("Une ligne\nUne autre", ["Une ligne", "Une autre"]),
        ("# 1. Titre. Suite\nTexte.", ["# 1. Titre. Suite", "Texte."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert said(text) == expected


@given(TEXTS)
def test_sentences_lose_nothing_but_blanks(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(said(text)).split()) == "".join(text.split())
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(TEXTS)
def test_passages_have_exact_offsets_and_cut_no_sentence(text: str) -> None:
    passages = split_passages(text)
    starts = {span.start for span in sentences(text)}
    ends = {span.end for span in sentences(text)}
    assert [one.position for one in passages] == list(range(len(passages)))
    for one in passages:
        assert text[one.start : one.end] == one.text
        assert one.start in starts
        assert one.end in ends


@given(TEXTS)
def test_every_sentence_that_is_no_heading_is_in_one_passage(text: str) -> None:
    passages = split_passages(text)
    for span in sentences(text):
        if heading_of(text[span.start : span.end]) is None:
            assert sum(one.start <= span.start and span.end <= one.end for one in passages) == 1


def test_passages_stay_within_their_size_and_know_their_headings() -> None:
    paragraph = "Le délai de livraison est de dix jours ouvrés pour un meuble en stock. "
    text = f"# Livraison\n\n{paragraph * 9}\n\n## Corse\n\n{paragraph}\n\n# Retours\n\n{paragraph}"
    passages = split_passages(text)
    assert all(len(one.text) <= MAXIMUM_CHARACTERS for one in passages)
    assert [one.heading for one in passages] == [
        "Livraison",
        "Livraison",
        "Livraison › Corse",
        "Retours",
    ]


def test_a_text_of_headings_alone_can_still_be_quoted() -> None:
    assert [one.text for one in split_passages("# Un\n## Deux")] == ["# Un", "## Deux"]


def test_a_line_without_an_end_is_cut_at_blanks() -> None:
    text = "mot " * 3_000
    assert max(len(one) for one in said(text)) <= 1_000
    assert len(split_passages(text)) > 10
