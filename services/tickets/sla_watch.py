"""Which tickets wait too long: told once when the time runs short, and once when it is over.

Each notice is a line of the ticket's history and an outbox row, in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, select

from core.database import Transaction
from core.outbox import Outbox
from core.runtime import Runtime
from core.schedules import Schedule
from services.tickets.sla import DUE_SOON_SHARE, RESPONSE_HOURS, SlaState, sla_state, warning_time
from services.tickets.tables import ticket_events, tickets

DUE_SOON = "sla_due_soon"
BREACHED = "sla_breached"
NOTICES: dict[SlaState, str] = {"due_soon": DUE_SOON, "breached": BREACHED}
LONGEST_WARNING = timedelta(hours=max(RESPONSE_HOURS.values()) * DUE_SOON_SHARE)
AT_ONCE = 500


async def notice_late_tickets(
    transaction: Transaction, outbox: Outbox, now: datetime
) -> dict[str, int]:
    """Tell of tickets of every organization that are due soon or late, each once a deadline.

    Returns how many notices of each kind were written.
    """
    written = {DUE_SOON: 0, BREACHED: 0}
    for ticket in await _late(transaction, now):
        warning = warning_time(ticket.priority)
        state = sla_state(ticket.created_at, ticket.sla_response_deadline, None, now, warning)
        kind = NOTICES.get(state)
        if kind is not None and not await _told(transaction, ticket, kind):
            await _tell(transaction, outbox, ticket, kind, now)
            written[kind] += 1
    return written


async def _late(transaction: Transaction, now: datetime) -> list[Row[Any]]:
    """Unanswered tickets whose deadline is near or over and whose breach has not been told."""
    rows = await transaction.all(
        select(tickets)
        .where(tickets.c.first_response_at.is_(None), tickets.c.sla_paused_at.is_(None))
        .where(tickets.c.status.not_in(("resolved", "closed")))
        .where(tickets.c.sla_response_deadline < now + LONGEST_WARNING)
        .where(~_breach_told())
        .order_by(tickets.c.sla_response_deadline)
        .limit(AT_ONCE)
    )
    return list(rows)


def _breach_told() -> ColumnElement[bool]:
    """A breach is told after the deadline that it is about: a later deadline is told anew."""
    return exists().where(
        ticket_events.c.ticket_id == tickets.c.id,
        ticket_events.c.kind == BREACHED,
        ticket_events.c.created_at >= tickets.c.sla_response_deadline,
    )


async def _told(transaction: Transaction, ticket: Row[Any], kind: str) -> bool:
    events = await transaction.all(
        select(ticket_events.c.details).where(
            ticket_events.c.ticket_id == ticket.id, ticket_events.c.kind == kind
        )
    )
    return any(event.details.get("deadline") == _deadline(ticket) for event in events)


async def _tell(
    transaction: Transaction, outbox: Outbox, ticket: Row[Any], kind: str, now: datetime
) -> None:
    await transaction.insert(
        ticket_events,
        {
            "organization_id": ticket.organization_id,
            "ticket_id": ticket.id,
            "actor": "system",
            "kind": kind,
            "details": {"deadline": _deadline(ticket)},
            "created_at": now,
        },
    )
    payload = {
        "ticket_id": str(ticket.id),
        "number": ticket.number,
        "deadline": _deadline(ticket),
    }
    topic = f"ticket.{kind}"
    await outbox.add(transaction, topic, payload, organization_id=ticket.organization_id)


def _deadline(ticket: Row[Any]) -> str:
    return str(ticket.sla_response_deadline.isoformat())


async def _run(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    await notice_late_tickets(transaction, runtime.outbox, now)


SLA_WATCH = Schedule("sla_watch", timedelta(minutes=1), _run)
