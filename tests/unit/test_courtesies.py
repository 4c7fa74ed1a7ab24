"""What is asked is left of a question, and all of it where little would be."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.courtesies import without_courtesies


@pytest.mark.parametrize(
    ("language", "typed", "asked"),
    [
        (
            "fr",
            "Bonjour, je voudrais savoir si vous livrez en Corse ? Merci d'avance",
            "si vous livrez en Corse ?",
        ),
        ("fr", "slt svp on peut payer en 3x ?? svp", "on peut payer en 3x ?"),
        ("fr", "Bonsoir Madame, j’aurais une question : comment annuler ?", "comment annuler ?"),
        (
            "fr",
            "Vous reprenez les canapés ? Merci beaucoup et bonne journée",
            "Vous reprenez les canapés ?",
        ),
        ("fr", "Pouvez-vous me dire où est le magasin", "où est le magasin"),
        (
            "en",
            "Hi there, could you please tell me how late you open? Thanks a lot",
            "how late you open ?",
        ),
    ],
)
def test_that_greetings_and_thanks_are_left_out(language: str, typed: str, asked: str) -> None:
    assert without_courtesies(typed, language) == asked


@pytest.mark.parametrize(
    "typed",
    [
        "Bonjour Madame, merci",
        "Merci de me rappeler demain",
        "bonjour",
        "Où est passée la saluteuse de Bonjourville ?",
        "?",
        "",
    ],
)
def test_that_what_is_no_more_than_a_courtesy_or_has_none_stays(typed: str) -> None:
    assert without_courtesies(typed, "fr") == typed


def test_that_a_language_without_a_list_is_left_alone() -> None:
    assert (
        without_courtesies("Guten Tag, wo ist mein Sofa?", "de") == "Guten Tag, wo ist mein Sofa?"
    )


@given(st.text(max_size=200))
def test_that_what_is_left_was_typed(typed: str) -> None:
    left = without_courtesies(typed, "fr")
    assert left.removesuffix("?").strip() in typed


@pytest.mark.parametrize(
    "typed", ["bonjour " * 500, "merci " * 600 + "x", " ,!" * 1_500, "je " * 999]
)
def test_that_no_text_takes_long(typed: str) -> None:
    started = time.process_time()
    without_courtesies(typed, "fr")
    assert time.process_time() - started < 1.0
