"""How do the tests of after-sales rights name a purchase and ask for one right?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from services.rights.facts import NO_HISTORY, Purchase, Right, RightName
from services.rights.rules import right_of

receipts = st.dates(min_value=date(2016, 7, 10), max_value=date(2070, 1, 1))


def bought_online(delivered_on: date | None, **more: object) -> Purchase:
    """A distance sale, ordered ten days before its delivery."""
    ordered_on = (delivered_on or date(2026, 5, 11)) - timedelta(days=10)
    purchase = Purchase(ordered_on=ordered_on, delivered_on=delivered_on, distance_sale=True)
    return replace(purchase, **more)  # type: ignore[arg-type]


def right(name: RightName, purchase: Purchase, today: str, **history: object) -> Right:
    known = replace(NO_HISTORY, **history)  # type: ignore[arg-type]
    return right_of(name, purchase, date.fromisoformat(today), known)
