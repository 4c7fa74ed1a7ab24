"""How many of the French specifications of numbers, money, days and phones are read as they say?

Only cases that a shop meets are counted, and each rule for leaving one out is here:
- numbers: no fractions and powers, no large numbers that France does not use (lakh, crore), no
  suffixes such as G, no addresses of machines;
- amounts: euros, dollars, pounds and their cents; other currencies are not sold in;
- dates: single days (`DateParser`, and `DateTimeModel` where all results are days).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from bot.understanding.entities import numbers_and_dates
from scripts.benchmarks.data import folder, read_json

ODD_NUMBERS = re.compile(r"lakh|crore|rillion|gati|\d\s*[GgMb]\b|192\.168|yuan")
SHOP_CURRENCIES = {
    "Dollar",
    "Euro",
    "Livre",
    "Cent",
    "Centimes",
    "Dollar États-Unis",
    "Dollar Canadien",
    "Dollar Australien",
}
CENTS = {"Cent", "Centimes"}
SOME_DAY = date(2026, 7, 1)
GOALS = {"numbers": 0.80, "amounts": 0.80, "dates": 0.70, "phones": None}


def judge() -> dict[str, list[bool]]:
    """Return, for each kind, whether each case was read exactly."""
    base = folder("recognizers_fr") / "Specs"
    return {
        "numbers": list(_numbers(base)),
        "amounts": list(_amounts(base)),
        "dates": [*_dates(base), *_model_dates(base)],
        "phones": list(_phones(base)),
    }


def _number(value: object) -> float | None:
    try:
        return float(str(value).replace("−", "-").replace(",", "."))
    except ValueError:
        return None


def _same(wanted: list[float | None], got: list[float], margin: float) -> bool:
    return len(wanted) == len(got) and all(
        one is not None and abs(one - other) <= margin * max(1.0, abs(one))
        for one, other in zip(wanted, got, strict=True)
    )


def _numbers(base: Path) -> Iterator[bool]:
    for case in read_json(base / "Number/French/NumberModel.json"):
        resolutions = [result["Resolution"] for result in case["Results"]]
        odd = any(one.get("subtype") in ("fraction", "power") for one in resolutions)
        if odd or ODD_NUMBERS.search(case["Input"]):
            continue
        wanted = [_number(one["value"]) for one in resolutions]
        got = numbers_and_dates(case["Input"], "fr", SOME_DAY).numbers
        yield _same(wanted, [float(one) for one in got], 1e-6)


def _amounts(base: Path) -> Iterator[bool]:
    for case in read_json(base / "NumberWithUnit/French/CurrencyModel.json"):
        resolutions = [result["Resolution"] for result in case["Results"]]
        if not all(one["unit"] in SHOP_CURRENCIES for one in resolutions):
            continue
        wanted: list[float | None] = []
        for one in resolutions:
            value = _number(one.get("value"))
            cents = value is not None and one["unit"] in CENTS
            wanted.append(value / 100 if cents and value is not None else value)
        got = numbers_and_dates(case["Input"], "fr", SOME_DAY).amounts
        rounded = [one if one is None else round(one, 2) for one in wanted]
        yield _same(rounded, [one.cents / 100 for one in got], 1e-9)


def _reference(case: dict[str, Any]) -> date | None:
    context = case.get("Context") or {}
    stated = {key.lower(): value for key, value in (case | context).items()}
    moment = stated.get("referencedatetime")
    return date.fromisoformat(moment[:10]) if moment else None


def _read_days(case: dict[str, Any], wanted: list[set[str]], today: date) -> bool:
    got = [day.isoformat() for day in numbers_and_dates(case["Input"], "fr", today).dates]
    return len(wanted) == len(got) and all(
        day in any_of for any_of, day in zip(wanted, got, strict=True)
    )


def _dates(base: Path) -> Iterator[bool]:
    for case in read_json(base / "DateTime/French/DateParser.json"):
        today = _reference(case)
        if today is not None:
            values = [result["Value"] for result in case["Results"]]
            wanted = [
                {one["FutureResolution"]["date"], one["PastResolution"]["date"]} for one in values
            ]
            yield _read_days(case, wanted, today)


def _model_dates(base: Path) -> Iterator[bool]:
    for case in read_json(base / "DateTime/French/DateTimeModel.json"):
        today, results = _reference(case), case["Results"]
        kinds = {result.get("TypeName", result.get("Typename")) for result in results}
        if today is not None and kinds == {"datetimeV2.date"}:
            wanted = [
                {value.get("value") for value in result["Resolution"]["values"]}
                for result in results
            ]
            yield _read_days(case, wanted, today)


def _phones(base: Path) -> Iterator[bool]:
    for case in read_json(base / "Sequence/French/PhoneNumberModel.json"):
        wanted = [re.sub(r"[^\d+]", "", one["Resolution"]["value"]) for one in case["Results"]]
        got = numbers_and_dates(case["Input"], "fr", SOME_DAY).phones
        yield list(got) == wanted
