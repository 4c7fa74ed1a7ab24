"""What is asked, without the greeting before it and the thanks behind it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from core.text import fold

# What is left must be able to stand alone: "Bonjour Madame, merci" is all there is.
FEWEST_WORDS_LEFT = 2
LONGEST_CLOSING_CHARACTERS = 120


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    """What may open a question and what may close it; None for a language without a list."""
    path = Path(__file__).parent / "courtesies.yaml"
    lists = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).get(language)
    if lists is None:
        return None
    opening, closing = ("|".join(f"(?:{one})" for one in lists[end]) for end in _ENDS)
    return (
        re.compile(rf"(?:(?:{opening})\b[\s,.;:!…-]*)+"),
        re.compile(rf"(?:[\s,.;:!?…-]*\b(?:(?:et|and) )?(?:{closing})\b)+[\s,.;:!…-]*$"),
    )


_ENDS = ("opening", "closing")


def without_courtesies(question: str, language: str) -> str:
    """The question in its own words, as typed; all of it where next to nothing would be left."""
    patterns = _patterns(language)
    folded = fold(question)
    # Offsets only mean the same where folding has kept every letter in its place.
    if patterns is None or len(folded) != len(question):
        return question
    opening, closing = patterns
    found = opening.match(folded)
    start = found.end() if found else 0
    ending = closing.search(folded, max(start, len(folded) - LONGEST_CLOSING_CHARACTERS))
    mark = "?" if ending is not None and "?" in ending.group() else ""
    kept = question[start : ending.start() if ending else None].strip()
    return f"{kept} {mark}".strip() if len(kept.split()) >= FEWEST_WORDS_LEFT else question
