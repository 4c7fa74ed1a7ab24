"""What happens to a ticket after it was filed: status, assignment and comments.

    open → in_progress → waiting_customer or waiting_supplier → resolved → closed

Steps may be skipped forwards; work resumes from waiting; a resolved or closed ticket is
reopened. Every change leaves a line of history and an outbox row in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import Row, select, update

from core.database import Transaction
from core.errors import Conflict, InvalidRequest
from core.outbox import Outbox
from core.security import Principal
from services.accounts.users import is_staff_member
from services.tickets.problems import PRIORITY_OF_SEVERITY, Severity
from services.tickets.sla import PAUSED_STATUSES, changed_deadline, resumed_deadline, sla_policy
from services.tickets.tables import ticket_comments, ticket_events, tickets
from services.tickets.tickets import Ticket, find_ticket, record_event

Status = Literal[
    "open", "in_progress", "waiting_customer", "waiting_supplier", "resolved", "closed"
]
STATUSES: tuple[Status, ...] = get_args(Status)

NEXT_STATUSES: dict[str, frozenset[str]] = {
    "open": frozenset({"in_progress", *PAUSED_STATUSES, "resolved", "closed"}),
    "in_progress": frozenset({*PAUSED_STATUSES, "resolved", "closed"}),
    "waiting_customer": frozenset({"in_progress", "waiting_supplier", "resolved", "closed"}),
    "waiting_supplier": frozenset({"in_progress", "waiting_customer", "resolved", "closed"}),
    "resolved": frozenset({"closed", "open"}),
    "closed": frozenset({"open"}),
}
WORKED_ON: frozenset[str] = frozenset(STATUSES) - {"resolved", "closed"}
# What a customer's comment does: an answer lets the work go on, a complaint reopens it.
STATUS_AFTER_CUSTOMER_COMMENT = {"waiting_customer": "in_progress", "resolved": "open"}
MAXIMUM_COMMENT_LENGTH = 5_000


@dataclass(frozen=True)
class Comment:
    """A message on a ticket; internal notes are for staff."""

    id: UUID
    actor: str
    from_staff: bool
    is_internal: bool
    body: str
    created_at: datetime


@dataclass(frozen=True)
class TicketEvent:
    """One line of a ticket's history."""

    actor: str
    kind: str
    details: dict[str, Any]
    created_at: datetime


async def change_status(
    transaction: Transaction,
    number: str,
    status: str,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
) -> Ticket:
    """Move a ticket to another status; raises Conflict for a step that the machine refuses."""
    principal.require("tickets:manage")
    if status not in STATUSES:
        raise InvalidRequest(f"status must be one of: {', '.join(STATUSES)}.", {"field": "status"})
    ticket = await find_ticket(transaction, number, principal=principal)
    await _move(transaction, ticket, status, principal.actor, outbox, now)
    return await find_ticket(transaction, number, principal=principal)


async def assign(
    transaction: Transaction,
    number: str,
    assignee_id: UUID | None,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
) -> Ticket:
    """Give a ticket to a member of staff, or to nobody; raises InvalidRequest for anyone else."""
    principal.require("tickets:manage")
    ticket = await find_ticket(transaction, number, principal=principal)
    if assignee_id is not None and not await is_staff_member(transaction, assignee_id):
        raise InvalidRequest("Tickets are given to members of staff.", {"field": "assignee_id"})
    await _change(transaction, ticket, {"assignee_id": assignee_id}, now)
    details = {"from": _text(ticket.assignee_id), "to": _text(assignee_id)}
    await record_event(transaction, ticket.id, principal.actor, "assigned", details, now)
    await _announce(transaction, outbox, ticket, "assigned")
    return await find_ticket(transaction, number, principal=principal)


async def change_severity(
    transaction: Transaction,
    number: str,
    severity: Severity,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
) -> Ticket:
    """Judge a problem anew: priority and deadline follow, counted from when it was filed."""
    principal.require("tickets:manage")
    ticket = await find_ticket(transaction, number, principal=principal)
    priority = PRIORITY_OF_SEVERITY[severity]
    values = {
        "problem_severity": severity,
        "priority": priority,
        "sla_response_deadline": changed_deadline(
            ticket.created_at,
            ticket.sla_response_deadline,
            ticket.priority,
            priority,
            await sla_policy(transaction),
        ),
    }
    await _change(transaction, ticket, values, now)
    details = {"from": ticket.problem_severity, "to": severity}
    await record_event(transaction, ticket.id, principal.actor, "severity_changed", details, now)
    await _announce(transaction, outbox, ticket, "severity_changed")
    return await find_ticket(transaction, number, principal=principal)


