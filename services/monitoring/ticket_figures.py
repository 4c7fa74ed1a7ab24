"""How fast were tickets answered and resolved, and were the promises kept?"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, select

from core.database import Transaction
from services.conversations.tables import conversations
from services.monitoring.conversation_figures import Period, Spread
from services.tickets.tables import tickets

DAYS_AT_ONCE = 31


@dataclass(frozen=True)
class TicketFigures:
    """What is said of a number of tickets, by the day on which they were filed.

    A promise is kept or broken once the ticket is answered or its deadline is over; until then it
    runs. Tickets that were merged into others are left out.
    """

    tickets: int = 0
    kept: int = 0
    broken: int = 0
    running: int = 0
    resolved: int = 0
    first_response_seconds: Spread = field(default_factory=Spread)
    resolution_seconds: Spread = field(default_factory=Spread)

    @property
    def kept_rate(self) -> float | None:
        judged = self.kept + self.broken
        return self.kept / judged if judged else None

    def __add__(self, other: TicketFigures) -> TicketFigures:
        return TicketFigures(
            **{
                name: getattr(self, name) + getattr(other, name)
                for name in TicketFigures.__dataclass_fields__
            }
        )


def total_of_tickets(figures: Iterable[TicketFigures]) -> TicketFigures:
    """The figures of several days together."""
    return sum(figures, TicketFigures())


async def ticket_figures_by_day(
    transaction: Transaction, period: Period, zone: ZoneInfo, now: datetime
) -> dict[date, TicketFigures]:
    """The figures of each day of a period in the shop's time zone.

    With a channel: tickets that were filed in its conversations.
    """
    found: dict[date, TicketFigures] = {}
    for some in _pieces(period):
        by_day: dict[date, list[Row[Any]]] = defaultdict(list)
        for row in await _rows(transaction, some, zone):
            by_day[row.created_at.astimezone(zone).date()].append(row)
        found.update((day, _figures(by_day[day], now)) for day in some.days())
        # A year of tickets takes a quarter of a second: others may go between.
        await asyncio.sleep(0)
    return found


def _pieces(period: Period) -> Iterator[Period]:
    start = period.start
    while start <= period.end:
        end = min(period.end, start + timedelta(days=DAYS_AT_ONCE - 1))
        yield Period(start, end, period.channel)
        start = end + timedelta(days=1)


async def _rows(transaction: Transaction, period: Period, zone: ZoneInfo) -> Sequence[Row[Any]]:
    columns = tickets.c
    found = select(
        columns.created_at,
        columns.first_response_at,
        columns.sla_response_deadline,
        columns.sla_paused_at,
        columns.resolved_at,
        columns.status,
    ).where(
        columns.created_at >= _midnight(period.start, zone),
        columns.created_at < _midnight(period.end + timedelta(days=1), zone),
        columns.merged_into_id.is_(None),
    )
    if period.channel is not None:
        found = found.join(
            conversations,
            and_(
                conversations.c.id == columns.conversation_id,
                conversations.c.channel == period.channel,
            ),
        )
    return await transaction.all(found)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _figures(rows: Sequence[Row[Any]], now: datetime) -> TicketFigures:
    states = [_promise(row, now) for row in rows]
    return TicketFigures(
        tickets=len(rows),
        kept=states.count("kept"),
        broken=states.count("broken"),
        running=states.count("running"),
        resolved=sum(row.resolved_at is not None for row in rows),
        first_response_seconds=_seconds((row.created_at, row.first_response_at) for row in rows),
        resolution_seconds=_seconds((row.created_at, row.resolved_at) for row in rows),
    )


def _promise(row: Row[Any], now: datetime) -> str:
    deadline = row.sla_response_deadline
    if row.first_response_at is not None:
        return "kept" if row.first_response_at <= deadline else "broken"
    # A clock that stands still breaks nothing; who is done without an answer was not answered.
    standing = row.sla_paused_at is not None and row.sla_paused_at <= deadline
    return "broken" if now > deadline and not standing else "running"


def _seconds(spans: Iterable[tuple[datetime, datetime | None]]) -> Spread:
    spread = Spread()
    for began, ended in spans:
        if ended is not None:
            spread.values[max(0, int((ended - began).total_seconds()))] += 1
    return spread
