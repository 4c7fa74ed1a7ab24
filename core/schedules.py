"""What happens at its time: each schedule once, however many processes look at the clock.

A process claims a schedule by moving its due time on, in the transaction in which the work is
done or a job is written: whoever loses that race does nothing, and a crash undoes both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Column, String, or_, select, update
from sqlalchemy.exc import IntegrityError

from core.database import Transaction, UtcDateTime, global_table
from core.errors import SupportError
from core.telemetry import logger

if TYPE_CHECKING:
    from core.runtime import Runtime

LOOK_SECONDS = 5.0

schedules = global_table(
    "schedules",
    Column("name", String(60), nullable=False, unique=True),
    Column("due_at", UtcDateTime, nullable=False),
    data_class="operational",
    erased_by="holds no personal data",
)


@dataclass(frozen=True)
class Schedule:
    """Work that comes back.

    `run` gets the transaction of the claim, which reaches every organization: it is short, and
    what takes long is a job that it writes. `afterwards` has the claim behind it and opens its
    own transactions; where it fails it comes back one period later.
    """

    name: str
    every: timedelta
    run: Callable[[Runtime, Transaction, datetime], Awaitable[None]] | None = None
    afterwards: Callable[[Runtime, datetime], Awaitable[object]] | None = None


async def run_schedules(runtime: Runtime, known: Sequence[Schedule]) -> None:
    """Look at the clock for as long as the process lives."""
    log = logger("core.schedules")
    while True:
        # First, so that a start is not made longer.
        await asyncio.sleep(LOOK_SECONDS)
        try:
            for schedule in await due_schedules(runtime, known):
                await _run_safely(runtime, schedule)
        except SupportError as error:
            log.warning("schedules_not_read", reason=error.code)


async def _run_safely(runtime: Runtime, schedule: Schedule) -> None:
    """One schedule that fails keeps no other from running."""
    try:
        await run_if_due(runtime, schedule)
    except Exception:
        logger("core.schedules").exception("schedule_failed", schedule=schedule.name)


async def due_schedules(runtime: Runtime, known: Sequence[Schedule]) -> list[Schedule]:
    """Which schedules are due, in one statement; one that is new is due at once.

    A due time further away than one period means that the clock has been put back: it is due.
    """
    now = runtime.clock()
    async with runtime.database.reading(None) as look:
        rows = await look.all(select(schedules.c.name, schedules.c.due_at))
    due_at = {row.name: row.due_at for row in rows}
    for schedule in known:
        if schedule.name not in due_at:
            await _enter(runtime, schedule, now)
    return [
        schedule
        for schedule in known
        if not now < due_at.get(schedule.name, now) <= now + schedule.every
    ]


async def run_if_due(runtime: Runtime, schedule: Schedule) -> bool:
    """Claim a schedule that is due and do its work; returns whether this call did it."""
    now = runtime.clock()
    due = or_(schedules.c.due_at <= now, schedules.c.due_at > now + schedule.every)
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        claimed = await transaction.execute(
            update(schedules)
            .where(schedules.c.name == schedule.name, due)
            .values(due_at=now + schedule.every)
        )
        if claimed.rowcount != 1:
            return False
        if schedule.run is not None:
            await schedule.run(runtime, transaction, now)
    if schedule.afterwards is not None:
        await schedule.afterwards(runtime, now)
    return True


async def _enter(runtime: Runtime, schedule: Schedule, now: datetime) -> None:
    try:
        async with runtime.database.transaction(None) as transaction:
            await transaction.insert(schedules, {"name": schedule.name, "due_at": now})
    except IntegrityError:
        return  # Another process was first.
