"""Finding conversations: by queue, words and filters, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, or_, select

from core.database import Transaction
from services.conversations.desk import Queue, in_queue
from services.conversations.tables import conversations
from services.conversations.word_index import (
    MAXIMUM_MATCHES,
    conversations_with,
    customers_named,
)
from services.tickets.assignment import read_cursor, write_cursor

MAXIMUM_WORDS = 8
# Their conversations wait: whoever waits longest comes first.
_OLDEST_FIRST: frozenset[Queue] = frozenset({"mine", "unassigned", "waiting", "breaching"})


@dataclass(frozen=True)
class Filters:
    """Which conversations to list; None means any."""

    queue: Queue = "all"
    text: str | None = None
    owner: str | None = None
    channel: str | None = None
    language: str | None = None
    assignee_id: UUID | None = None
    customer_id: UUID | None = None
    ids: Sequence[UUID] | None = None


async def find_conversations(
    transaction: Transaction,
    filters: Filters,
    agent_id: UUID | None,
    limit: int,
    cursor: str | None,
    now: datetime,
    also: Sequence[UUID] = (),
) -> tuple[list[Row[Any]], str | None]:
    """A page of conversations and the cursor of the next, None behind the last.

    `also` are conversations that match the text by what hangs on them, such as a ticket's number.
    """
    row = conversations.c
    oldest_first = filters.queue in _OLDEST_FIRST
    conditions = [in_queue(filters.queue, agent_id, now)]
    for name in ("owner", "channel", "language", "assignee_id", "customer_id"):
        if (value := getattr(filters, name)) is not None:
            conditions.append(row[name] == value)
    if filters.ids is not None:
        conditions.append(row.id.in_(filters.ids))
    if filters.text and filters.text.strip():
        conditions.append(await _matching(transaction, filters.text, also))
    if cursor is not None:
        conditions.append(_behind(cursor, oldest_first))
    order = (row.owner_since, row.id) if oldest_first else (row.id.desc(),)
    found = list(
        await transaction.all(
            select(conversations).where(*conditions).order_by(*order).limit(limit + 1)
        )
    )
    more = len(found) > limit
    return found[:limit], _cursor(found[limit - 1], oldest_first) if more else None


async def _matching(
    transaction: Transaction, text: str, also: Sequence[UUID]
) -> ColumnElement[bool]:
    """Conversations in which a message or note holds every word, or whose customer is named."""
    words = " ".join(text.split()[:MAXIMUM_WORDS])
    said = await conversations_with(transaction, words, MAXIMUM_MATCHES)
    people = await customers_named(transaction, words)
    return or_(conversations.c.id.in_({*also, *said}), conversations.c.customer_id.in_(people))


def _cursor(row: Row[Any], oldest_first: bool) -> str:
    return write_cursor(row.owner_since if oldest_first else row.created_at, row.id)


def _behind(cursor: str, oldest_first: bool) -> ColumnElement[bool]:
    row = conversations.c
    since, id = read_cursor(cursor)
    if not oldest_first:
        return row.id < id
    return or_(row.owner_since > since, and_(row.owner_since == since, row.id > id))
