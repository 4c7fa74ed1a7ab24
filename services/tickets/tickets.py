"""After-sales tickets: filing them, reading them, and who sees which."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from core.database import Transaction
from core.errors import InvalidRequest, NotFound, PermissionDenied
from core.outbox import Outbox
from core.security import Principal
from services.accounts.customers import Customer, find_customer, find_customer_by_reference
from services.accounts.emails import normalise_email
from services.catalogue.products import find_product
from services.tickets.problems import (
    PRIORITY_OF_SEVERITY,
    Category,
    Priority,
    Severity,
    category_of,
    severity_of,
)
from services.tickets.sla import SlaState, response_deadline, sla_policy, sla_state, warning_time
from services.tickets.tables import counters, ticket_events, tickets

MAXIMUM_PAGE = 100
MAXIMUM_OFFSET = 1_000_000
MAXIMUM_DESCRIPTION_LENGTH = 5_000
MAXIMUM_ORDER_NUMBER_LENGTH = 40
_NUMBER = re.compile(r"(?:TKT)?\W*(\d{4})\W*(\d{1,9})", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class NewTicket:
    """A ticket as it is filed.

    `customer_reference` (such as `CUST123`) is the caller's own unless given; category and
    severity are accepted in every form that `services.tickets.problems` knows.
    """

    problem_category: str
    problem_severity: str
    description: str
    customer_reference: str | None = None
    product_sku: str | None = None
    order_number: str | None = None
    contact_email: str | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True)
class Ticket:
    """A ticket; `number` is what people call it by (`TKT-2025-001234`)."""

    id: UUID
    number: str
    customer_id: UUID | None
    customer_reference: str | None
    actor: str
    conversation_id: UUID | None
    product_sku: str | None
    order_number: str | None
    problem_category: Category
    problem_severity: Severity
    priority: Priority
    status: str
    description: str
    contact_email: str | None
    assignee_id: UUID | None
    sla_response_deadline: datetime
    first_response_at: datetime | None
    sla_paused_at: datetime | None
    escalation_step: int
    merged_into_id: UUID | None
    resolved_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def sla_state(self, now: datetime) -> SlaState:
        clock = self.clock(now)
        return sla_state(
            self.created_at,
            self.sla_response_deadline,
            self.first_response_at,
            clock,
            warning_time(self.priority),
        )

    @property
    def is_escalated(self) -> bool:
        """Whether others were told that its first answer is late; an answer ends it."""
        return self.escalation_step > 0 and self.first_response_at is None

    def clock(self, now: datetime) -> datetime:
        """The moment that the ticket's clock shows: it stands still while it is paused."""
        return self.sla_paused_at or now


@dataclass(frozen=True)
class TicketFilters:
    """Which tickets to list; None means any."""

    status: str | None = None
    priority: str | None = None
    problem_category: str | None = None
    customer_reference: str | None = None
    assignee_id: UUID | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True)
class TicketPage:
    """Some of the tickets that match, newest first, and how many match in all."""

    tickets: tuple[Ticket, ...]
    total: int


async def create_ticket(
    transaction: Transaction,
    new: NewTicket,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
) -> Ticket:
    """File a ticket: number, priority, deadline, history and outbox row in one transaction.

    Raises InvalidRequest (unknown category, severity or product, no way to answer) and
    PermissionDenied for a customer who is not the caller, unless the caller may
    `tickets:manage`.
    """
    category, severity = category_of(new.problem_category), severity_of(new.problem_severity)
    customer = await _customer_of(transaction, principal, new.customer_reference)
    priority = PRIORITY_OF_SEVERITY[severity]
    values = {
        "customer_id": customer.id if customer else None,
        "customer_reference": customer.reference if customer else None,
        "actor": principal.actor,
        "conversation_id": new.conversation_id,
        "product_sku": await _product_sku(transaction, new.product_sku),
        "order_number": _order_number(new.order_number),
        "problem_category": category,
        "problem_severity": severity,
        "priority": priority,
        "status": "open",
        "description": _description(new.description),
        "contact_email": _contact_email(new, customer, principal),
        "sla_response_deadline": response_deadline(priority, now, await sla_policy(transaction)),
        "created_at": now,
        "updated_at": now,
    }
    number = await _next_number(transaction, now.year)
    id = await transaction.insert(tickets, {**values, "number": number})
    await record_event(transaction, id, principal.actor, "created", {"number": number}, now)
    await outbox.add(transaction, "ticket.created", {"ticket_id": str(id), "number": number})
    return await _read(transaction, id)


async def find_ticket(
    transaction: Transaction,
    number: str,
    *,
    principal: Principal,
    conversation_id: UUID | None = None,
) -> Ticket:
    """A ticket that the caller may see; NotFound for a number that does not exist or is another's.

    `conversation_id` is the conversation that is going on: what was filed in it may be read in it,
    also by a visitor who has signed in since.
    """
    statement = select(tickets).where(tickets.c.number == ticket_number(number))
    visible = _visible_to(principal, conversation_id)
    if visible is not None:
        statement = statement.where(visible)
    row = await transaction.first(statement)
    if row is None:
        raise NotFound("There is no such ticket.", {"ticket_id": number[:40]})
    return ticket_of_row(row)


async def find_ticket_by_email(transaction: Transaction, number: str, email: str) -> Ticket | None:
    """The ticket of a number, only if it was filed with this address."""
    try:
        address = normalise_email(email)
    except InvalidRequest:
        return None
    row = await transaction.first(
        select(tickets).where(
            tickets.c.number == ticket_number(number), tickets.c.contact_email == address
        )
    )
    return ticket_of_row(row) if row is not None else None


