"""What is known of how some conversations went, read from their rows in a handful of statements.

Ids that only tell rows apart are read as the database gives them: a year of conversations has
tens of thousands, and making each one a UUID costs more than the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.types import NullType

from core.database import Transaction
from services.conversations.ratings import ratings
from services.conversations.tables import conversations, handoff_events, messages, turns
from services.monitoring.resolution import SILENCE, ConversationFacts, Request

# What a turn's trace holds where the assistant did not know; JSON is stored without blanks.
UNKNOWN_STEP = '"step":"unknown"'
# And where the catalogue had nothing of what was looked for.
MISSED = "products_missed"
MISSED_STEP = f'"step":"{MISSED}"'
ASKED_FOR_A_PERSON = ("requested", "taken", "assigned")
APPLICATION = "key:"
_ANSWERING = frozenset({"assistant", "agent"})


@dataclass(frozen=True)
class MissedSearch:
    """What a message looked for in vain: its words as they compare, and as they were written."""

    message_id: UUID
    asked_at: datetime
    subject: str
    words: str


@dataclass(frozen=True)
class KnownConversation:
    """A conversation's facts with what its figures need.

    `unknown` are the customer's messages that the assistant had no answer to, with their time;
    `missed` those whose search of the catalogue found nothing.
    """

    row: Row[Any]
    facts: ConversationFacts
    unknown: Mapping[UUID, datetime]
    missed: Sequence[MissedSearch]
    first_answer: timedelta | None
    person: timedelta | None
    duration: timedelta | None


@dataclass
class _Said:
    """The messages of a conversation: of the customer, and moments of the answers."""

    asked: list[tuple[int, datetime, str | None]] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    by_person: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class _Rows:
    """Everything that was read, by conversation; `unknown` by the number of the message."""

    said: Mapping[Hashable, _Said]
    unknown: Mapping[Hashable, Mapping[int, Row[Any]]]
    requested: Mapping[UUID, datetime]
    ratings: Mapping[UUID, int]


def _raw(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A column as the database gives it, whatever it stands for."""
    return type_coerce(column, NullType()).label(name)


def _moment(raw: Any) -> datetime:
    """A moment as the database gives it: PostgreSQL with its zone, SQLite as text without."""
    if isinstance(raw, datetime):
        return raw
    return datetime.fromisoformat(raw).replace(tzinfo=UTC)


def among(transaction: Transaction, column: Column[Any], ids: Iterable[Any]) -> ColumnElement[bool]:
    """That a column holds one of some ids, which are handed over as one value.

    A few hundred, one by one, cost more than what they find.
    """
    if transaction.connection.dialect.name == "sqlite":
        listed = json.dumps([id.hex if isinstance(id, UUID) else id for id in ids])
        name = f"{column.table.name}.{column.name}"
        condition = f"{name} IN (SELECT value FROM json_each(:ids))"  # noqa: S608  names of our own
        return text(condition).bindparams(ids=listed)  # type: ignore[return-value]
    return column == any_(literal(list(ids), ARRAY(Uuid())))


async def known_conversations(
    transaction: Transaction, ids: Sequence[UUID]
) -> list[KnownConversation]:
    """The facts of conversations (a few hundred at a time); those that are gone are left out."""
    columns = conversations.c
    rows = await transaction.all(
        select(
            columns.id,
            _raw(columns.id, "key"),
            columns.actor,
            columns.customer_id,
            columns.channel,
            columns.owner,
            columns.created_at,
            _raw(columns.created_at, "began"),
            columns.updated_at,
        ).where(among(transaction, columns.id, ids))
    )
    others = await _begun_later(transaction, rows)
    await _let_others_go()
    said = await _messages(transaction, {*(one.key for one in rows), *others})
    await _let_others_go()
    found = _Rows(
        said,
        await _unknown(transaction, ids),
        await _requested(transaction, ids),
        await _ratings(transaction, ids),
    )
    await _let_others_go()
    later = _later(rows, others.values(), said)
    return [_known(row, found, later.get(row.key, ())) for row in rows]


async def _let_others_go() -> None:
    """An embedded database answers at once: nothing else would run until all is read."""
    await asyncio.sleep(0)


def _known(row: Row[Any], found: _Rows, later: Sequence[Request]) -> KnownConversation:
    said = found.said.get(row.key) or _Said()
    unknown = found.unknown.get(row.key, {})
    answered_until = said.answers[-1][0] if said.answers else 0
    facts = ConversationFacts(
        requests=tuple(
            Request(at, intent, sequence < answered_until and sequence not in unknown)
            for sequence, at, intent in said.asked
        ),
        handed_over=row.id in found.requested or row.owner in ("waiting", "human"),
        rating=found.ratings.get(row.id),
        later=later,
    )
    return KnownConversation(
        row,
        facts,
        {one.message_id: one.asked_at for one in unknown.values() if one.missed is None},
        [_missed(one) for one in unknown.values() if one.missed is not None],
        _first_answer(said),
        _person(found.requested.get(row.id), said),
        _moment(said.answers[-1][1]) - said.asked[0][1] if said.asked and said.answers else None,
    )


