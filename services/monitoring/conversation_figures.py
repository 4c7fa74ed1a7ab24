"""How many conversations there were in a period, how they ended, how fast, and how people liked it.

Read from `conversation_outcomes` by grouping statements; `refresh_outcomes` comes first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from core.database import Transaction
from core.errors import InvalidRequest
from services.monitoring.resolution import OUTCOMES, Outcome, Resolution
from services.monitoring.tables import conversation_outcomes

LONGEST_PERIOD_DAYS = 366
NO_INTENT = "none"
_ROW = conversation_outcomes.c


@dataclass(frozen=True)
class Period:
    """Days of the shop's own calendar, both included; `channel` None: every channel."""

    start: date
    end: date
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InvalidRequest("A period ends on the day it starts or later.")
        if (self.end - self.start).days >= LONGEST_PERIOD_DAYS:
            raise InvalidRequest(f"A period has at most {LONGEST_PERIOD_DAYS} days.")

    def days(self) -> Iterator[date]:
        for number in range((self.end - self.start).days + 1):
            yield self.start + timedelta(days=number)

    @property
    def holds(self) -> ColumnElement[bool]:
        """Which outcomes are of this period."""
        conditions = [_ROW.started_on >= self.start, _ROW.started_on <= self.end]
        if self.channel is not None:
            conditions.append(_ROW.channel == self.channel)
        return and_(*conditions)


class Spread:
    """How often each value was measured: medians and percentiles of any union are exact."""

    def __init__(self, values: Mapping[int, int] | None = None) -> None:
        self.values: Counter[int] = Counter(values or {})

    def __add__(self, other: Spread) -> Spread:
        return Spread(self.values + other.values)

    @property
    def count(self) -> int:
        return self.values.total()

    def percentile(self, share: float) -> int | None:
        """The smallest value that a share (0 to 1) of all do not exceed; None where none is."""
        wanted = share * self.count
        reached = 0
        for value, times in sorted(self.values.items()):
            reached += times
            if reached >= wanted:
                return value
        return None

    @property
    def median(self) -> int | None:
        return self.percentile(0.5)

    @property
    def p95(self) -> int | None:
        return self.percentile(0.95)


@dataclass(frozen=True)
class Ratings:
    """How often each score from 1 to 5 was given."""

    scores: Mapping[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.scores.values())

    @property
    def average(self) -> float | None:
        total = sum(score * times for score, times in self.scores.items())
        return total / self.count if self.count else None

    def __add__(self, other: Ratings) -> Ratings:
        return Ratings(Counter(self.scores) + Counter(other.scores))


@dataclass(frozen=True)
class ConversationFigures:
    """What is said of a number of conversations."""

    resolution: Resolution = field(default_factory=Resolution)
    handed_over: int = 0
    questions: int = 0
    unanswered: int = 0
    first_answer_ms: Spread = field(default_factory=Spread)
    person_seconds: Spread = field(default_factory=Spread)
    duration_seconds: Spread = field(default_factory=Spread)
    ratings: Ratings = field(default_factory=Ratings)

    @property
    def conversations(self) -> int:
        return self.resolution.total

    @property
    def handoff_rate(self) -> float | None:
        return self.handed_over / self.conversations if self.conversations else None

    def __add__(self, other: ConversationFigures) -> ConversationFigures:
        return ConversationFigures(
            **{
                name: getattr(self, name) + getattr(other, name)
                for name in ConversationFigures.__dataclass_fields__
            }
        )


def total(figures: Iterable[ConversationFigures]) -> ConversationFigures:
    """The figures of several days together."""
    return sum(figures, ConversationFigures())


