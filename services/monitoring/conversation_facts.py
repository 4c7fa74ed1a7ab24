"""What is known of how some conversations went, read from their rows in a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, Text, cast, func, select

from core.database import Transaction
from services.conversations.ratings import ratings
from services.conversations.tables import conversations, handoff_events, messages, turns
from services.monitoring.resolution import SILENCE, ConversationFacts, Request

# What a turn's trace holds where the assistant did not know; JSON is stored without blanks.
UNKNOWN_STEP = '"step":"unknown"'
ASKED_FOR_A_PERSON = ("requested", "taken", "assigned")
APPLICATION = "key:"
_ANSWERING = frozenset({"assistant", "agent"})


@dataclass(frozen=True)
class KnownConversation:
    """A conversation's facts with what its figures need.

    `unknown` are the customer's messages that the assistant had no answer to, with their time.
    """

    row: Row[Any]
    facts: ConversationFacts
    unknown: Mapping[UUID, datetime]
    first_answer: timedelta | None
    person: timedelta | None
    duration: timedelta | None


@dataclass(frozen=True)
class _Rows:
    """Everything that was read, by conversation."""

    messages: Mapping[UUID, Sequence[Row[Any]]]
    unknown: frozenset[UUID]
    requested: Mapping[UUID, datetime]
    ratings: Mapping[UUID, int]


@dataclass(frozen=True)
class _Written:
    """A message of a customer, and the conversation that it stands in."""

    row: Row[Any]
    request: Request


async def known_conversations(
    transaction: Transaction, ids: Sequence[UUID]
) -> list[KnownConversation]:
    """The facts of conversations (a few hundred at a time); those that are gone are left out."""
    columns = conversations.c
    rows = await transaction.all(
        select(
            columns.id,
            columns.actor,
            columns.customer_id,
            columns.channel,
            columns.owner,
            columns.created_at,
            columns.updated_at,
        ).where(columns.id.in_(ids))
    )
    said = await _messages(transaction, ids)
    found = _Rows(
        said,
        await _unknown(transaction, ids, said),
        await _requested(transaction, ids),
        await _ratings(transaction, ids),
    )
    later = await _later(transaction, rows)
    return [_known(row, found, later[row.id]) for row in rows]


def _known(row: Row[Any], found: _Rows, later: Sequence[Request]) -> KnownConversation:
    said = found.messages.get(row.id, ())
    asked = [one for one in said if one.role == "user"]
    facts = ConversationFacts(
        requests=tuple(
            Request(one.created_at, one.intent, _is_answered(one, said, found.unknown))
            for one in asked
        ),
        handed_over=row.id in found.requested or row.owner in ("waiting", "human"),
        rating=found.ratings.get(row.id),
        later=later,
    )
    answers = [one for one in said if one.role in _ANSWERING]
    return KnownConversation(
        row,
        facts,
        {one.id: one.created_at for one in asked if one.id in found.unknown},
        _between(asked, answers),
        _person(found.requested.get(row.id), said),
        answers[-1].created_at - asked[0].created_at if asked and answers else None,
    )


def _is_answered(message: Row[Any], said: Sequence[Row[Any]], unknown: frozenset[UUID]) -> bool:
    if message.id in unknown:
        return False
    return any(one.role in _ANSWERING and one.sequence > message.sequence for one in said)


def _between(asked: Sequence[Row[Any]], answers: Sequence[Row[Any]]) -> timedelta | None:
    """From the first message to the first answer behind it."""
    if not asked:
        return None
    first = asked[0]
    at: datetime | None = next(
        (one.created_at for one in answers if one.sequence > first.sequence), None
    )
    return None if at is None else max(timedelta(), at - first.created_at)


def _person(requested: datetime | None, said: Sequence[Row[Any]]) -> timedelta | None:
    if requested is None:
        return None
    spoke: list[datetime] = [one.created_at for one in said if one.role == "agent"]
    answered: datetime | None = next((one for one in spoke if one >= requested), None)
    return None if answered is None else answered - requested


async def _of_conversations(
    transaction: Transaction, table: Table, statement: Select[Any]
) -> Sequence[Row[Any]]:
    """Rows of named conversations, found by their index.

    SQLite would read all of the organization's rows instead: it must not see that condition.
    """
    own = func.coalesce(table.c.organization_id, table.c.organization_id)
    look = Transaction(transaction.connection, None, every_organization=True)
    return await look.all(statement.where(own == transaction.organization_id))


async def _messages(
    transaction: Transaction, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Row[Any]]]:
    columns = messages.c
    rows = await _of_conversations(
        transaction,
        messages,
        select(
            columns.id,
            columns.conversation_id,
            columns.sequence,
            columns.role,
            columns.intent,
            columns.reply_to,
            columns.created_at,
        )
        .where(columns.conversation_id.in_(ids))
        .order_by(columns.conversation_id, columns.sequence),
    )
    found: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.conversation_id].append(row)
    return found


async def _unknown(
    transaction: Transaction, ids: Sequence[UUID], said: Mapping[UUID, Sequence[Row[Any]]]
) -> frozenset[UUID]:
    """The customer's messages that were answered by "I don't know"."""
    rows = await _of_conversations(
        transaction,
        turns,
        select(turns.c.message_id).where(
            turns.c.conversation_id.in_(ids), cast(turns.c.trace, Text).contains(UNKNOWN_STEP)
        ),
    )
    replies = {row.message_id for row in rows}
    answered = (one for messages_of in said.values() for one in messages_of if one.id in replies)
    return frozenset(one.reply_to for one in answered if one.reply_to is not None)


