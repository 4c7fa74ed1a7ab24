"""Do consoles hear what happens to tickets, and the next level of those that nobody answers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from channels.consoles import desk_channel
from channels.ticket_news import tell_of_tickets
from core.providers.email import FolderEmail
from core.runtime import Runtime
from services.accounts.users import NewUser, add_membership, create_user
from services.tickets.changes import change_status
from services.tickets.escalation import escalate_tickets
from services.tickets.tickets import NewTicket, Ticket, create_ticket, find_ticket
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def heard(runtime: Runtime, shop: Shop) -> list[dict[str, Any]]:
    """What a console of the shop is told from now on."""
    events: list[dict[str, Any]] = []

    def receive(items: Sequence[bytes] | None) -> None:
        events.extend(orjson.loads(item) for item in items or ())

    await runtime.broadcast.listen(desk_channel(shop.organization_id), receive)
    tell_of_tickets(runtime)
    return events


async def file(runtime: Runtime, shop: Shop) -> Ticket:
    new = NewTicket("casse_transport", "urgent", "Pied cassé", order_number="CMD-2026-000101")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await create_ticket(
            transaction, new, principal=shop.customer, outbox=runtime.outbox, now=runtime.clock()
        )


async def hire(runtime: Runtime, shop: Shop, *people: tuple[str, str]) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        for name, role in people:
            new = NewUser(f"{name}@example.com", None, name.capitalize())
            user = await create_user(transaction, new, runtime.clock())
            await add_membership(transaction, user.id, role)


async def escalate(runtime: Runtime, clock: Clock) -> None:
    clock.advance(hours=5)
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        await escalate_tickets(transaction, runtime.outbox, clock())
    await runtime.outbox.drain()


def mails(runtime: Runtime) -> list[str]:
    assert isinstance(runtime.email, FolderEmail)
    return [one.read_text("utf-8") for one in sorted(runtime.email.folder.glob("*.eml"))]


async def test_a_new_and_a_changed_ticket_reach_the_consoles(
    runtime: Runtime, shop: Shop, heard: list[dict[str, Any]]
) -> None:
    ticket = await file(runtime, shop)
    await runtime.outbox.drain()
    assert heard == [{"type": "ticket", "ticket_id": ticket.number, "what": "created"}]
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await change_status(
            transaction,
            ticket.number,
            "in_progress",
            principal=shop.agent,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
    await runtime.outbox.drain()
    assert heard[-1] == {"type": "ticket", "ticket_id": ticket.number, "what": "status_changed"}


async def test_an_escalation_is_marked_and_written_to_the_managers(
    runtime: Runtime, shop: Shop, clock: Clock, heard: list[dict[str, Any]]
) -> None:
    await hire(runtime, shop, ("alice", "agent"), ("marie", "manager"), ("ada", "admin"))
    ticket = await file(runtime, shop)
    await escalate(runtime, clock)
    whats = [event["what"] for event in heard if event["ticket_id"] == ticket.number]
    assert whats == ["created", "escalated", "escalated"]
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert (await find_ticket(transaction, ticket.number, principal=shop.agent)).is_escalated
    written = mails(runtime)
    assert len(written) == 1, "the assignee of nobody's ticket is not written to"
    assert "marie@example.com" in written[0]
    assert ticket.number in written[0]
    assert "Pied" not in written[0], "what a customer wrote stays inside"
    await runtime.outbox.drain()
    assert len(mails(runtime)) == 1


async def test_without_managers_administrators_are_written_to(
    runtime: Runtime, shop: Shop, clock: Clock, heard: list[dict[str, Any]]
) -> None:
    await hire(runtime, shop, ("ada", "admin"))
    await file(runtime, shop)
    await escalate(runtime, clock)
    assert ["ada@example.com" in one for one in mails(runtime)] == [True]
