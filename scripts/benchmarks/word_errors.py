"""How many words of a transcript are wrong? Case, punctuation and digits-or-words do not count."""

from __future__ import annotations

import re
from collections.abc import Sequence

from text_to_num import alpha2digit

_HOURS = re.compile(r"(\d+)\s*h\s*(\d\d)?\b")
_GROUPS = re.compile(r"(?<=\d)[ .\u00a0\u202f](?=\d{3}\b)")


def normalised(text: str, language: str) -> list[str]:
    """The words that are compared: lower case, numbers as digits, signs in words."""
    text = text.lower().replace("’", "'").replace("œ", "oe")
    text = text.replace("€", " euros ").replace("%", " pour cent ")
    if language == "fr":
        text = _HOURS.sub(lambda found: f"{found[1]} heures {found[2] or ''}", text)
    text = _GROUPS.sub("", text)
    text = re.sub(r"[^\w\s,.]|_", " ", text)
    text = re.sub(r"[.,](?!\d)", " ", text)
    text = alpha2digit(text, language)
    if language == "fr":
        text = re.sub(r"\bune?\b", "1", text)
    return re.sub(r"[^\w\s]", " ", text).split()


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words that must be changed, added or removed to make one of the other."""
    previous = list(range(len(heard) + 1))
    for row, word in enumerate(said, 1):
        current = [row]
        for column, other in enumerate(heard, 1):
            current.append(
                min(
                    previous[column] + 1,
                    current[column - 1] + 1,
                    previous[column - 1] + (word != other),
                )
            )
        previous = current
    return previous[-1]
