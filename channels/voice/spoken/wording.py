"""The words of one language that numbers, signs and abbreviations are said with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("words.yaml")


@dataclass(frozen=True)
class Wording:
    """Single words by name, abbreviations and day names by how they are written.

    `thousands` and `decimal` are the marks inside a number.
    """

    language: str
    thousands: str
    decimal: str
    words: dict[str, str]
    abbreviations: dict[str, str]
    spelt: frozenset[str]
    days: dict[str, str]
    feminine: frozenset[str]


@cache
def wording_of(language: str) -> Wording | None:
    """The wording of a language, None for one that the product does not speak."""
    found = _file().get(language)
    if found is None:
        return None
    return Wording(
        language=language,
        thousands=found["thousands"],
        decimal=found["decimal"],
        words=found["words"],
        abbreviations=found.get("abbreviations", {}),
        spelt=frozenset(found.get("spelt", ())),
        days=found.get("days", {}),
        feminine=frozenset(found.get("feminine", ())),
    )


@cache
def _file() -> dict[str, Any]:
    with FILE.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded
