"""Hostile line 69: the clock is moved by ten minutes, and the SLA timers hold."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.outbox import outbox
from core.runtime import Runtime
from core.schedules import due_schedules, run_if_due
from services.tickets.sla import RESPONSE_HOURS
from services.tickets.sla_watch import BREACHED, DUE_SOON, SLA_WATCH
from services.tickets.tables import ticket_events
from services.tickets.tickets import NewTicket, Ticket, create_ticket, find_ticket
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio
TEN = timedelta(minutes=10)


async def file_ticket(runtime: Runtime, shop: Shop) -> Ticket:
    new = NewTicket("défaut_fabrication", "moyen", "Le pied du canapé est cassé, il penche.")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await create_ticket(
            transaction, new, principal=shop.customer, outbox=runtime.outbox, now=runtime.clock()
        )


async def notices(runtime: Runtime, shop: Shop) -> list[str]:
    """The notices of the ticket's history, each with its outbox row, oldest first."""
    kinds = (DUE_SOON, BREACHED)
    async with runtime.database.reading(shop.organization_id) as transaction:
        events = await transaction.all(
            select(ticket_events.c.kind)
            .where(ticket_events.c.kind.in_(kinds))
            .order_by(ticket_events.c.id)
        )
        rows = await transaction.all(
            select(outbox.c.topic)
            .where(outbox.c.topic.in_([f"ticket.{kind}" for kind in kinds]))
            .order_by(outbox.c.id)
        )
    assert [row.topic for row in rows] == [f"ticket.{row.kind}" for row in events]
    return [row.kind for row in events]


async def look(runtime: Runtime) -> bool:
    """One look at the clock, as each process takes every few seconds."""
    due = await due_schedules(runtime, (SLA_WATCH,))
    return bool(due) and await run_if_due(runtime, SLA_WATCH)


async def test_69_a_moved_clock_moves_no_deadline_and_doubles_no_notice(
    runtime: Runtime,
    shop: Shop,
    clock: Clock,
) -> None:
    ticket = await file_ticket(runtime, shop)
    deadline = ticket.sla_response_deadline
    assert deadline - ticket.created_at == timedelta(hours=RESPONSE_HOURS[ticket.priority])
    await look(runtime)
    assert await notices(runtime, shop) == []

    clock.now = deadline - timedelta(minutes=5)
    await look(runtime)
    assert await notices(runtime, shop) == [DUE_SOON]

    clock.now += TEN
    await look(runtime)
    assert await notices(runtime, shop) == [DUE_SOON, BREACHED]

    clock.now -= TEN
    assert await look(runtime), "a clock that was put back must not stop the timers"
    clock.now += TEN
    await look(runtime)
    assert await notices(runtime, shop) == [DUE_SOON, BREACHED]
    async with runtime.database.reading(shop.organization_id) as transaction:
        found = await find_ticket(transaction, ticket.number, principal=shop.agent)
    assert found.sla_response_deadline == deadline


async def test_69_timers_run_on_at_their_pace_after_the_clock_was_put_back(
    runtime: Runtime,
    shop: Shop,
    clock: Clock,
) -> None:
    assert await look(runtime)
    assert not await look(runtime), "twice within a minute"
    clock.now -= TEN
    assert await look(runtime)
    assert not await look(runtime), "twice within a minute"
    moved: datetime = clock.now
    clock.now = moved + timedelta(seconds=59)
    assert not await look(runtime)
    clock.now = moved + timedelta(seconds=60)
    assert await look(runtime)