async def _requested(transaction: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When each conversation first was a person's matter."""
    rows = await _of_conversations(
        transaction,
        handoff_events,
        select(handoff_events.c.conversation_id, handoff_events.c.created_at)
        .where(
            handoff_events.c.conversation_id.in_(ids),
            handoff_events.c.kind.in_(ASKED_FOR_A_PERSON),
        )
        .order_by(handoff_events.c.created_at.desc()),
    )
    return {row.conversation_id: row.created_at for row in rows}


async def _ratings(transaction: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    rows = await _of_conversations(
        transaction,
        ratings,
        select(ratings.c.conversation_id, ratings.c.score).where(
            ratings.c.conversation_id.in_(ids)
        ),
    )
    return {row.conversation_id: row.score for row in rows}


async def _later(
    transaction: Transaction, rows: Sequence[Row[Any]]
) -> Mapping[UUID, Sequence[Request]]:
    """What the same people wrote in other conversations, by each conversation that was earlier.

    A person is an actor, or a customer whatever they came as; an application speaks for many.
    """
    if not rows:
        return {}
    written = await _written_by(transaction, rows)
    by_actor: dict[str, list[_Written]] = defaultdict(list)
    by_customer: dict[UUID, list[_Written]] = defaultdict(list)
    for one in written:
        if not one.row.actor.startswith(APPLICATION):
            by_actor[one.row.actor].append(one)
        if one.row.customer_id is not None:
            by_customer[one.row.customer_id].append(one)
    return {
        row.id: _requests(row, [*by_actor[row.actor], *by_customer[row.customer_id]])
        for row in rows
    }


def _requests(row: Row[Any], written: Iterable[_Written]) -> list[Request]:
    return [
        one.request
        for one in written
        if one.row.id != row.id and one.row.created_at > row.created_at
    ]


async def _written_by(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[_Written]:
    """What these people wrote in any conversation that began later than the first of these.

    By actor and by customer apart: each has an index, and together they would be searched without.
    """
    actors = {row.actor for row in rows if not row.actor.startswith(APPLICATION)}
    people = {row.customer_id for row in rows if row.customer_id is not None}
    columns = conversations.c
    found: dict[UUID, Row[Any]] = {}
    for column, values in ((columns.actor, actors), (columns.customer_id, people)):
        # Databases search everything for nothing.
        if not values:
            continue
        begun = await transaction.all(
            select(columns.id, columns.actor, columns.customer_id, columns.created_at).where(
                column.in_(values),
                columns.created_at > min(row.created_at for row in rows),
                columns.created_at <= max(row.updated_at for row in rows) + SILENCE,
            )
        )
        found.update((row.id, row) for row in begun)
    written = await _of_conversations(
        transaction,
        messages,
        select(messages.c.conversation_id, messages.c.created_at, messages.c.intent)
        .where(messages.c.conversation_id.in_(found), messages.c.role == "user")
        .order_by(messages.c.created_at),
    )
    return [
        _Written(found[row.conversation_id], Request(row.created_at, row.intent)) for row in written
    ]
