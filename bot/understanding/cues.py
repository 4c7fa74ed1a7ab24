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


def cued_words(folded: str, name: str) -> tuple[str, ...]:
    """The words of the list that a folded text holds."""
    return tuple(_cues()[name].findall(folded))


def first_cue(folded: str, group: str) -> str | None:
    """The first value of a group whose words the folded text holds."""
    for value, pattern in _cues()[group].items():
        if pattern.search(folded):
            return str(value)
    return None


def all_cues(folded: str, group: str) -> tuple[str, ...]:
    """Every value of a group whose words the folded text holds, in the file's order."""
    return tuple(value for value, pattern in _cues()[group].items() if pattern.search(folded))
