"""Keeps the outcome of every conversation up to date: what changed is read again, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Table, delete, func, select
from sqlalchemy.exc import IntegrityError

from core.database import Transaction
from core.runtime import Runtime
from core.schedules import Schedule
from services.accounts.tables import organizations
from services.conversations.ratings import ratings
from services.conversations.service_hours import service_hours
from services.conversations.tables import conversations, handoff_events
from services.monitoring.conversation_facts import (
    KnownConversation,
    among,
    known_conversations,
)
from services.monitoring.resolution import outcome_of, settles_at
from services.monitoring.tables import (
    conversation_outcomes,
    missed_searches,
    unanswered_questions,
)

# Fewer cost more for each, more keep the event loop and SQLite's one writer for too long.
AT_ONCE = 150
LOOKED_AT = 1_000
# A transaction that began earlier may commit later: rows behind the newest are looked at again.
OVERLAP = timedelta(minutes=2)
LONGEST_INTENT = 40


async def refresh_outcomes(runtime: Runtime, organization_id: UUID) -> int:
    """Compute the outcomes of conversations that changed or were settled by time; how many.

    In pieces that let others go between: see docs/benchmarks.md for what they cost.
    """
    now = runtime.clock()
    async with runtime.database.reading(organization_id) as look:
        zone = await shop_time_zone(look)
        stale = await _stale(look, now)
    for start in range(0, len(stale), AT_ONCE):
        await _refresh(runtime, organization_id, stale[start : start + AT_ONCE], zone, now)
        await asyncio.sleep(0)
    return len(stale)


async def shop_time_zone(transaction: Transaction) -> ZoneInfo:
    """The time zone that a shop's days begin in."""
    return ZoneInfo((await service_hours(transaction)).time_zone)


async def _refresh(
    runtime: Runtime, organization_id: UUID, ids: Sequence[UUID], zone: ZoneInfo, now: datetime
) -> None:
    async with runtime.database.reading(organization_id) as look:
        known = await known_conversations(look, ids)
    await asyncio.sleep(0)
    try:
        async with runtime.database.transaction(organization_id) as transaction:
            await _write(transaction, known, zone, now)
    except IntegrityError:
        # Another process wrote the same outcomes, or a conversation was erased: next time.
        return


async def _write(
    transaction: Transaction, known: Sequence[KnownConversation], zone: ZoneInfo, now: datetime
) -> None:
    ids = [one.row.id for one in known]
    await transaction.execute(
        delete(conversation_outcomes).where(
            among(transaction, conversation_outcomes.c.conversation_id, ids)
        )
    )
    rows = [_outcome_row(one, zone, now) for one in known if one.facts.requests]
    await transaction.insert_many(conversation_outcomes, rows)
    await _note(
        transaction,
        unanswered_questions,
        [
            {"message_id": id, "conversation_id": one.row.id, "gap_id": None, "asked_at": asked_at}
            for one in known
            for id, asked_at in one.unknown.items()
        ],
    )
    await _note(
        transaction,
        missed_searches,
        [
            {"conversation_id": one.row.id, **asdict(missed)}
            for one in known
            for missed in one.missed
        ],
    )


