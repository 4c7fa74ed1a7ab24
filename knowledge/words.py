"""Which words of a text does the lexical search compare, in each of the shop's languages?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.text import fold as fold

STEMMERS = {
    "fr": "french",
    "en": "english",
    "es": "spanish",
    "de": "german",
    "it": "italian",
    "nl": "dutch",
}
BEGINNING_LETTERS = 5
MAXIMUM_WORD_LETTERS = 40
_WORD = re.compile(r"[a-z0-9]+")


@cache
def stop_words(language: str) -> frozenset[str]:
    """Words that say nothing about a subject, folded; none for a language without a list."""
    path = Path(__file__).parent / "stop_words.yaml"
    lists = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return frozenset(fold(lists.get(language, "")).split())


@cache
def synonyms(language: str) -> Mapping[str, tuple[str, ...]]:
    """The stems that ask for the same thing as a stem; none for a language without groups."""
    path = Path(__file__).parent / "synonyms.yaml"
    groups = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).get(language, [])
    found: dict[str, set[str]] = {}
    for group in groups:
        members = stems(_WORD.findall(fold(group)), language)
        for stem in members:
            found.setdefault(stem, set()).update(members)
    return {stem: tuple(sorted(others - {stem})) for stem, others in found.items()}


@cache
def _stemmer(language: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(STEMMERS[language])


def plain_words(text: str, language: str) -> list[str]:
    """The folded words of a text in order, without stop words and overlong strings."""
    stop = stop_words(language)
    return [
        word
        for word in _WORD.findall(fold(text))
        if word not in stop and len(word) <= MAXIMUM_WORD_LETTERS
    ]


def stems(words: list[str], language: str) -> list[str]:
    """The stem of each folded word; the word itself in a language without a stemmer.

    Words are folded before they are stemmed, so that a question typed without accents finds what
    is written with them.
    """
    if language not in STEMMERS:
        return words
    stemmed: list[str] = _stemmer(language).stemWords(words)
    return stemmed


def beginnings(words: list[str]) -> list[str]:
    """The first letters of longer words: they join what a stemmer keeps apart (remboursement,
    rembourser)."""
    return [word[:BEGINNING_LETTERS] for word in words if len(word) > BEGINNING_LETTERS]