def _missed(row: Row[Any]) -> MissedSearch:
    """The latest search of a turn's trace that found nothing."""
    steps = [step for step in json.loads(row.missed) if step["step"] == MISSED]
    return MissedSearch(
        row.message_id, row.asked_at, str(steps[-1]["subject"]), str(steps[-1]["words"])
    )


def _first_answer(said: _Said) -> timedelta | None:
    """From the first message to the first answer behind it."""
    if not said.asked:
        return None
    first, asked_at, _ = said.asked[0]
    at = next((at for sequence, at in said.answers if sequence > first), None)
    return None if at is None else max(timedelta(), _moment(at) - asked_at)


def _person(requested: datetime | None, said: _Said) -> timedelta | None:
    if requested is None:
        return None
    spoke = (_moment(at) for at in said.by_person)
    answered = next((at for at in spoke if at >= requested), None)
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


async def _messages(transaction: Transaction, keys: Iterable[Hashable]) -> Mapping[Hashable, _Said]:
    columns = messages.c
    rows = await _of_conversations(
        transaction,
        messages,
        select(
            _raw(columns.conversation_id, "key"),
            columns.sequence,
            columns.role,
            columns.intent,
            _raw(columns.created_at, "at"),
        )
        .where(among(transaction, columns.conversation_id, keys))
        .order_by(columns.conversation_id, columns.sequence),
    )
    found: dict[Hashable, _Said] = defaultdict(_Said)
    read: Iterable[Any] = rows
    for key, sequence, role, intent, at in read:
        if role == "user":
            found[key].asked.append((sequence, _moment(at), intent))
        elif role in _ANSWERING:
            found[key].answers.append((sequence, at))
            if role == "agent":
                found[key].by_person.append(at)
    return found


async def _unknown(
    transaction: Transaction, ids: Sequence[UUID]
) -> Mapping[Hashable, Mapping[int, Row[Any]]]:
    """The customer's messages that were answered by "I don't know", or by "we have none"."""
    trace = cast(turns.c.trace, Text)
    reply, asked = messages.alias("reply"), messages.alias("asked")
    rows = await _of_conversations(
        transaction,
        turns,
        select(
            _raw(asked.c.conversation_id, "key"),
            asked.c.id.label("message_id"),
            asked.c.sequence,
            asked.c.created_at.label("asked_at"),
            case((trace.contains(MISSED_STEP), trace)).label("missed"),
        )
        .select_from(turns)
        .join(reply, turns.c.message_id == reply.c.id)
        .join(asked, reply.c.reply_to == asked.c.id)
        .where(
            among(transaction, turns.c.conversation_id, ids),
            or_(trace.contains(UNKNOWN_STEP), trace.contains(MISSED_STEP)),
        ),
    )
    found: dict[Hashable, dict[int, Row[Any]]] = defaultdict(dict)
    for row in rows:
        found[row.key][row.sequence] = row
    return found


async def _requested(transaction: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When each conversation first was a person's matter."""
    rows = await _of_conversations(
        transaction,
        handoff_events,
        select(handoff_events.c.conversation_id, handoff_events.c.created_at)
        .where(
            among(transaction, handoff_events.c.conversation_id, ids),
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
            among(transaction, ratings.c.conversation_id, ids)
        ),
    )
    return {row.conversation_id: row.score for row in rows}


async def _begun_later(
    transaction: Transaction, rows: Sequence[Row[Any]]
) -> Mapping[Hashable, Row[Any]]:
    """Conversations of these people that began later than the first of these.

    A person is an actor, or a customer whatever they came as; an application speaks for many. By
    actor and by customer apart: each has an index, and together they would be searched without.
    """
    actors = {row.actor for row in rows if not row.actor.startswith(APPLICATION)}
    people = {row.customer_id for row in rows if row.customer_id is not None}
    columns = conversations.c
    found: dict[Hashable, Row[Any]] = {}
    for column, values in ((columns.actor, actors), (columns.customer_id, people)):
        # Databases search everything for nothing.
        if not values:
            continue
        begun = await transaction.all(
            select(
                _raw(columns.id, "key"),
                columns.actor,
                columns.customer_id,
                _raw(columns.created_at, "began"),
            ).where(
                column.in_(values),
                columns.created_at > min(row.created_at for row in rows),
                columns.created_at <= max(row.updated_at for row in rows) + SILENCE,
            )
        )
        found.update((row.key, row) for row in begun)
    return found


def _later(
    rows: Sequence[Row[Any]], others: Iterable[Row[Any]], said: Mapping[Hashable, _Said]
) -> Mapping[Hashable, Sequence[Request]]:
    """What the same people wrote in other conversations, by each conversation that was earlier."""
    by_actor: dict[str, list[Row[Any]]] = defaultdict(list)
    by_customer: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for other in others:
        if not other.actor.startswith(APPLICATION):
            by_actor[other.actor].append(other)
        if other.customer_id is not None:
            by_customer[other.customer_id].append(other)
    found: dict[Hashable, Sequence[Request]] = {}
    for row in rows:
        theirs = (*by_actor.get(row.actor, ()), *by_customer.get(row.customer_id, ()))
        later = {one.key for one in theirs if one.began > row.began and one.key != row.key}
        if later:
            found[row.key] = [
                Request(at, intent)
                for key in later
                if key in said
                for _, at, intent in said[key].asked
            ]
    return found
