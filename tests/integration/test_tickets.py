"""Tickets on a real database: numbers, deadlines, who sees which, and what may happen to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.database import Transaction
from core.errors import Conflict, InvalidRequest, NotFound, PermissionDenied
from core.outbox import outbox
from core.runtime import Runtime
from core.security import Principal, principal_for_role
from services.accounts.users import NewUser, add_membership, create_user
from services.tickets.changes import (
    NEXT_STATUSES,
    STATUSES,
    add_comment,
    assign,
    change_status,
    list_comments,
    list_events,
)
from services.tickets.tickets import (
    NewTicket,
    Ticket,
    TicketFilters,
    create_ticket,
    find_ticket,
    find_ticket_by_email,
    list_tickets,
    ticket_number,
)
from tests.integration.shop import Clock, Shop, open_chat

pytestmark = pytest.mark.anyio

# The body that seed 003 sends.
SEED = NewTicket(
    customer_reference="CUST123",
    product_sku="CANAPÉ-OSLO-3P",
    problem_category="défaut_fabrication",
    problem_severity="moyen",
    description="Déchirure sur l'accoudoir gauche",
)
ANONYMOUS = replace(SEED, customer_reference=None, contact_email="visitor@example.com")


async def file(runtime: Runtime, principal: Principal, new: NewTicket = SEED) -> Ticket:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return await create_ticket(
            transaction, new, principal=principal, outbox=runtime.outbox, now=runtime.clock()
        )


async def change(runtime: Runtime, principal: Principal, number: str, status: str) -> Ticket:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return await change_status(
            transaction,
            number,
            status,
            principal=principal,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )


async def comment(runtime: Runtime, principal: Principal, number: str, **more: Any) -> None:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        await add_comment(
            transaction,
            number,
            "Des nouvelles ?",
            principal=principal,
            outbox=runtime.outbox,
            now=runtime.clock(),
            **more,
        )


async def read(runtime: Runtime, principal: Principal, number: str) -> Ticket:
    async with runtime.database.reading(principal.organization_id) as transaction:
        return await find_ticket(transaction, number, principal=principal)


async def topics(runtime: Runtime, shop: Shop) -> list[str]:
    async with runtime.database.reading(shop.organization_id) as transaction:
        rows = await transaction.all(select(outbox.c.topic).order_by(outbox.c.id))
    return [row.topic for row in rows]


async def test_that_the_seed_example_gives_its_ticket(runtime: Runtime, shop: Shop) -> None:
    ticket = await file(runtime, shop.customer)
    now = runtime.clock()
    assert ticket.number == f"TKT-{now.year}-000001"
    assert (ticket.status, ticket.priority) == ("open", "medium")
    assert ticket.created_at == now
    assert ticket.sla_response_deadline == now + timedelta(hours=24)
    assert (ticket.customer_reference, ticket.contact_email) == ("CUST123", "customer@example.com")
    assert await topics(runtime, shop) == ["ticket.created"]
    assert await read(runtime, shop.customer, ticket.number) == ticket


async def test_that_fifty_tickets_at_once_get_fifty_numbers(runtime: Runtime, shop: Shop) -> None:
    filed = await asyncio.gather(*(file(runtime, shop.customer) for _ in range(50)))
    year = runtime.clock().year
    assert sorted(ticket.number for ticket in filed) == [
        f"TKT-{year}-{number:06d}" for number in range(1, 51)
    ]


async def test_that_each_organization_and_year_counts_for_itself(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    await file(runtime, shop.customer)
    assert (await file(runtime, shop.stranger, ANONYMOUS)).number.endswith("-000001")
    clock.advance(days=366)
    assert (await file(runtime, shop.customer)).number == f"TKT-{clock.now.year}-000001"


async def test_that_a_failed_ticket_leaves_nothing(runtime: Runtime, shop: Shop) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await create_ticket(
            transaction,
            SEED,
            principal=shop.customer,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
        await transaction.rollback()
    assert await topics(runtime, shop) == []
    assert (await file(runtime, shop.customer)).number.endswith("-000001")


@pytest.mark.parametrize(
    "changes",
    [
        {"problem_category": "météo"},
        {"problem_severity": "terrible"},
        {"product_sku": "CANAPÉ-INCONNU"},
        {"description": "   "},
        {"description": "x" * 5_001},
        {"contact_email": "not an address"},
        {"order_number": "9" * 41},
    ],
)
async def test_that_bad_input_is_refused(
    runtime: Runtime, shop: Shop, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest):
        await file(runtime, shop.customer, replace(SEED, **changes))


async def test_that_a_sku_is_found_however_it_is_typed(runtime: Runtime, shop: Shop) -> None:
    typed = replace(SEED, product_sku="canape oslo 3p bleu")
    assert (await file(runtime, shop.customer, typed)).product_sku == "CANAPÉ-OSLO-3P-BLEU"


async def test_that_a_customer_files_for_themselves_only(runtime: Runtime, shop: Shop) -> None:
    with pytest.raises(PermissionDenied):
        await file(runtime, shop.other_customer)
    with pytest.raises(PermissionDenied):
        await file(runtime, shop.visitor)
    assert (await file(runtime, shop.agent)).customer_id == shop.customer.customer_id
    with pytest.raises(InvalidRequest):
        await file(runtime, shop.agent, replace(SEED, customer_reference="CUST999"))


async def test_that_a_visitor_must_say_where_to_answer(runtime: Runtime, shop: Shop) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await file(runtime, shop.visitor, replace(SEED, customer_reference=None))
    assert refused.value.details["missing"] == ["contact_email"]
    ticket = await file(runtime, shop.visitor, ANONYMOUS)
    assert ticket.contact_email == "visitor@example.com"


async def test_that_a_conversation_is_an_address(runtime: Runtime, shop: Shop) -> None:
    conversation_id = await open_chat(runtime, shop.visitor)
    said = replace(
        SEED, customer_reference=None, contact_email=None, conversation_id=conversation_id
    )
    ticket = await file(runtime, shop.visitor, said)
    assert (ticket.contact_email, ticket.conversation_id) == (None, conversation_id)


async def test_that_another_persons_ticket_does_not_exist(runtime: Runtime, shop: Shop) -> None:
    number = (await file(runtime, shop.customer)).number
    another_visitor = replace(shop.visitor, actor="visitor:2")
    for principal in (shop.other_customer, shop.visitor, another_visitor, shop.stranger):
        with pytest.raises(NotFound):
            await read(runtime, principal, number)
        with pytest.raises(NotFound):
            await comment(runtime, principal, number)
    assert (await read(runtime, shop.agent, number)).number == number
    viewer = principal_for_role(shop.organization_id, "user:9", "viewer")
    assert (await read(runtime, viewer, number)).number == number


async def test_that_lists_hold_what_the_caller_may_see(runtime: Runtime, shop: Shop) -> None:
    await file(runtime, shop.customer)
    await file(runtime, shop.customer, replace(SEED, problem_severity="urgent"))
    await file(runtime, shop.visitor, ANONYMOUS)
    await file(runtime, shop.stranger, ANONYMOUS)

    async def total(principal: Principal, **filters: Any) -> int:
        async with runtime.database.reading(principal.organization_id) as transaction:
            page = await list_tickets(
                transaction, TicketFilters(**filters), 1, 0, principal=principal
            )
        assert len(page.tickets) == min(page.total, 1)
        return page.total

    assert await total(shop.customer) == 2
    assert await total(shop.other_customer) == 0
    assert await total(shop.visitor) == 1
    assert await total(shop.agent) == 3
    assert await total(shop.agent, priority="urgent") == 1
    assert await total(shop.agent, customer_reference="CUST123", status="open") == 2


async def test_that_pages_are_newest_first_and_bounded(runtime: Runtime, shop: Shop) -> None:
    numbers = [(await file(runtime, shop.customer)).number for _ in range(3)]
    async with runtime.database.reading(shop.organization_id) as transaction:
        page = await list_tickets(transaction, TicketFilters(), 2, 1, principal=shop.customer)
        assert [ticket.number for ticket in page.tickets] == [numbers[1], numbers[0]]
        for limit, offset in [(0, 0), (101, 0), (10, -1), (10, 2**63)]:
            with pytest.raises(InvalidRequest):
                await list_tickets(
                    transaction, TicketFilters(), limit, offset, principal=shop.customer
                )


async def test_that_a_ticket_goes_its_way_and_is_reopened(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    number = (await file(runtime, shop.customer)).number
    for status in ("in_progress", "waiting_customer", "in_progress", "resolved", "closed"):
        clock.advance(minutes=1)
        assert (await change(runtime, shop.agent, number, status)).status == status
    reopened = await change(runtime, shop.agent, number, "open")
    assert (reopened.status, reopened.resolved_at) == ("open", None)
    async with runtime.database.reading(shop.organization_id) as transaction:
        history = await list_events(transaction, reopened)
    assert [event.details.get("to") for event in history if event.kind == "status_changed"] == [
        "in_progress",
        "waiting_customer",
        "in_progress",
        "resolved",
        "closed",
        "open",
    ]
    assert (await topics(runtime, shop)).count("ticket.status_changed") == 6


PATHS: dict[str, tuple[str, ...]] = {
    "open": (),
    "in_progress": ("in_progress",),
    "waiting_customer": ("waiting_customer",),
    "waiting_supplier": ("waiting_supplier",),
    "resolved": ("resolved",),
    "closed": ("closed",),
}


@pytest.mark.parametrize("start", STATUSES)
async def test_that_every_other_step_is_refused(runtime: Runtime, shop: Shop, start: str) -> None:
    number = (await file(runtime, shop.customer)).number
    for status in PATHS[start]:
        await change(runtime, shop.agent, number, status)
    for status in set(STATUSES) - NEXT_STATUSES[start]:
        with pytest.raises(Conflict):
            await change(runtime, shop.agent, number, status)
    with pytest.raises(InvalidRequest):
        await change(runtime, shop.agent, number, "lost")
    assert (await read(runtime, shop.agent, number)).status == start


async def test_that_customers_change_no_status(runtime: Runtime, shop: Shop) -> None:
    number = (await file(runtime, shop.customer)).number
    with pytest.raises(PermissionDenied):
        await change(runtime, shop.customer, number, "closed")


async def test_that_the_first_public_answer_of_staff_stops_the_clock(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    number = (await file(runtime, shop.customer)).number
    clock.advance(hours=23)
    await comment(runtime, shop.customer, number)
    await comment(runtime, shop.agent, number, is_internal=True)
    waiting = await read(runtime, shop.customer, number)
    assert waiting.first_response_at is None
    assert waiting.sla_state(clock.now) == "due_soon"
    await comment(runtime, shop.agent, number)
    answered_at = clock.now
    clock.advance(hours=3)
    await comment(runtime, shop.agent, number)
    answered = await read(runtime, shop.customer, number)
    assert answered.first_response_at == answered_at
    assert answered.sla_state(clock.now) == "ok"


async def test_that_internal_notes_stay_inside(runtime: Runtime, shop: Shop) -> None:
    ticket = await file(runtime, shop.customer)
    with pytest.raises(PermissionDenied):
        await comment(runtime, shop.customer, ticket.number, is_internal=True)
    await comment(runtime, shop.agent, ticket.number, is_internal=True)
    await comment(runtime, shop.agent, ticket.number)
    async with runtime.database.reading(shop.organization_id) as transaction:
        seen = await list_comments(transaction, ticket, principal=shop.customer)
        all_of_them = await list_comments(transaction, ticket, principal=shop.agent)
    assert [item.is_internal for item in seen] == [False]
    assert [item.is_internal for item in all_of_them] == [True, False]


async def test_that_a_customers_comment_moves_the_work(runtime: Runtime, shop: Shop) -> None:
    number = (await file(runtime, shop.customer)).number
    await change(runtime, shop.agent, number, "waiting_customer")
    await comment(runtime, shop.customer, number)
    assert (await read(runtime, shop.agent, number)).status == "in_progress"
    await change(runtime, shop.agent, number, "resolved")
    await comment(runtime, shop.customer, number)
    assert (await read(runtime, shop.agent, number)).status == "open"
    await change(runtime, shop.agent, number, "closed")
    with pytest.raises(Conflict):
        await comment(runtime, shop.customer, number)


async def test_that_only_staff_is_given_tickets(runtime: Runtime, shop: Shop) -> None:
    ticket = await file(runtime, shop.customer)

    async def member(transaction: Transaction, email: str, role: str) -> Any:
        user = await create_user(transaction, NewUser(email, "-", "-"), runtime.clock())
        await add_membership(transaction, user.id, role)
        return user.id

    async with runtime.database.transaction(shop.organization_id) as transaction:
        agent_id = await member(transaction, "a@example.com", "agent")
        customer_id = await member(transaction, "c@example.com", "customer")
    async with runtime.database.transaction(shop.other_organization_id) as transaction:
        elsewhere_id = await member(transaction, "e@example.com", "agent")
    named = {"principal": shop.agent, "outbox": runtime.outbox, "now": runtime.clock()}
    async with runtime.database.transaction(shop.organization_id) as transaction:
        given = await assign(transaction, ticket.number, agent_id, **named)
        assert given.assignee_id == agent_id
        for id in (customer_id, elsewhere_id):
            with pytest.raises(InvalidRequest):
                await assign(transaction, ticket.number, id, **named)
        assert (await assign(transaction, ticket.number, None, **named)).assignee_id is None


async def test_that_two_changes_at_once_do_not_both_win(runtime: Runtime, shop: Shop) -> None:
    number = (await file(runtime, shop.customer)).number
    outcomes = await asyncio.gather(
        *(change(runtime, shop.agent, number, "in_progress") for _ in range(5)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Ticket) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 4


async def test_that_an_address_opens_its_own_ticket_only(runtime: Runtime, shop: Shop) -> None:
    number = (await file(runtime, shop.visitor, ANONYMOUS)).number
    async with runtime.database.reading(shop.organization_id) as transaction:
        found = await find_ticket_by_email(transaction, number.lower(), "VISITOR@example.com")
        assert found is not None
        assert await find_ticket_by_email(transaction, number, "customer@example.com") is None
        assert await find_ticket_by_email(transaction, number, "") is None


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("TKT-2025-001234", "TKT-2025-001234"),
        ("tkt 2025 1234", "TKT-2025-001234"),
        (" tkt2025-001234 ", "TKT-2025-001234"),
        ("2025-1234", "TKT-2025-001234"),
        ("TKT-2025", ""),
        ("' OR 1=1 --", ""),
        ("9" * 1_000, ""),
    ],
)
def test_that_a_number_is_read_in_any_spelling(typed: str, number: str) -> None:
    assert ticket_number(typed) == number