async def list_tickets(
    transaction: Transaction,
    filters: TicketFilters,
    limit: int,
    offset: int,
    *,
    principal: Principal,
    conversation_id: UUID | None = None,
) -> TicketPage:
    """The tickets that the caller may see and that match; `limit` is 1 to 100."""
    if not (1 <= limit <= MAXIMUM_PAGE and 0 <= offset <= MAXIMUM_OFFSET):
        raise InvalidRequest(f"limit is 1 to {MAXIMUM_PAGE}, offset 0 to {MAXIMUM_OFFSET}.")
    conditions = [
        tickets.c[item.name] == getattr(filters, item.name)
        for item in fields(filters)
        if getattr(filters, item.name) is not None
    ]
    visible = _visible_to(principal, conversation_id)
    if visible is not None:
        conditions.append(visible)
    rows = await transaction.all(
        select(tickets)
        .where(*conditions)
        .order_by(tickets.c.created_at.desc(), tickets.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    total = await transaction.scalar(select(func.count()).select_from(tickets).where(*conditions))
    return TicketPage(tuple(ticket_of_row(row) for row in rows), int(total))


def ticket_number(text: str) -> str:
    """A number as it is stored, from any spelling: `tkt 2025 1234` → `TKT-2025-001234`."""
    found = _NUMBER.fullmatch(text[:40].strip())
    return f"TKT-{found[1]}-{int(found[2]):06d}" if found else ""


async def record_event(
    transaction: Transaction,
    ticket_id: UUID,
    actor: str,
    kind: str,
    details: dict[str, Any],
    now: datetime,
) -> None:
    """Add a line to a ticket's history; `details` hold ids and states, no text of a person."""
    await transaction.insert(
        ticket_events,
        {
            "ticket_id": ticket_id,
            "actor": actor,
            "kind": kind,
            "details": details,
            "created_at": now,
        },
    )


async def _next_number(transaction: Transaction, year: int) -> str:
    """The next number of the organization and year; two callers never get the same one."""
    name = f"tickets:{year}"
    value = await _increment(transaction, name)
    if value is None:
        try:
            async with transaction.connection.begin_nested():
                await transaction.insert(counters, {"name": name, "value": 0})
        except IntegrityError:
            # Another transaction has begun the year in the meantime.
            pass
        value = await _increment(transaction, name)
    if value is None:
        raise RuntimeError(f"the counter {name} vanished")
    return f"TKT-{year}-{value:06d}"


async def _increment(transaction: Transaction, name: str) -> int | None:
    result = await transaction.execute(
        update(counters)
        .where(counters.c.name == name)
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    )
    return cast("int | None", result.scalar())


async def _customer_of(
    transaction: Transaction, principal: Principal, reference: str | None
) -> Customer | None:
    own = await find_customer(transaction, principal.customer_id) if principal.customer_id else None
    if reference is None or (own is not None and own.reference == reference.strip()):
        return own
    if not principal.may("tickets:manage"):
        raise PermissionDenied("A ticket can be filed for yourself only.", {"field": "customer_id"})
    customer = await find_customer_by_reference(transaction, reference)
    if customer is None:
        raise InvalidRequest("There is no such customer.", {"field": "customer_id"})
    return customer


async def _product_sku(transaction: Transaction, sku: str | None) -> str | None:
    if sku is None or not sku.strip():
        return None
    product = await find_product(transaction, sku)
    if product is None:
        raise InvalidRequest("There is no such product.", {"field": "product_sku"})
    return product.sku_as_printed(sku)


def _order_number(number: str | None) -> str | None:
    """The number as told: whether the order exists is nothing that a stranger may learn here."""
    if number is None or not number.strip():
        return None
    if len(number) > MAXIMUM_ORDER_NUMBER_LENGTH:
        raise InvalidRequest("The order number is too long.", {"field": "order_number"})
    return number.strip().upper()


def _description(text: str) -> str:
    if not 1 <= len(text.strip()) <= MAXIMUM_DESCRIPTION_LENGTH:
        raise InvalidRequest(
            f"A description has 1 to {MAXIMUM_DESCRIPTION_LENGTH} characters.",
            {"field": "description"},
        )
    return text.strip()


def _contact_email(new: NewTicket, customer: Customer | None, principal: Principal) -> str | None:
    """Where the ticket is answered; without an address only in the conversation it came from."""
    if new.contact_email is not None:
        return normalise_email(new.contact_email)
    if customer is not None:
        return customer.email
    if principal.email is not None:
        return normalise_email(principal.email)
    if new.conversation_id is not None:
        return None
    raise InvalidRequest(
        "An e-mail address is needed to answer this ticket.",
        {"field": "contact_email", "missing": ["contact_email"]},
    )


def _visible_to(principal: Principal, conversation_id: UUID | None) -> ColumnElement[bool] | None:
    """What restricts the tickets of a caller; None where all of the organization's are seen."""
    if principal.may("tickets:read:all") or principal.may("tickets:manage"):
        return None
    conditions: list[ColumnElement[bool]] = [tickets.c.actor == principal.actor]
    if principal.customer_id is not None:
        conditions.append(tickets.c.customer_id == principal.customer_id)
    if conversation_id is not None:
        conditions.append(tickets.c.conversation_id == conversation_id)
    return or_(*conditions)


async def _read(transaction: Transaction, id: UUID) -> Ticket:
    row = await transaction.first(select(tickets).where(tickets.c.id == id))
    if row is None:
        raise NotFound("There is no such ticket.")
    return ticket_of_row(row)


def ticket_of_row(row: Row[Any]) -> Ticket:
    """A ticket as its row holds it."""
    return Ticket(**{item.name: getattr(row, item.name) for item in fields(Ticket)})
