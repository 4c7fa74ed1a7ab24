"""Small closed lists that show what a message does: cancels, asks, names a kind of problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.text import fold as fold

FILE = Path(__file__).parent / "vocabulary" / "cues.yaml"


def _pattern(forms: list[str]) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(form) for form in sorted(map(str, forms), key=len)[::-1])
    return re.compile(rf"(?<![\w])(?:{alternatives})")


@cache
def _cues() -> Mapping[str, Any]:
    with FILE.open(encoding="utf-8") as file:
        read: dict[str, Any] = yaml.safe_load(file)
    return {
        name: _pattern(group)
        if isinstance(group, list)
        else {value: _pattern(forms) for value, forms in group.items()}
        for name, group in read.items()
    }


def has_cue(folded: str, name: str) -> bool:
    """Whether a folded text holds a word of the list."""
    return bool(_cues()[name].search(folded))


def has_cue_in(folded: str, group: str, value: str) -> bool:
    """Whether a folded text holds a word of one list of a group, such as a language's."""
    pattern = _cues()[group].get(value)
    return pattern is not None and bool(pattern.search(folded))


def cued_words(folded: str, name: str) -> tuple[str, ...]:
    """The words of the list that a folded text holds whole, not as the beginning of others."""
    return tuple(found.group() for found in _whole(folded, name))


def consists_of(folded: str, name: str, beside: str) -> bool:
    """Whether a folded text holds a word of the first list, and nothing but words of both."""
    if not cued_words(folded, name):
        return False
    for group in (name, beside):
        for found in _whole(folded, group):
            folded = f"{folded[: found.start()]}{' ' * len(found.group())}{folded[found.end() :]}"
    return not any(letter.isalnum() for letter in folded)


def after_cue(folded: str, name: str) -> str | None:
    """What follows the first word of the list; None where there is none."""
    found = _cues()[name].search(folded)
    return None if found is None else folded[found.end() :]


def is_told(folded: str, name: str) -> bool:
    """Whether a folded text holds a word of the list that its clause does not say not to do."""
    found = _cues()[name].search(folded)
    if found is None:
        return False
    clause = re.split(r"[,;:.!?\n]", folded[: found.start()])[-1]
    return not cued_words(clause, "negations")


def _whole(folded: str, name: str) -> list[re.Match[str]]:
    found = _cues()[name].finditer(folded)
    return [one for one in found if not folded[one.end() : one.end() + 1].isalnum()]


def first_cue(folded: str, group: str) -> str | None:
    """The first value of a group whose words the folded text holds."""
    for value, pattern in _cues()[group].items():
        if pattern.search(folded):
            return str(value)
    return None


def all_cues(folded: str, group: str) -> tuple[str, ...]:
    """Every value of a group whose words the folded text holds, in the file's order."""
    return tuple(value for value, pattern in _cues()[group].items() if pattern.search(folded))
