"""Which products did customers look for that the catalogue does not have, in groups of words?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from core.database import Transaction
from services.conversations.tables import messages
from services.monitoring.tables import missed_searches

# Like the unanswered questions beside which they are shown.
ASKED_WITHIN = timedelta(days=90)
SHOWN_MESSAGES = 5


@dataclass(frozen=True)
class Asked:
    """One message that such a search was made for."""

    message_id: UUID
    conversation_id: UUID
    text: str
    asked_at: datetime


@dataclass(frozen=True)
class MissingProduct:
    """Searches for the same thing; `words` as the latest wrote them, `asked` the newest few."""

    words: str
    searches: int
    first_at: datetime
    last_at: datetime
    asked: Sequence[Asked]


async def missing_products(
    transaction: Transaction, now: datetime, limit: int, offset: int
) -> tuple[list[MissingProduct], int]:
    """What was looked for in vain in the last 90 days, the most wanted first; how many in all."""
    row = missed_searches.c
    recent = row.asked_at >= now - ASKED_WITHIN
    total = await transaction.scalar(select(func.count(row.subject.distinct())).where(recent))
    searches = func.count().label("searches")
    last_at = func.max(row.asked_at).label("last_at")
    groups = await transaction.all(
        select(row.subject, searches, func.min(row.asked_at).label("first_at"), last_at)
        .where(recent)
        .group_by(row.subject)
        .order_by(searches.desc(), last_at.desc(), row.subject)
        .limit(limit)
        .offset(offset)
    )
    members = await _members(transaction, [group.subject for group in groups], now)
    return [_group(group, members[group.subject]) for group in groups], int(total)


async def _members(
    transaction: Transaction, subjects: Sequence[str], now: datetime
) -> Mapping[str, Sequence[Row[Any]]]:
    """The newest searches of some groups."""
    row = missed_searches.c
    place = func.row_number().over(partition_by=row.subject, order_by=row.id.desc())
    ranked = await transaction.all(
        select(row.id, place.label("place")).where(
            row.subject.in_(subjects), row.asked_at >= now - ASKED_WITHIN
        )
    )
    shown = [one.id for one in ranked if one.place <= SHOWN_MESSAGES]
    rows = await transaction.all(
        select(
            row.subject,
            row.words,
            row.asked_at,
            row.message_id,
            row.conversation_id,
            messages.c.content,
        )
        .join_from(missed_searches, messages, row.message_id == messages.c.id)
        .where(row.id.in_(shown))
        .order_by(row.id.desc())
    )
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for one in rows:
        found[one.subject].append(one)
    return found


def _group(group: Row[Any], members: Sequence[Row[Any]]) -> MissingProduct:
    asked = [
        Asked(one.message_id, one.conversation_id, one.content, one.asked_at) for one in members
    ]
    words = members[0].words if members else group.subject
    return MissingProduct(words, group.searches, group.first_at, group.last_at, asked)
