"""The assistant's own phrases: one file a language, found by key, filled with values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

FOLDER = Path(__file__).parent
LANGUAGES = ("fr", "en", "es", "de", "it", "nl")
SHOP_ZONE = ZoneInfo("Europe/Paris")
_LOCALES = {
    "fr": "fr_FR",
    "en": "en_GB",
    "es": "es_ES",
    "de": "de_DE",
    "it": "it_IT",
    "nl": "nl_NL",
}


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """All phrases of a language."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (FOLDER / f"{language}.yaml").open(encoding="utf-8") as file:
        phrases: dict[str, Any] = yaml.load(file, loader)  # noqa: S506  a safe loader
    return phrases


def _find(language: str, key: str) -> Any:
    found: Any = catalogue(language)
    for part in key.split("."):
        found = found[part]
    return found


def phrase(language: str, key: str, turn: int = 0, **values: Any) -> str:
    """The phrase of a key (`ticket.created`), filled; `turn` picks among variants."""
    found = _find(language, key)
    if isinstance(found, list):
        found = found[turn % len(found)]
    return str(found).format(**values) if values else str(found)


def phrases(language: str, key: str) -> tuple[str, ...]:
    """All phrases of a list, such as suggestions; an unknown list is empty."""
    try:
        return tuple(_find(language, key))
    except KeyError:
        return ()


def word(language: str, group: str, value: str) -> str:
    """The word for a fixed value (`order_statuses`, `shipped`), or the value itself."""
    return str(catalogue(language).get(group, {}).get(value, value))


@lru_cache(maxsize=1_024)
def money(language: str, cents: int) -> str:
    """An amount in euros as the language writes it: `1 299,00 €`, `€1,299.00`."""
    return str(format_currency(cents / 100, "EUR", locale=_LOCALES[language]))


def number(language: str, value: float) -> str:
    """A measure as the language writes it: `1,2` in French, `1.2` in English."""
    return str(format_decimal(value, locale=_LOCALES[language]))


def day(language: str, value: date) -> str:
    """A day with its name: `lundi 23 novembre 2026`."""
    return str(format_date(value, format="full", locale=_LOCALES[language]))


def moment(language: str, value: datetime) -> str:
    """A day and time in the shop's zone: `lundi 23 novembre 2026 à 09:00`."""
    local = value.astimezone(SHOP_ZONE)
    time = str(format_time(local, format="short", locale=_LOCALES[language]))
    return phrase(language, "moment", day=day(language, local.date()), time=time)
