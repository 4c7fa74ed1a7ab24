"""The SLA clock on a real database: a shop's hours, pauses, escalation, and merged tickets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.errors import Conflict
from core.outbox import outbox
from core.runtime import Runtime
from services.tickets.assignment import count_tickets, find_tickets
from services.tickets.calendar import Calendar, Interval, calendar_as_json
from services.tickets.changes import add_comment, change_severity, change_status, list_events
from services.tickets.escalation import escalate_tickets
from services.tickets.related import merge_tickets, related_tickets, unmerge_ticket
from services.tickets.sla_settings import store_setting
from services.tickets.sla_watch import notice_late_tickets
from services.tickets.tickets import NewTicket, Ticket, create_ticket, find_ticket
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio
FRIDAY = datetime(2026, 1, 9, 17, tzinfo=UTC)  # 18:00 in Paris
OFFICE = (Interval(9 * 60, 12 * 60), Interval(14 * 60, 19 * 60))
HOURS = calendar_as_json(Calendar(weekly=(OFFICE,) * 5 + ((), ()), holidays="FR"))


@pytest.fixture
def clock() -> Clock:
    return Clock(FRIDAY)


async def set_policy(runtime: Runtime, shop: Shop, **policy: Any) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await store_setting(transaction, "sla", policy, runtime.clock())


async def file(runtime: Runtime, shop: Shop, severity: str = "urgent") -> Ticket:
    new = NewTicket("casse_transport", severity, "Pied cassé", order_number="CMD-2026-000101")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await create_ticket(
            transaction, new, principal=shop.customer, outbox=runtime.outbox, now=runtime.clock()
        )


async def move(runtime: Runtime, shop: Shop, number: str, status: str) -> Ticket:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await change_status(
            transaction,
            number,
            status,
            principal=shop.agent,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )


async def test_the_default_runs_through_the_weekend(runtime: Runtime, shop: Shop) -> None:
    ticket = await file(runtime, shop, "moyen")
    assert ticket.sla_response_deadline - ticket.created_at == timedelta(hours=24)


async def test_a_shop_s_hours_make_its_deadlines(runtime: Runtime, shop: Shop) -> None:
    await set_policy(runtime, shop, calendar=HOURS)
    ticket = await file(runtime, shop)
    # One hour on Friday, three on Monday morning.
    assert ticket.sla_response_deadline == datetime(2026, 1, 12, 11, tzinfo=UTC)


@pytest.mark.parametrize("status", ["waiting_customer", "waiting_supplier"])
async def test_the_clock_stands_still_while_others_are_waited_for(
    runtime: Runtime, shop: Shop, clock: Clock, status: str
) -> None:
    await set_policy(runtime, shop, calendar=HOURS)
    ticket = await file(runtime, shop)
    clock.now = datetime(2026, 1, 12, 8, 30, tzinfo=UTC)  # 9:30 on Monday: 2 h 30 are left
    paused = await move(runtime, shop, ticket.number, status)
    clock.advance(days=3)
    assert paused.sla_state(clock()) == "ok"
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        told = await notice_late_tickets(transaction, runtime.outbox, clock())
        assert set(told.values()) == {0}
        assert await escalate_tickets(transaction, runtime.outbox, clock()) == 0
    resumed = await move(runtime, shop, ticket.number, "in_progress")
    # 9:30 on Thursday and 2 h 30.
    assert resumed.sla_response_deadline == datetime(2026, 1, 15, 11, tzinfo=UTC)
    assert resumed.sla_paused_at is None


async def test_another_severity_keeps_the_time_that_a_pause_gave(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    ticket = await file(runtime, shop)
    await move(runtime, shop, ticket.number, "waiting_supplier")
    clock.advance(hours=10)
    await move(runtime, shop, ticket.number, "in_progress")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        changed = await change_severity(
            transaction,
            ticket.number,
            "élevé",
            principal=shop.agent,
            outbox=runtime.outbox,
            now=clock(),
        )
    assert changed.sla_response_deadline == FRIDAY + timedelta(hours=8 + 10)


async def test_each_step_of_the_escalation_is_taken_once(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    steps = [
        {"after_share": 0.5, "notify": "assignee"},
        {"after_share": 1, "notify": "managers", "raise_priority": True},
        {"after_share": 2, "notify": "managers"},
    ]
    await set_policy(runtime, shop, escalation=steps)
    ticket = await file(runtime, shop, "élevé")  # 8 hours
    other = await file(runtime, shop, "élevé")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await add_comment(
            transaction,
            other.number,
            "Nous regardons.",
            principal=shop.agent,
            outbox=runtime.outbox,
            now=clock(),
        )
    taken = []
    for _ in range(10):
        clock.advance(hours=2)
        async with runtime.database.transaction(None, every_organization=True) as transaction:
            taken.append(await escalate_tickets(transaction, runtime.outbox, clock()))
    assert taken == [0, 1, 0, 1, 0, 0, 0, 1, 0, 0]
    async with runtime.database.reading(shop.organization_id) as transaction:
        late = await find_ticket(transaction, ticket.number, principal=shop.agent)
        assert late.priority == "urgent"
        assert late.sla_response_deadline == ticket.sla_response_deadline
        events = await list_events(transaction, late)
        assert [event.details["after_share"] for event in events if event.kind == "escalated"] == [
            0.5,
            1,
            2,
        ]
        topics = [row.topic for row in await transaction.all(select(outbox.c.topic))]
    assert topics.count("ticket.escalated") == 3


async def test_two_tickets_become_one_and_two_again(runtime: Runtime, shop: Shop) -> None:
    first, second = await file(runtime, shop), await file(runtime, shop)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert [one.id for one in await related_tickets(transaction, first)] == [second.id]
        who: dict[str, Any] = {"principal": shop.agent, "now": runtime.clock()}
        merging: dict[str, Any] = {**who, "outbox": runtime.outbox}
        kept = await merge_tickets(transaction, second.number, first.number, **merging)
        assert kept.id == first.id
        assert kept.first_response_at is None, "an internal note is no answer to the customer"
        double = await find_ticket(transaction, second.number, principal=shop.agent)
        assert (double.status, double.merged_into_id) == ("closed", first.id)
        for one, other in ((second, first), (first, second), (first, first)):
            with pytest.raises(Conflict):
                await merge_tickets(transaction, one.number, other.number, **merging)
        opened = await unmerge_ticket(transaction, second.number, **merging)
        assert (opened.status, opened.merged_into_id) == ("open", None)


async def test_ticket_queues_and_search(runtime: Runtime, shop: Shop, clock: Clock) -> None:
    tickets = [await file(runtime, shop, severity) for severity in ("urgent", "faible", "moyen")]
    clock.advance(hours=3, minutes=30)
    async with runtime.database.reading(shop.organization_id) as transaction:
        counts = await count_tickets(transaction, shop.agent.user_id, clock())
        assert counts == {"mine": 0, "unassigned": 3, "waiting": 3, "breaching": 1}

        async def find(queue: Any, text: str | None = None) -> list[str]:
            seen: list[str] = []
            cursor: str | None = None
            while True:
                page, cursor = await find_tickets(
                    transaction, queue, text, None, None, 2, cursor, clock()
                )
                seen += [ticket.number for ticket in page]
                if cursor is None:
                    return seen

        urgent, low, medium = (ticket.number for ticket in tickets)
        assert await find("breaching") == [urgent]
        assert await find("unassigned") == [urgent, medium, low]
        assert await find("all") == [medium, low, urgent]
        assert await find("all", low) == [low]
        assert await find("all", "pied CUST123") == [medium, low, urgent]
        assert await find("all", "pied_zzz") == []
