"""What agents see of conversations: their queues, the rows of a thread, and what they add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, false, func, or_, select, text, update

from core.database import Transaction
from core.errors import NotFound
from services.accounts.tables import customers, users
from services.conversations.stream import StoredMessage
from services.conversations.tables import (
    WITH_PEOPLE,
    conversations,
    handoff_events,
    messages,
    turns,
)

Queue = Literal["mine", "unassigned", "waiting", "breaching", "all", "closed"]
QUEUES: tuple[Queue, ...] = get_args(Queue)
# A promise that ends within so long is about to be broken.
BREACHING_WITHIN = timedelta(minutes=5)
LONGEST_THREAD = 1_000
PREVIEW_CHARACTERS = 160


@dataclass(frozen=True)
class Person:
    """A customer as a list shows them."""

    id: UUID
    reference: str
    name: str
    email: str


@dataclass(frozen=True)
class Summary:
    """A conversation in a list; `preview` is the beginning of its last message."""

    id: UUID
    session_id: str
    channel: str
    language: str
    owner: str
    owner_since: datetime
    assignee_id: UUID | None
    assignee_name: str | None
    unanswered_since: datetime | None
    due_at: datetime | None
    reason: str | None
    customer: Person | None
    preview: str
    preview_role: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class NewMessage:
    """What is added to a conversation beside the turns of the assistant."""

    role: Literal["agent", "system"]
    content: str
    language: str | None
    client_message_id: str | None = None
    sources: Sequence[Mapping[str, Any]] = ()
    attachments: Mapping[str, Any] = field(default_factory=dict)


def in_queue(queue: Queue, agent_id: UUID | None, now: datetime) -> ColumnElement[bool]:
    """Which conversations a queue holds for an agent."""
    row = conversations.c
    with_people = text(f"conversations.{WITH_PEOPLE}")
    conditions: dict[Queue, ColumnElement[bool]] = {
        # An application has none.
        "mine": and_(with_people, row.owner == "human", row.assignee_id == agent_id)
        if agent_id
        else false(),
        "unassigned": and_(with_people, row.owner == "waiting"),
        "waiting": and_(
            with_people, or_(row.owner == "waiting", row.unanswered_since.is_not(None))
        ),
        "breaching": and_(with_people, row.handoff_due_at < now + BREACHING_WITHIN),
        "all": row.id.is_not(None),
        "closed": row.owner == "closed",
    }
    return conditions[queue]


async def count_queues(
    transaction: Transaction, agent_id: UUID | None, now: datetime
) -> dict[Queue, int]:
    """How many conversations each queue of people holds; `all` and `closed` are not counted."""
    queues: tuple[Queue, ...] = ("mine", "unassigned", "waiting", "breaching")
    counted = [
        func.sum(case((in_queue(queue, agent_id, now), 1), else_=0)).label(queue)
        for queue in queues
    ]
    row = await transaction.first(select(*counted).where(text(f"conversations.{WITH_PEOPLE}")))
    return {queue: int(getattr(row, queue) or 0) for queue in queues}


async def summaries(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[Summary]:
    """What a list shows of conversations, in the order of their rows."""
    if not rows:
        return []
    people = await people_of(transaction, {row.customer_id for row in rows})
    names = await names_of(transaction, {row.assignee_id for row in rows})
    last = await _last_messages(transaction, [row.id for row in rows])
    return [_summary(row, people, names, last.get(row.id)) for row in rows]


def _summary(
    row: Row[Any],
    people: Mapping[UUID, Person],
    names: Mapping[UUID, str],
    last: Row[Any] | None,
) -> Summary:
    return Summary(
        id=row.id,
        session_id=row.session_id,
        channel=row.channel,
        language=row.language,
        owner=row.owner,
        owner_since=row.owner_since or row.created_at,
        assignee_id=row.assignee_id,
        assignee_name=names.get(row.assignee_id),
        unanswered_since=row.unanswered_since,
        due_at=row.handoff_due_at,
        reason=row.handoff_reason,
        customer=people.get(row.customer_id),
        preview=" ".join(last.content.split())[:PREVIEW_CHARACTERS] if last else "",
        preview_role=last.role if last else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def read_conversation(transaction: Transaction, id: UUID) -> Row[Any]:
    """A conversation's row; raises NotFound, for another shop's as well."""
    row = await transaction.first(select(conversations).where(conversations.c.id == id))
    if row is None:
        raise NotFound("There is no such conversation.")
    return row


async def people_of(transaction: Transaction, ids: set[UUID | None]) -> dict[UUID, Person]:
    """The customers of these ids."""
    wanted = [id for id in ids if id is not None]
    if not wanted:
        return {}
    rows = await transaction.all(select(customers).where(customers.c.id.in_(wanted)))
    return {row.id: _person(row) for row in rows}


async def names_of(transaction: Transaction, ids: set[UUID | None]) -> dict[UUID, str]:
    """The names of users."""
    wanted = [id for id in ids if id is not None]
    if not wanted:
        return {}
    rows = await transaction.all(select(users.c.id, users.c.name).where(users.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _person(row: Row[Any]) -> Person:
    return Person(row.id, row.reference, f"{row.first_name} {row.last_name}".strip(), row.email)


async def _last_messages(transaction: Transaction, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """The last message of each conversation that a person wrote or read.

    The ids are the organization's: naming it again would let SQLite search by nothing else.
    """
    unscoped = Transaction(transaction.connection, None, every_organization=True)
    row = messages.c
    newest = await unscoped.all(
        select(row.conversation_id, func.max(row.sequence).label("sequence"))
        .where(row.conversation_id.in_(ids), row.role != "system", row.content != "")
        .group_by(row.conversation_id)
    )
    if not newest:
        return {}
    # Pairs one by one: SQLite reads the whole table for a list of tuples.
    pairs = (
        and_(row.conversation_id == one.conversation_id, row.sequence == one.sequence)
        for one in newest
    )
    rows = await unscoped.all(select(row.conversation_id, row.role, row.content).where(or_(*pairs)))
    return {one.conversation_id: one for one in rows}


async def thread_messages(
    transaction: Transaction, conversation_id: UUID, after: int = 0
) -> list[StoredMessage]:
    """The messages of a conversation in order, from behind a number on; the newest 1,000."""
    rows = await transaction.all(
        select(messages)
        .where(messages.c.conversation_id == conversation_id, messages.c.sequence > after)
        .order_by(messages.c.sequence.desc())
        .limit(LONGEST_THREAD)
    )
    return [stored_message(row) for row in reversed(rows)]


async def thread_traces(
    transaction: Transaction, conversation_id: UUID
) -> dict[UUID, list[Mapping[str, Any]]]:
    """How each reply of the assistant came about, by the reply's id."""
    rows = await transaction.all(
        select(turns.c.message_id, turns.c.trace)
        .where(turns.c.conversation_id == conversation_id)
        .order_by(turns.c.id.desc())
        .limit(LONGEST_THREAD)
    )
    return {row.message_id: list(row.trace) for row in rows}