async def _note(transaction: Transaction, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write what was asked in vain, unless it is written already."""
    if not rows:
        return
    asked = [row["message_id"] for row in rows]
    kept = await transaction.all(
        select(table.c.message_id).where(among(transaction, table.c.message_id, asked))
    )
    noted = {row.message_id for row in kept}
    await transaction.insert_many(table, [row for row in rows if row["message_id"] not in noted])


def _outcome_row(one: KnownConversation, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    facts, questions = one.facts, one.facts.questions
    settles = settles_at(facts)
    intent = questions[0].intent if questions else None
    return {
        "conversation_id": one.row.id,
        "channel": one.row.channel,
        "intent": intent[:LONGEST_INTENT] if intent else None,
        "started_on": one.row.created_at.astimezone(zone).date(),
        "outcome": outcome_of(facts, now),
        "handed_over": facts.handed_over,
        "rating": facts.rating,
        "questions": len(questions),
        "unanswered": len(one.unknown) + len(one.missed),
        "first_answer_ms": _whole(one.first_answer, timedelta(milliseconds=1)),
        "person_seconds": _whole(one.person, timedelta(seconds=1)),
        "duration_seconds": _whole(one.duration, timedelta(seconds=1)),
        "seen_at": one.row.updated_at,
        "computed_at": now,
        "settles_at": settles if settles > now else None,
    }


def _whole(span: timedelta | None, unit: timedelta) -> int | None:
    return None if span is None else max(0, round(span / unit))


async def _stale(transaction: Transaction, now: datetime) -> list[UUID]:
    """Conversations whose outcome may have changed, oldest first."""
    newest = await transaction.scalar(select(func.max(conversation_outcomes.c.seen_at)))
    since = newest - OVERLAP if newest is not None else None
    found = dict.fromkeys(await _changed(transaction, since))
    if since is None:
        # All of them: nothing has been computed yet that could have changed.
        return list(found)
    found.update(dict.fromkeys(await _told(transaction, since)))
    settled = await transaction.all(
        select(conversation_outcomes.c.conversation_id).where(
            conversation_outcomes.c.settles_at <= now
        )
    )
    found.update(dict.fromkeys(row.conversation_id for row in settled))
    found.update(dict.fromkeys(await _earlier(transaction, list(found))))
    return list(found)


async def _changed(transaction: Transaction, since: datetime | None) -> list[UUID]:
    """Conversations that were written in since, and are not as they were when they were read.

    By what was written last: where a computation ends early, the next begins there.
    """
    row = conversations.c
    looked = select(row.id, row.updated_at).order_by(row.id).limit(LOOKED_AT)
    if since is not None:
        looked = looked.where(row.updated_at >= since)
    found: list[Row[Any]] = []
    page = await transaction.all(looked)
    while page:
        seen = await _seen(transaction, page) if since is not None else {}
        found += [one for one in page if seen.get(one.id) != one.updated_at]
        if len(page) < LOOKED_AT:
            break
        await asyncio.sleep(0)
        page = await transaction.all(looked.where(row.id > page[-1].id))
    return [one.id for one in sorted(found, key=attrgetter("updated_at", "id"))]


async def _seen(transaction: Transaction, page: Sequence[Row[Any]]) -> Mapping[UUID, datetime]:
    """How conversations, in the order of their ids, were when their outcomes were computed."""
    column = conversation_outcomes.c.conversation_id
    rows = await transaction.all(
        select(column, conversation_outcomes.c.seen_at).where(
            column.between(page[0].id, page[-1].id)
        )
    )
    return {row.conversation_id: row.seen_at for row in rows}


async def _told(transaction: Transaction, since: datetime) -> list[UUID]:
    """Conversations that were rated or handed over since: neither need touch their own row."""
    rated = select(ratings.c.conversation_id).where(ratings.c.updated_at >= since)
    moved = select(handoff_events.c.conversation_id).where(handoff_events.c.created_at >= since)
    return [
        row.conversation_id
        for statement in (rated, moved)
        for row in await transaction.all(statement)
    ]


async def _earlier(transaction: Transaction, ids: Sequence[UUID]) -> list[UUID]:
    """Other conversations of the same people that may turn out not to have helped."""
    found: list[UUID] = []
    open_ones = conversations.join(
        conversation_outcomes, conversation_outcomes.c.conversation_id == conversations.c.id
    )
    for start in range(0, len(ids), AT_ONCE):
        people = await transaction.all(
            select(conversations.c.actor, conversations.c.customer_id).where(
                conversations.c.id.in_(ids[start : start + AT_ONCE])
            )
        )
        customers = {row.customer_id for row in people if row.customer_id is not None}
        for column, values in (
            (conversations.c.actor, {row.actor for row in people}),
            (conversations.c.customer_id, customers),
        ):
            # Databases search everything for nothing.
            if not values:
                continue
            rows = await transaction.all(
                select(conversations.c.id)
                .select_from(open_ones)
                .where(column.in_(values), conversation_outcomes.c.settles_at.is_not(None))
            )
            found += [row.id for row in rows]
    return found


async def refresh_all(runtime: Runtime, now: datetime) -> None:
    """Keep every shop's outcomes fresh, so that figures have little left to compute."""
    async with runtime.database.reading(None) as look:
        shops = await look.all(select(organizations.c.id).where(organizations.c.is_active))
    for shop in shops:
        await refresh_outcomes(runtime, shop.id)


OUTCOMES_WATCH = Schedule("conversation_outcomes", timedelta(minutes=5), afterwards=refresh_all)
