"""Does a sentence promise something until a day that is over?

Only what speaks of an end or of one season: a law "of 29 September 2021" is not out of date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from core.text import fold
from knowledge.passages import Span, sentences

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier january januar enero gennaio januari",
            "fevrier february februar febrero febbraio februari",
            "mars march marz marzo maart",
            "avril april abril aprile",
            "mai may mayo maggio mei",
            "juin june juni junio giugno",
            "juillet july juli julio luglio",
            "aout august agosto augustus",
            "septembre september septiembre settembre",
            "octobre october oktober octubre ottobre",
            "novembre november noviembre",
            "decembre december dezember diciembre dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
_WRITTEN = re.compile(
    r"\b(\d{1,2})(?:er|st|nd|rd|th|\.)?\s+(?:de\s+)?("
    + "|".join(_MONTHS)
    + r")\s+(?:de\s+)?(20\d\d)\b"
)
_MONTH_FIRST = re.compile(r"\b(" + "|".join(_MONTHS) + r")\s+(\d{1,2}),?\s+(20\d\d)\b")
_NUMBERS = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](20\d\d)\b")
_ISO = re.compile(r"\b(20\d\d)-(\d{2})-(\d{2})\b")
_YEAR = re.compile(r"\b(20\d\d)\b")
_ENDS = re.compile(
    r"jusqu|valable|valide|expire|prend fin|se termine|termine le|fin le|avant le|\bdu \d.* au \d"
    r"|until|valid|expires?\b|ends? on|through|\bbis\b|gultig|hasta|valid[oa]|fino al|tot en met"
)
_SEASONAL = re.compile(
    r"soldes?\b|offre|promotion|\bpromo\b|tarifs?\b|catalogue|collection|black friday|horaires"
    r"|\bsales?\b|offer|price list|opening hours|rebajas|saldi|angebot|aanbieding"
)


def past_dates(text: str, today: date) -> Iterator[tuple[Span, date]]:
    """The sentences of a text that speak of an end or a season that is over, and when it was."""
    for span in sentences(text):
        over = _over(fold(text[span.start : span.end]), today)
        if over is not None:
            yield span, over


def _over(folded: str, today: date) -> date | None:
    days = list(_days(folded))
    if _ENDS.search(folded) and days and max(days) < today:
        return max(days)
    if days or not _SEASONAL.search(folded):
        return None
    years = [int(year) for year in _YEAR.findall(folded)]
    if years and max(years) < today.year:
        return date(max(years), 12, 31)
    return None


def _days(folded: str) -> Iterator[date]:
    """Every full date of a sentence; one that no calendar knows is passed over."""
    found = [(year, _MONTHS[month], day) for day, month, year in _WRITTEN.findall(folded)]
    found += [(year, _MONTHS[month], day) for month, day, year in _MONTH_FIRST.findall(folded)]
    found += [(year, month, day) for day, month, year in _NUMBERS.findall(folded)]
    found += _ISO.findall(folded)
    for year, month, day in found:
        with suppress(ValueError):
            yield date(int(year), int(month), int(day))