async def add_comment(
    transaction: Transaction,
    number: str,
    body: str,
    *,
    principal: Principal,
    outbox: Outbox,
    now: datetime,
    is_internal: bool = False,
    conversation_id: UUID | None = None,
) -> Comment:
    """Comment on a ticket that the caller may see, also for having filed it in `conversation_id`.

    The first public comment of staff stops the SLA clock. A customer's comment resumes a waiting
    ticket and reopens a resolved one; a closed one takes none of theirs (Conflict).
    """
    text = body.strip()
    if not 1 <= len(text) <= MAXIMUM_COMMENT_LENGTH:
        raise InvalidRequest(
            f"A comment has 1 to {MAXIMUM_COMMENT_LENGTH} characters.", {"field": "body"}
        )
    from_staff = principal.may("tickets:manage")
    if not from_staff:
        principal.require("tickets:write")
    if is_internal:
        principal.require("tickets:manage")
    ticket = await find_ticket(
        transaction, number, principal=principal, conversation_id=conversation_id
    )
    if ticket.status == "closed" and not from_staff:
        raise Conflict("This ticket is closed; open a new one.", {"status": ticket.status})
    values = {
        "actor": principal.actor,
        "from_staff": from_staff,
        "is_internal": is_internal,
        "body": text,
        "created_at": now,
    }
    id = await transaction.insert(ticket_comments, {**values, "ticket_id": ticket.id})
    details = {"comment_id": str(id), "internal": is_internal}
    await record_event(transaction, ticket.id, principal.actor, "commented", details, now)
    await _announce(transaction, outbox, ticket, "commented", comment_id=str(id))
    if from_staff and not is_internal and ticket.first_response_at is None:
        await _change(transaction, ticket, {"first_response_at": now}, now)
    status = None if from_staff else STATUS_AFTER_CUSTOMER_COMMENT.get(ticket.status)
    if status is not None:
        await _move(transaction, ticket, status, principal.actor, outbox, now)
    return Comment(id, principal.actor, from_staff, is_internal, text, now)


async def record_files(
    transaction: Transaction,
    ticket: Ticket,
    file_ids: Sequence[str],
    *,
    actor: str,
    outbox: Outbox,
    now: datetime,
) -> None:
    """Write that files were added to a ticket; what waited for its customer goes on."""
    if not file_ids:
        return
    details = {"file_ids": list(file_ids), "count": len(file_ids)}
    await record_event(transaction, ticket.id, actor, "files_added", details, now)
    await _change(transaction, ticket, {}, now)
    await _announce(transaction, outbox, ticket, "files_added")
    if ticket.status == "waiting_customer":
        await _move(transaction, ticket, "in_progress", actor, outbox, now)


async def list_comments(
    transaction: Transaction, ticket: Ticket, *, principal: Principal
) -> list[Comment]:
    """A ticket's comments, oldest first; internal notes only for those who see all tickets."""
    statement = select(ticket_comments).where(ticket_comments.c.ticket_id == ticket.id)
    if not (principal.may("tickets:manage") or principal.may("tickets:read:all")):
        statement = statement.where(ticket_comments.c.is_internal.is_(False))
    rows = await transaction.all(statement.order_by(ticket_comments.c.id))
    return [_comment(row) for row in rows]


async def list_events(transaction: Transaction, ticket: Ticket) -> list[TicketEvent]:
    """A ticket's history, oldest first."""
    rows = await transaction.all(
        select(ticket_events)
        .where(ticket_events.c.ticket_id == ticket.id)
        .order_by(ticket_events.c.id)
    )
    return [TicketEvent(row.actor, row.kind, row.details, row.created_at) for row in rows]


async def _move(
    transaction: Transaction,
    ticket: Ticket,
    status: str,
    actor: str,
    outbox: Outbox,
    now: datetime,
) -> None:
    if status not in NEXT_STATUSES[ticket.status]:
        raise Conflict(
            f"A ticket cannot go from {ticket.status} to {status}.",
            {"status": ticket.status, "allowed": sorted(NEXT_STATUSES[ticket.status])},
        )
    resolved_at = now if status == "resolved" else None if status == "open" else ticket.resolved_at
    clock = await _clock(transaction, ticket, status, now)
    values = {"status": status, "resolved_at": resolved_at, **clock}
    await _change(transaction, ticket, values, now)
    details = {"from": ticket.status, "to": status}
    await record_event(transaction, ticket.id, actor, "status_changed", details, now)
    await _announce(transaction, outbox, ticket, "status_changed", **details)


async def _clock(
    transaction: Transaction, ticket: Ticket, status: str, now: datetime
) -> dict[str, Any]:
    """Stop the SLA clock of a ticket that begins to wait for others, and let it go on after."""
    if status in PAUSED_STATUSES:
        return {"sla_paused_at": ticket.sla_paused_at or now}
    if ticket.sla_paused_at is None:
        return {}
    policy = await sla_policy(transaction)
    deadline = resumed_deadline(ticket.sla_response_deadline, ticket.sla_paused_at, now, policy)
    return {"sla_paused_at": None, "sla_response_deadline": deadline}


async def _change(
    transaction: Transaction, ticket: Ticket, values: dict[str, Any], now: datetime
) -> None:
    """Write values to a ticket, unless its status has changed since it was read."""
    changed = await transaction.execute(
        update(tickets)
        .where(tickets.c.id == ticket.id, tickets.c.status == ticket.status)
        .values(**values, updated_at=now)
    )
    if changed.rowcount != 1:
        raise Conflict("Someone else has just changed this ticket; read it again.")


async def _announce(
    transaction: Transaction, outbox: Outbox, ticket: Ticket, what: str, **more: str
) -> None:
    payload = {"ticket_id": str(ticket.id), "number": ticket.number, **more}
    await outbox.add(transaction, f"ticket.{what}", payload)


def _text(id: UUID | None) -> str | None:
    return str(id) if id is not None else None


def _comment(row: Row[Any]) -> Comment:
    return Comment(row.id, row.actor, row.from_staff, row.is_internal, row.body, row.created_at)
