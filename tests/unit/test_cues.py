"""Closed lists of words: what they hold can match, and no word is taken for its opposite."""

from __future__ import annotations

import pytest
import yaml

from bot.understanding.cues import FILE, consists_of, cued_words, fold, is_told


def test_that_every_cue_is_written_as_texts_are_folded() -> None:
    read = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    lists = [
        words
        for group in read.values()
        for words in ([group] if isinstance(group, list) else group.values())
    ]
    cues = [str(cue) for words in lists for cue in words]
    assert [cue for cue in cues if fold(cue) != cue] == []


@pytest.mark.parametrize(
    "text", ["ok ouvrez", "ouais nickel", "allez-y svp", "oui, ouvrez le ticket"]
)
def test_that_consent_is_said_alone(text: str) -> None:
    assert consists_of(text, "confirms", "beside_consent")


@pytest.mark.parametrize(
    "text",
    [
        "n'ouvrez pas",
        "gonfle aussi",
        "vous ouvrez dimanche",
        "oui merci",
        "ouvrez seulement lundi",
        "",
    ],
)
def test_that_other_words_beside_it_are_no_consent(text: str) -> None:
    assert not consists_of(text, "confirms", "beside_consent")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ouvrez un ticket", True),
        ("ca ne marche pas, ouvrez un ticket", True),
        ("je ne veux pas ouvrir un ticket", False),
        ("surtout pas ouvrir un ticket", False),
        ("bonjour", False),
    ],
)
def test_that_what_is_not_to_be_done_is_not_told(text: str, told: bool) -> None:
    assert is_told(text, "opens_ticket") == told


def test_that_a_place_is_a_whole_word() -> None:
    assert cued_words("un canape italien en corse", "places") == ("corse",)
