"""How simulated customers talk: one file a language, a part for each mood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args

import yaml

FOLDER = Path(__file__).parent
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
Mood = Literal[
    "polite",
    "terse",
    "angry",
    "chatty",
    "typos",
    "changes_mind",
    "forgets",
    "switches_language",
]
MOODS: tuple[Mood, ...] = get_args(Mood)
# One word in so many is misspelt; shorter words and those with digits or signs stay.
MISSPELT_ONE_IN = 5
MISSPELT_LETTERS = 6
_WORD = re.compile(rf"(?<![\w@.\-'’])[^\W\d_]{{{MISSPELT_LETTERS},}}(?![\w@\-])")


@cache
def wording(language: str) -> Mapping[str, Any]:
    """All that customers say in a language."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8"))
    return found


def misspelt(text: str, random: Random) -> str:
    """The text as a hurried thumb types it: no capitals, a letter lost, doubled or swapped."""

    def mistype(match: re.Match[str]) -> str:
        word = match.group()
        if random.randrange(MISSPELT_ONE_IN):
            return word
        place = random.randrange(1, len(word) - 2)
        kind = random.randrange(3)
        if kind == 0:
            return word[:place] + word[place + 1 :]
        if kind == 1:
            return word[:place] + word[place] + word[place:]
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]

    return " ".join(
        part
        if "@" in part or any(letter.isdigit() for letter in part)
        else _WORD.sub(mistype, part).lower()
        for part in text.split()
    )