async def figures_by_day(
    transaction: Transaction, period: Period
) -> dict[date, ConversationFigures]:
    """The figures of each day of a period, days without a conversation included."""
    counted = await _counted(transaction, period)
    answers = await _spread(transaction, period, "first_answer_ms")
    people = await _spread(transaction, period, "person_seconds")
    durations = await _spread(transaction, period, "duration_seconds")
    rated = await _rated(transaction, period)
    return {
        day: ConversationFigures(
            **counted[day],
            first_answer_ms=answers[day],
            person_seconds=people[day],
            duration_seconds=durations[day],
            ratings=Ratings(rated[day]),
        )
        for day in period.days()
    }


async def _counted(transaction: Transaction, period: Period) -> Mapping[date, dict[str, Any]]:
    rows = await transaction.all(
        select(
            _ROW.started_on,
            _ROW.outcome,
            _ROW.handed_over,
            func.count().label("times"),
            func.sum(_ROW.questions).label("questions"),
            func.sum(_ROW.unanswered).label("unanswered"),
        )
        .where(period.holds)
        .group_by(_ROW.started_on, _ROW.outcome, _ROW.handed_over)
    )
    outcomes: dict[date, Counter[Outcome]] = defaultdict(Counter)
    others: dict[date, Counter[str]] = defaultdict(Counter)
    for row in rows:
        outcomes[row.started_on][row.outcome] += row.times
        others[row.started_on] += Counter(
            handed_over=row.times if row.handed_over else 0,
            questions=int(row.questions),
            unanswered=int(row.unanswered),
        )
    return {
        day: {
            "resolution": Resolution({one: outcomes[day][one] for one in OUTCOMES}),
            **{name: others[day][name] for name in ("handed_over", "questions", "unanswered")},
        }
        for day in period.days()
    }


async def _spread(transaction: Transaction, period: Period, name: str) -> Mapping[date, Spread]:
    rows = await transaction.all(
        select(_ROW.started_on, _ROW[name].label("value"), func.count().label("times"))
        .where(period.holds, _ROW[name].is_not(None))
        .group_by(_ROW.started_on, _ROW[name])
    )
    found: dict[date, Spread] = defaultdict(Spread)
    for row in rows:
        found[row.started_on].values[row.value] += row.times
    return found


async def _rated(transaction: Transaction, period: Period) -> Mapping[date, Mapping[int, int]]:
    rows = await transaction.all(
        select(_ROW.started_on, _ROW.rating, func.count().label("times"))
        .where(period.holds, _ROW.rating.is_not(None))
        .group_by(_ROW.started_on, _ROW.rating)
    )
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for row in rows:
        found[row.started_on][row.rating] = row.times
    return found


async def figures_by_intent(
    transaction: Transaction, period: Period
) -> dict[str, ConversationFigures]:
    """The figures of what conversations were about first, the most frequent intent first.

    Those in which nothing was asked are under `none`. Times are left out.
    """
    return await _figures_by(transaction, period, "intent")


async def figures_by_channel(
    transaction: Transaction, period: Period
) -> dict[str, ConversationFigures]:
    """The figures of each channel, the busiest first; times are left out."""
    return await _figures_by(transaction, period, "channel")


async def _figures_by(
    transaction: Transaction, period: Period, name: str
) -> dict[str, ConversationFigures]:
    rows = await transaction.all(
        select(
            _ROW[name].label("name"),
            _ROW.outcome,
            _ROW.handed_over,
            _ROW.rating,
            func.count().label("times"),
            func.sum(_ROW.questions).label("questions"),
            func.sum(_ROW.unanswered).label("unanswered"),
        )
        .where(period.holds)
        .group_by(_ROW[name], _ROW.outcome, _ROW.handed_over, _ROW.rating)
    )
    found: dict[str, ConversationFigures] = defaultdict(ConversationFigures)
    for row in rows:
        found[row.name or NO_INTENT] += ConversationFigures(
            resolution=Resolution({row.outcome: row.times}),
            handed_over=row.times if row.handed_over else 0,
            questions=int(row.questions),
            unanswered=int(row.unanswered),
            ratings=Ratings({row.rating: row.times} if row.rating is not None else {}),
        )
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].conversations, pair[0])))
