"""What an answer may be proven by: passages of documents, results of tools, the customer's words.

A result of a tool is written out as text in the customer's language, one piece a record, so that
a number of one order never proves a sentence about another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from bot.phrasing import day, moment, word

_WORD_GROUPS = {
    "status": ("order_statuses", "parcel_statuses", "ticket_statuses"),
    "priority": ("priorities",),
    "problem_severity": ("severities",),
    "problem_category": ("categories",),
}
_MONEY = frozenset({"price", "unit_price", "total", "price_max", "price_min"})
_UNITS = frozenset({"days", "minutes", "hours", "months", "years", "weeks", "cm", "kg"})


@dataclass(frozen=True)
class Evidence:
    """One thing that may support a sentence.

    `text` of a document is a literal part of it; `record` is what a piece of a tool's result
    describes, such as `parcels`.
    """

    kind: Literal["document", "tool", "customer"]
    text: str
    language: str
    id: str = ""
    title: str = ""
    score: float = 1.0
    tool: str = ""
    record: str = ""


def from_tool(tool: str, result: Mapping[str, Any], language: str) -> list[Evidence]:
    """A tool's result as evidence: one piece for each record that has a state, one for the rest.

    The state of a parcel is not that of its order.
    """
    return [
        Evidence("tool", "; ".join(lines), language, tool=tool, record=record)
        for record, lines in _pieces("", result, language)
        if lines
    ]


def _pieces(
    record: str, value: Mapping[str, Any], language: str
) -> Iterator[tuple[str, list[str]]]:
    lines: list[str] = []
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from _pieces(name, part, language)
        elif _is_records(part) and (not record or "status" in part[0]):
            for one in part:
                yield from _pieces(name, one, language)
        else:
            lines += _lines(name, part, language)
    yield record, lines


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _lines(name: str, value: Any, language: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _lines(str(key), part, language)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _lines(name, part, language)
    elif value is not None and value != "":
        yield f"{name.replace('_', ' ')}: {_written(name, value, language)}".strip(": ")


def _written(name: str, value: Any, language: str) -> str:
    if name == "in_stock":
        return word(language, "stock_words", "in_stock" if value else "out_of_stock")
    if name in _MONEY and isinstance(value, int | float):
        return f"{value:.2f} €"
    if name.endswith("_cents") and isinstance(value, int):
        return f"{value / 100:.2f} €"
    unit = name.rpartition("_")[2]
    if unit in _UNITS and isinstance(value, int | float):
        return f"{value:g} {unit}"
    if isinstance(value, str):
        return _in_words(name, value, language)
    return str(value)


def _in_words(name: str, value: str, language: str) -> str:
    """A code in the customer's language, a day or moment as the catalogue writes it."""
    for group in _WORD_GROUPS.get(name, ()):
        said = word(language, group, value)
        if said != value:
            return said
    try:
        if len(value) == len("2026-10-14"):
            return f"{day(language, date.fromisoformat(value))} ({value})"
        if value[:4].isdigit() and "T" in value:
            return moment(language, datetime.fromisoformat(value))
    except ValueError:
        pass
    return value
