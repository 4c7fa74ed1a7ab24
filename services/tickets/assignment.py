"""Which tickets wait for whom: the queues of the agents' console."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from core.database import Transaction
from core.errors import InvalidRequest
from services.conversations.word_index import (
    MAXIMUM_MATCHES,
    TICKETS,
    customers_named,
    holds,
)
from services.tickets.sla import RESPONSE_HOURS, warning_time
from services.tickets.tables import tickets
from services.tickets.tickets import Ticket, ticket_number, ticket_of_row

TicketQueue = Literal["mine", "unassigned", "waiting", "breaching", "all"]
OPEN_STATUSES = ("open", "in_progress", "waiting_customer", "waiting_supplier")
MAXIMUM_WORDS = 8


def in_ticket_queue(
    queue: TicketQueue, agent_id: UUID | None, now: datetime
) -> list[ColumnElement[bool]]:
    """Which tickets a queue holds for an agent."""
    row = tickets.c
    still_open = row.status.in_(OPEN_STATUSES)
    unanswered = row.first_response_at.is_(None)
    due_soon = or_(
        *(
            and_(
                row.priority == priority,
                row.sla_response_deadline < now + warning_time(priority),
            )
            for priority in RESPONSE_HOURS
        )
    )
    conditions: dict[TicketQueue, list[ColumnElement[bool]]] = {
        # An application has none.
        "mine": [still_open, row.assignee_id == agent_id] if agent_id else [false()],
        "unassigned": [still_open, row.assignee_id.is_(None)],
        "waiting": [row.status == "open", unanswered],
        "breaching": [still_open, unanswered, row.sla_paused_at.is_(None), due_soon],
        "all": [],
    }
    return [*conditions[queue], row.merged_into_id.is_(None)]


async def count_tickets(
    transaction: Transaction, agent_id: UUID | None, now: datetime
) -> dict[str, int]:
    """How many tickets each queue holds."""
    counted: dict[str, int] = {}
    queues: tuple[TicketQueue, ...] = ("mine", "unassigned", "waiting", "breaching")
    for queue in queues:
        count = select(func.count()).select_from(tickets)
        counted[queue] = int(
            await transaction.scalar(count.where(*in_ticket_queue(queue, agent_id, now)))
        )
    return counted


async def conversations_of_tickets(transaction: Transaction, text: str) -> list[UUID]:
    """The conversations in which a ticket was filed that a text finds, the newest first."""
    rows = await transaction.all(
        select(tickets.c.conversation_id)
        .where(await _says(transaction, text), tickets.c.conversation_id.is_not(None))
        .order_by(tickets.c.id.desc())
        .limit(MAXIMUM_MATCHES)
    )
    return [row.conversation_id for row in rows]


async def find_tickets(
    transaction: Transaction,
    queue: TicketQueue,
    text: str | None,
    status: str | None,
    agent_id: UUID | None,
    limit: int,
    cursor: str | None,
    now: datetime,
    numbers: Sequence[str] | None = None,
) -> tuple[list[Ticket], str | None]:
    """A page of tickets and the cursor of the next, None behind the last.

    A cursor is the place (moment and id) of the last ticket of the page before.
    """
    row = tickets.c
    nearest_first = queue != "all"
    place = row.sla_response_deadline if nearest_first else row.created_at
    conditions = in_ticket_queue(queue, agent_id, now)
    if status is not None:
        conditions.append(row.status == status)
    if numbers is not None:
        conditions.append(row.number.in_(numbers))
    if text and text.strip():
        conditions.append(await _says(transaction, text))
    if cursor is not None:
        moment, id = read_cursor(cursor)
        behind = place > moment if nearest_first else place < moment
        tied = row.id > id if nearest_first else row.id < id
        conditions.append(or_(behind, and_(place == moment, tied)))
    order = (place, row.id) if nearest_first else (place.desc(), row.id.desc())
    found = await transaction.all(
        select(tickets).where(*conditions).order_by(*order).limit(limit + 1)
    )
    page = [ticket_of_row(one) for one in found[:limit]]
    if len(found) <= limit:
        return page, None
    last = found[limit - 1]
    return page, write_cursor(
        last.sla_response_deadline if nearest_first else last.created_at, last.id
    )


async def _says(transaction: Transaction, text: str) -> ColumnElement[bool]:
    """Tickets that hold every word, have this number, or are of a customer so named."""
    words = " ".join(text.split()[:MAXIMUM_WORDS])
    people = await customers_named(transaction, words)
    return or_(
        holds(transaction.connection.dialect.name, TICKETS, words),
        tickets.c.number == ticket_number(text),
        tickets.c.customer_id.in_(people),
    )


def write_cursor(moment: datetime, id: UUID) -> str:
    """The place of a row in a list, as clients hand it back."""
    place = f"{moment.astimezone(UTC).isoformat()}|{id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The place that a cursor names; raises InvalidRequest."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        moment, _, id = raw.decode().partition("|")
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(id)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("cursor: use the one that the page before gave.") from error
