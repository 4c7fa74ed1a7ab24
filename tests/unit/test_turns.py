"""When does a caller's turn end, and what does not even begin one? In French and in English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice.turns import (
    COMPLETE,
    SHORT_ANSWER,
    SPELLING,
    TRAILING_OFF,
    ends_turn,
    is_plausible,
    only_agrees,
    says_goodbye,
    silence_needed,
)

FINISHED = [
    ("fr", "Quels sont vos horaires d'ouverture le samedi à Lyon ?"),
    ("fr", "Je cherche une table en chêne pour six personnes à moins de neuf cents euros."),
    ("fr", "Non merci, je préfère parler à un conseiller."),
    ("fr", "Ma commande est la CMD-2026-000126."),
    ("fr", "C'est le 06 12 34 56 78."),
    ("fr", "jean.dupont@exemple.fr"),
    ("fr", "C'est jean point dupont arobase exemple point fr"),
    ("fr", "Où est-ce que vous êtes ?"),
    ("en", "What are your opening hours on Saturday?"),
    ("en", "My order is CMD 2026 000126."),
    ("en", "my email is john dot smith at example dot com"),
    ("en", "The left leg of my sofa is broken."),
]
SPELLED = [
    ("fr", "Mon numéro de commande, c'est"),
    ("fr", "Mon numéro c'est CMD 2026"),
    ("fr", "CMD 2026 000"),
    ("fr", "C'est le zéro six, 06 12"),
    ("fr", "Mon téléphone c'est le 06 12 34"),
    ("fr", "Mon adresse c'est jean point dupont"),
    ("fr", "jean point dupont arobase"),
    ("fr", "jean.dupont@exemple"),
    ("fr", "Mon nom, D, U, P"),
    ("en", "My order number is"),
    ("en", "my email is john at example"),
    ("en", "My phone number is 07 12"),
]
TRAILING = [
    ("fr", "Je voudrais un canapé et"),
    ("fr", "Je voudrais un canapé et."),
    ("fr", "Je voudrais savoir si..."),
    ("fr", "C'est, euh"),
    ("fr", "Euh…"),
    ("fr", "Je cherche une table avec"),
    ("fr", "Il est cassé parce que"),
    ("en", "I would like a sofa and"),
    ("en", "It is broken because"),
    ("en", "Well, um"),
]


@pytest.mark.parametrize(("language", "text"), FINISHED)
def test_that_a_finished_sentence_is_answered_soon(language: str, text: str) -> None:
    assert silence_needed(text, language) == COMPLETE


@pytest.mark.parametrize(("language", "text"), SPELLED)
def test_that_who_spells_is_given_time(language: str, text: str) -> None:
    assert silence_needed(text, language) == SPELLING
    assert not ends_turn(text, COMPLETE, language)
    assert ends_turn(text, SPELLING, language)


@pytest.mark.parametrize(("language", "text"), TRAILING)
def test_that_who_trails_off_is_not_cut_off(language: str, text: str) -> None:
    assert silence_needed(text, language) == TRAILING_OFF
    assert not ends_turn(text, COMPLETE, language)


@pytest.mark.parametrize(
    ("language", "text"), [("fr", "Oui."), ("fr", "Non merci."), ("en", "Yes."), ("en", "No.")]
)
def test_that_a_short_answer_is_taken_at_once(language: str, text: str) -> None:
    assert ends_turn(text, SHORT_ANSWER, language)


def test_that_a_number_goes_on_until_it_is_whole() -> None:
    digits = "CMD 2026 000126"
    needed = [silence_needed(digits[:length]) for length in range(5, len(digits) + 1)]
    assert set(needed[:-1]) == {SPELLING}
    assert needed[-1] == COMPLETE


@given(st.text(max_size=80), st.sampled_from(["fr", "en", "es", "de", "it", "nl", "xx"]))
def test_that_any_text_ends_after_a_bounded_silence(text: str, language: str) -> None:
    needed = silence_needed(text, language)
    assert SHORT_ANSWER <= needed <= SPELLING
    assert ends_turn(text, needed, language)
    assert not ends_turn(text, needed - 1, language)


AGREEING = ["oui", "Oui.", "d'accord", "D’accord !", "hum", "Mm", "Hum hum", "ah d'accord", "ok"]
MEANT = ["non", "stop", "Attendez", "Oui mais je veux partir", "un conseiller", "Pardon ?"]


@pytest.mark.parametrize("text", AGREEING)
def test_that_agreement_does_not_interrupt(text: str) -> None:
    assert only_agrees(text, "fr")


@pytest.mark.parametrize("text", MEANT)
@pytest.mark.parametrize("voice_milliseconds", [None, 250, 900])
def test_that_what_is_meant_interrupts(text: str, voice_milliseconds: int | None) -> None:
    assert not only_agrees(text, "fr", voice_milliseconds)


def test_that_a_misheard_syllable_agrees_and_a_misheard_word_does_not() -> None:
    assert only_agrees("Oli.", "fr", 280)
    assert not only_agrees("Oli.", "fr", 700)
    assert not only_agrees("Non.", "fr", 280)


@pytest.mark.parametrize("text", ["uh-huh", "Right.", "Okay, I see", "mm"])
def test_that_agreement_does_not_interrupt_in_english(text: str) -> None:
    assert only_agrees(text, "en")


def test_that_noise_does_not_become_a_sentence() -> None:
    assert not is_plausible("Sous-titres réalisés par la communauté d'Amara.org", 400)
    assert is_plausible("Quels sont vos délais de livraison ?", 1_600)
    assert is_plausible("Oui.", 150)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Merci beaucoup, au revoir.", True),
        ("Bonne journée !", True),
        ("Au revoir, mais avant, quels sont vos horaires ?", False),
        ("Merci.", False),
    ],
)
def test_that_a_farewell_is_told_from_thanks(text: str, expected: bool) -> None:
    assert says_goodbye(text, "fr") is expected
