"""What customers asked and no document answers: questions that mean the same as one gap."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update

from core.database import Transaction, new_id
from core.errors import NotFound
from core.providers.embeddings import Encoder
from core.runtime import Runtime
from knowledge.health.groups import Group, group_questions
from knowledge.health.tables import knowledge_gaps
from knowledge.space import ordinary_questions
from knowledge.tables import documents
from services.conversations.tables import messages
from services.monitoring.tables import unanswered_questions

GapStatus = Literal["open", "dismissed", "drafted", "published"]
ASKED_WITHIN = timedelta(days=90)
MOST_QUESTIONS = 2_000
LONGEST_QUESTION = 500
DEFAULT_LANGUAGE = "fr"


@dataclass(frozen=True)
class Question:
    """One question that got no answer."""

    message_id: UUID
    conversation_id: UUID
    text: str
    language: str
    asked_at: datetime


@dataclass(frozen=True)
class Gap:
    """Questions that mean the same; `question` is the one in their middle.

    `asked_since` is whether it was asked again after its article was published.
    """

    id: UUID
    question: str
    language: str
    questions: int
    status: GapStatus
    document_id: UUID | None
    first_at: datetime
    last_at: datetime
    asked_since: bool


async def group_gaps(runtime: Runtime, organization_id: UUID) -> dict[str, int]:
    """Group the unanswered questions of the last 90 days anew; what was decided of a group stays.

    A group is the one before that most of its questions were in. The newest 2,000 questions count.
    """
    since = runtime.clock() - ASKED_WITHIN
    async with runtime.database.reading(organization_id) as look:
        asked = await look.all(
            select(
                unanswered_questions.c.id,
                unanswered_questions.c.gap_id,
                unanswered_questions.c.asked_at,
                messages.c.id.label("message_id"),
                messages.c.content,
                messages.c.language,
            )
            .join_from(
                unanswered_questions, messages, unanswered_questions.c.message_id == messages.c.id
            )
            .where(unanswered_questions.c.asked_at >= since)
            .order_by(unanswered_questions.c.asked_at.desc(), unanswered_questions.c.id.desc())
            .limit(MOST_QUESTIONS)
        )
    asked = list(reversed(asked))
    groups = await asyncio.to_thread(_grouped, runtime.encoder, asked)
    async with runtime.database.transaction(organization_id) as transaction:
        await _keep(transaction, asked, groups)
    return {"questions": len(asked), "groups": len(groups)}


def _grouped(encoder: Encoder, asked: Sequence[Row[Any]]) -> list[Group]:
    if not asked:
        return []
    texts = [row.content[:LONGEST_QUESTION] for row in asked]
    languages = [row.language or DEFAULT_LANGUAGE for row in asked]
    return group_questions(texts, languages, encoder.encode, ordinary_questions())


async def _keep(
    transaction: Transaction, asked: Sequence[Row[Any]], groups: Sequence[Group]
) -> None:
    kept = {row.id for row in await transaction.all(select(knowledge_gaps.c.id))}
    taken: set[UUID] = set()
    for group in groups:
        members = [asked[place] for place in group.members]
        id = _former(members, kept - taken)
        values = {
            "message_id": asked[group.middle].message_id,
            "language": asked[group.middle].language or DEFAULT_LANGUAGE,
            "questions": len(members),
            "first_at": members[0].asked_at,
            "last_at": members[-1].asked_at,
        }
        if id is None:
            id = await transaction.insert(
                knowledge_gaps, {"id": new_id(), "status": "open", "document_id": None, **values}
            )
        else:
            await transaction.execute(
                update(knowledge_gaps).where(knowledge_gaps.c.id == id).values(**values)
            )
        taken.add(id)
        moved = [row.id for row in members if row.gap_id != id]
        if moved:
            await transaction.execute(
                update(unanswered_questions)
                .where(unanswered_questions.c.id.in_(moved))
                .values(gap_id=id)
            )
    await transaction.execute(delete(knowledge_gaps).where(knowledge_gaps.c.id.in_(kept - taken)))


def _former(members: Sequence[Row[Any]], free: set[UUID]) -> UUID | None:
    """The gap that most of these questions were in, the oldest of several."""
    counts = Counter(row.gap_id for row in members if row.gap_id in free)
    return min(counts, key=lambda id: (-counts[id], id), default=None)


async def count_gaps(transaction: Transaction) -> int:
    """How many gaps are open."""
    count = select(func.count()).select_from(knowledge_gaps)
    return int(await transaction.scalar(count.where(knowledge_gaps.c.status == "open")))


async def list_gaps(
    transaction: Transaction, limit: int, offset: int, status: GapStatus
) -> tuple[list[Gap], int]:
    """A page of gaps, the most asked first, and how many there are.

    Drafted and published gaps are listed together under `drafted`.
    """
    stored = "drafted" if status == "published" else status
    condition = knowledge_gaps.c.status == stored
    total = await transaction.scalar(
        select(func.count()).select_from(knowledge_gaps).where(condition)
    )
    rows = await transaction.all(
        select(knowledge_gaps)
        .where(condition)
        .order_by(
            knowledge_gaps.c.questions.desc(),
            knowledge_gaps.c.last_at.desc(),
            knowledge_gaps.c.id,
        )
        .limit(limit)
        .offset(offset)
    )
    return await _gaps(transaction, rows), int(total)


async def read_gap(transaction: Transaction, gap_id: UUID) -> Gap:
    """A gap; raises NotFound."""
    rows = await transaction.all(select(knowledge_gaps).where(knowledge_gaps.c.id == gap_id))
    if not rows:
        raise NotFound("There is no such group of questions.")
    return (await _gaps(transaction, rows))[0]


async def questions_of(transaction: Transaction, gap_id: UUID, limit: int) -> list[Question]:
    """The questions of a gap, the newest first."""
    rows = await transaction.all(
        select(
            messages.c.id.label("message_id"),
            messages.c.conversation_id,
            messages.c.content.label("text"),
            messages.c.language,
            unanswered_questions.c.asked_at,
        )
        .join_from(
            unanswered_questions, messages, unanswered_questions.c.message_id == messages.c.id
        )
        .where(unanswered_questions.c.gap_id == gap_id)
        .order_by(unanswered_questions.c.asked_at.desc(), messages.c.id.desc())
        .limit(limit)
    )
    return [
        Question(
            row.message_id,
            row.conversation_id,
            row.text,
            row.language or DEFAULT_LANGUAGE,
            row.asked_at,
        )
        for row in rows
    ]


async def mark_gap(
    transaction: Transaction,
    gap_id: UUID,
    status: Literal["open", "dismissed", "drafted"],
    document_id: UUID | None = None,
) -> Gap:
    """Dismiss a gap, take that back, or note the article that was drafted; raises NotFound."""
    values: dict[str, Any] = {"status": status}
    if document_id is not None:
        values["document_id"] = document_id
    marked = await transaction.execute(
        update(knowledge_gaps).where(knowledge_gaps.c.id == gap_id).values(**values)
    )
    if marked.rowcount != 1:
        raise NotFound("There is no such group of questions.")
    return await read_gap(transaction, gap_id)


async def _gaps(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[Gap]:
    middles = {row.message_id for row in rows if row.message_id is not None}
    said = await transaction.all(
        select(messages.c.id, messages.c.content).where(messages.c.id.in_(middles))
    )
    texts = {row.id: row.content for row in said}
    drafted = {row.document_id for row in rows if row.document_id is not None}
    articles = await transaction.all(
        select(documents.c.id, documents.c.status, documents.c.updated_at).where(
            documents.c.id.in_(drafted)
        )
    )
    by_id = {row.id: row for row in articles}
    return [_gap(row, texts, by_id) for row in rows]


def _gap(row: Row[Any], texts: Mapping[UUID, str], articles: Mapping[UUID, Row[Any]]) -> Gap:
    article = articles.get(row.document_id)
    published = article is not None and article.status == "published"
    status: GapStatus = row.status
    if row.status == "drafted":
        status = "published" if published else "drafted" if article is not None else "open"
    return Gap(
        id=row.id,
        question=texts.get(row.message_id, "")[:LONGEST_QUESTION],
        language=row.language,
        questions=row.questions,
        status=status,
        document_id=row.document_id,
        first_at=row.first_at,
        last_at=row.last_at,
        asked_since=article is not None and published and row.last_at > article.updated_at,
    )
