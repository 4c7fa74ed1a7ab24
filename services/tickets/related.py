"""Which tickets say the same, and making one of two that do."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from core.database import Transaction
from core.errors import Conflict
from core.outbox import Outbox
from core.security import Principal
from services.tickets.changes import WORKED_ON, add_comment
from services.tickets.tables import tickets
from services.tickets.tickets import (
    Ticket,
    TicketFilters,
    find_ticket,
    list_tickets,
    record_event,
    ticket_of_row,
)

MAXIMUM_RELATED = 20


async def related_tickets(transaction: Transaction, ticket: Ticket) -> list[Ticket]:
    """Tickets of the same customer, order, address or conversation, newest first."""
    row = tickets.c
    alike: list[ColumnElement[bool]] = [row.merged_into_id == ticket.id]
    for name in ("customer_id", "order_number", "contact_email", "conversation_id"):
        value = getattr(ticket, name)
        if value is not None:
            alike.append(row[name] == value)
    rows = await transaction.all(
        select(tickets)
        .where(or_(*alike), row.id != ticket.id)
        .order_by(row.created_at.desc(), row.id.desc())
        .limit(MAXIMUM_RELATED)
    )
    return [ticket_of_row(one) for one in rows]


async def open_ticket(
    transaction: Transaction,
    number: str | None,
    *,
    principal: Principal,
    conversation_id: UUID | None,
) -> Ticket | None:
    """A caller's ticket that is being worked on; without a number the conversation's latest.

    A ticket that was merged leads to the one that is left. Raises NotFound for a number that the
    caller may not see.
    """
    if number is not None:
        seen = [
            await find_ticket(
                transaction, number, principal=principal, conversation_id=conversation_id
            )
        ]
    elif conversation_id is None:
        return None
    else:
        filters = TicketFilters(conversation_id=conversation_id)
        page = await list_tickets(
            transaction,
            filters,
            MAXIMUM_RELATED,
            0,
            principal=principal,
            conversation_id=conversation_id,
        )
        seen = list(page.tickets)
    for ticket in seen:
        left = await _left_of(transaction, ticket)
        if left.status in WORKED_ON:
            return left
    return None


async def _left_of(transaction: Transaction, ticket: Ticket) -> Ticket:
    """The ticket that a merged one became part of."""
    if ticket.merged_into_id is None:
        return ticket
    row = await transaction.first(select(tickets).where(tickets.c.id == ticket.merged_into_id))
    return ticket_of_row(row) if row is not None else ticket


async def merge_tickets(
    transaction: Transaction,
    number: str,
    into: str,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
) -> Ticket:
    """Close a ticket as a double of another, which gets a note with its text.

    Raises NotFound, and Conflict for itself, for one that is merged already, or into such a one.
    """
    principal.require("tickets:manage")
    double = await find_ticket(transaction, number, principal=principal)
    kept = await find_ticket(transaction, into, principal=principal)
    if double.id == kept.id:
        raise Conflict("A ticket cannot be merged into itself.")
    if double.merged_into_id is not None or kept.merged_into_id is not None:
        raise Conflict("One of these tickets has been merged already; use the one that is left.")
    changed = await transaction.execute(
        update(tickets)
        .where(tickets.c.id == double.id, tickets.c.merged_into_id.is_(None))
        .values(merged_into_id=kept.id, status="closed", updated_at=now)
    )
    if changed.rowcount != 1:
        raise Conflict("Someone else has just changed this ticket; read it again.")
    actor = principal.actor
    await record_event(transaction, double.id, actor, "merged", {"into": kept.number}, now)
    await record_event(transaction, kept.id, actor, "merged", {"from": double.number}, now)
    body = f"{double.number} : {double.description}"[:5_000]
    await add_comment(
        transaction,
        kept.number,
        body,
        principal=principal,
        outbox=outbox,
        now=now,
        is_internal=True,
    )
    payload = {"ticket_id": str(double.id), "number": double.number, "into": kept.number}
    await outbox.add(transaction, "ticket.merged", payload)
    return await find_ticket(transaction, into, principal=principal)


async def unmerge_ticket(
    transaction: Transaction,
    number: str,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
) -> Ticket:
    """Undo a merge: the ticket is open again; the note on the other stays."""
    principal.require("tickets:manage")
    double = await find_ticket(transaction, number, principal=principal)
    if double.merged_into_id is None:
        raise Conflict("This ticket has not been merged.")
    await transaction.execute(
        update(tickets)
        .where(tickets.c.id == double.id)
        .values(merged_into_id=None, status="open", updated_at=now)
    )
    await record_event(transaction, double.id, principal.actor, "unmerged", {}, now)
    payload = {"ticket_id": str(double.id), "number": double.number}
    await outbox.add(transaction, "ticket.unmerged", payload)
    return await find_ticket(transaction, number, principal=principal)