async def thread_events(transaction: Transaction, conversation_id: UUID) -> list[Row[Any]]:
    """Who asked for people, took the conversation and gave it back, in order."""
    rows = await transaction.all(
        select(handoff_events)
        .where(handoff_events.c.conversation_id == conversation_id)
        .order_by(handoff_events.c.id)
    )
    return list(rows)


async def find_message(
    transaction: Transaction, conversation_id: UUID, client_message_id: str
) -> StoredMessage | None:
    """The message that was sent under this id before."""
    row = await transaction.first(
        select(messages).where(
            messages.c.conversation_id == conversation_id,
            messages.c.client_message_id == client_message_id,
        )
    )
    return stored_message(row) if row is not None else None


async def add_message(
    transaction: Transaction, conversation_id: UUID, new: NewMessage, now: datetime
) -> StoredMessage:
    """Add a message that answers none; the caller holds the conversation."""
    taken = await transaction.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(next_sequence=conversations.c.next_sequence + 1, updated_at=now)
        .returning(conversations.c.next_sequence)
    )
    values = {
        "conversation_id": conversation_id,
        "sequence": taken.scalar_one() - 1,
        "role": new.role,
        "content": new.content,
        "language": new.language,
        "sources": list(new.sources),
        "attachments": dict(new.attachments),
        "client_message_id": new.client_message_id,
        "created_at": now,
    }
    id = await transaction.insert(messages, values)
    row = await transaction.first(select(messages).where(messages.c.id == id))
    if row is None:
        raise NotFound("There is no such conversation.")
    return stored_message(row)


def stored_message(row: Row[Any]) -> StoredMessage:
    return StoredMessage(
        **{name: getattr(row, name) for name in StoredMessage.__dataclass_fields__}
    )
