"""Which words around numbers does each language use? Reads the word lists once."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.understanding.entities.text import fold

LANGUAGES = ("fr", "en", "es", "de", "it", "nl")
_FOLDER = Path(__file__).parent.parent / "vocabulary"


@cache
def read_list(name: str) -> dict[str, Any]:
    """Read `vocabulary/<name>.yaml`, a mapping."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), loader)  # noqa: S506
    if not isinstance(content, dict):
        raise ValueError(f"vocabulary/{name}.yaml must be a mapping")
    return content


def languages_of(language: str) -> tuple[str, ...]:
    """Lists that serve a message: French, English for a French one, then its own (which wins)."""
    if language == "fr" or language not in LANGUAGES:
        return ("en", "fr")
    return ("fr", language)


def folded(words: Iterable[str]) -> tuple[str, ...]:
    """Fold every word of a list, without repeats, longest first: the longest match wins."""
    return tuple(sorted({fold(str(word)) for word in words}, key=lambda word: (-len(word), word)))


def words_of(section: dict[str, list[str]], language: str) -> list[str]:
    """Words of a section by language that serve messages in `language`."""
    return [word for code in languages_of(language) for word in section.get(code, [])]


def alternatives(words: Iterable[str]) -> str:
    """A regular expression of folded words, longest first; an empty list matches nothing."""
    return "|".join(re.escape(word) for word in folded(words)) or r"(?!)"


@cache
def bounds(language: str, where: str) -> tuple[tuple[str, str], ...]:
    """Pairs (words, bound): max, min, around or at; `where`: bounds_before or bounds_after."""
    section = read_list("expressions")[where]
    pairs = {
        word: bound for bound in section for word in folded(words_of(section[bound], language))
    }
    return tuple(sorted(pairs.items(), key=lambda pair: (-len(pair[0]), pair[0])))


_FILLER_BEFORE = re.compile(
    r"(?: |:|=|\b(?:de|des|les|d'|l'|la|le|the|di|i|die|der|los|las|gli|van|est|is)\b ?)+$"
)


def bound_before(prefix: str, language: str) -> str | None:
    """The bound word that ends the text before a number, articles between them aside."""
    window = prefix[-48:]
    for text in (window.rstrip(" :="), _FILLER_BEFORE.sub("", window)):
        for word, bound in bounds(language, "bounds_before"):
            if text.endswith(word):
                before = text[: -len(word)]
                if not (word[0].isalnum() and before[-1:].isalnum()):
                    return bound
    return None


def bound_after(suffix: str, language: str) -> str | None:
    """The bound word that begins the text behind a number."""
    text = suffix[:32].lstrip(" (,")
    for word, bound in bounds(language, "bounds_after"):
        if text.startswith(word) and not text[len(word) : len(word) + 1].isalnum():
            return bound
    return None
