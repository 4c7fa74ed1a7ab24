"""How healthy is what a shop knows? Findings about its documents: made, kept, listed, dismissed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Text, cast, delete, func, or_, select, update

from core.database import Transaction
from core.errors import NotFound
from core.runtime import Runtime
from knowledge.corpus import known_documents
from knowledge.documents import Document
from knowledge.health.documents import CITED_WITHIN, KINDS, Finding, Kind, examine
from knowledge.health.tables import knowledge_findings
from knowledge.tables import documents
from services.conversations.tables import messages

FindingStatus = Literal["open", "dismissed"]
CITATIONS_AT_ONCE = 1_000
FINDINGS_AT_ONCE = 500
MOST_FINDINGS = 5_000


@dataclass(frozen=True)
class KeptFinding:
    """A finding with the titles of the documents that it is about."""

    id: UUID
    kind: Kind
    status: FindingStatus
    document_id: UUID
    title: str
    other_document_id: UUID | None
    other_title: str | None
    details: Mapping[str, Any]
    found_at: datetime


async def check_documents(runtime: Runtime, organization_id: UUID) -> dict[str, int]:
    """Look at every published document and keep what is found; how many findings of each kind.

    What is found no more is forgotten; what was dismissed stays dismissed while it is found.
    """
    now = runtime.clock()
    async with runtime.database.reading(organization_id) as look:
        known = await known_documents(look)
        rows = await look.all(select(documents.c.id, documents.c.created_at))
    cited, answers = await _citations(runtime, organization_id, now - CITED_WITHIN)
    created_at = {row.id: row.created_at for row in rows}
    found = await asyncio.to_thread(examine, known, cited, answers, created_at, now)
    async with runtime.database.transaction(organization_id) as transaction:
        await _keep(transaction, found[:MOST_FINDINGS], now)
    counted = Counter(one.kind for one in found)
    return {kind: counted[kind] for kind in KINDS}


async def _citations(
    runtime: Runtime, organization_id: UUID, since: datetime
) -> tuple[dict[UUID, int], int]:
    """How often each document was quoted since a moment, and in how many answers in all."""
    counts: Counter[str] = Counter()
    answers = 0
    last = UUID(int=0)
    while True:
        async with runtime.database.reading(organization_id) as look:
            rows = await look.all(
                select(messages.c.id, messages.c.sources)
                .where(
                    messages.c.id > last,
                    messages.c.created_at >= since,
                    messages.c.role != "user",
                    cast(messages.c.sources, Text) != "[]",
                )
                .order_by(messages.c.id)
                .limit(CITATIONS_AT_ONCE)
            )
        for row in rows:
            counts.update({str(source.get("id")) for source in row.sources})
        answers += len(rows)
        if len(rows) < CITATIONS_AT_ONCE:
            return {UUID(id): count for id, count in counts.items() if _is_id(id)}, answers
        last = rows[-1].id
        await asyncio.sleep(0)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


async def _keep(transaction: Transaction, found: Sequence[Finding], now: datetime) -> None:
    by_fingerprint = {one.fingerprint: one for one in found}
    rows = await transaction.all(select(knowledge_findings.c.id, knowledge_findings.c.fingerprint))
    gone = [row.id for row in rows if row.fingerprint not in by_fingerprint]
    for start in range(0, len(gone), FINDINGS_AT_ONCE):
        some = gone[start : start + FINDINGS_AT_ONCE]
        await transaction.execute(
            delete(knowledge_findings).where(knowledge_findings.c.id.in_(some))
        )
    known = {row.fingerprint for row in rows}
    there = {row.id for row in await transaction.all(select(documents.c.id))}
    await transaction.insert_many(
        knowledge_findings,
        [
            {
                "kind": one.kind,
                "document_id": one.document_id,
                "other_document_id": one.other_document_id,
                "details": dict(one.details),
                "fingerprint": fingerprint,
                "status": "open",
                "found_at": now,
            }
            for fingerprint, one in by_fingerprint.items()
            # A document may have been removed while it was looked at.
            if fingerprint not in known
            and one.document_id in there
            and (one.other_document_id is None or one.other_document_id in there)
        ],
    )


async def count_findings(transaction: Transaction) -> dict[str, int]:
    """How many findings of each kind are open."""
    rows = await transaction.all(
        select(knowledge_findings.c.kind, func.count().label("times"))
        .where(knowledge_findings.c.status == "open")
        .group_by(knowledge_findings.c.kind)
    )
    counts = {row.kind: row.times for row in rows}
    return {kind: counts.get(kind, 0) for kind in KINDS}


async def list_findings(
    transaction: Transaction, limit: int, offset: int, status: str, kind: str | None = None
) -> tuple[list[KeptFinding], int]:
    """A page of findings, the latest first, and how many there are."""
    conditions = [knowledge_findings.c.status == status]
    if kind is not None:
        conditions.append(knowledge_findings.c.kind == kind)
    total = await transaction.scalar(
        select(func.count()).select_from(knowledge_findings).where(*conditions)
    )
    rows = await transaction.all(
        select(knowledge_findings)
        .where(*conditions)
        .order_by(
            knowledge_findings.c.kind,
            knowledge_findings.c.found_at.desc(),
            knowledge_findings.c.id,
        )
        .limit(limit)
        .offset(offset)
    )
    return await _with_titles(transaction, rows), int(total)


async def mark_finding(
    transaction: Transaction, finding_id: UUID, status: FindingStatus
) -> KeptFinding:
    """Dismiss a finding, or take that back; raises NotFound."""
    marked = await transaction.execute(
        update(knowledge_findings)
        .where(knowledge_findings.c.id == finding_id)
        .values(status=status)
    )
    if marked.rowcount != 1:
        raise NotFound("There is no such finding.")
    rows = await transaction.all(
        select(knowledge_findings).where(knowledge_findings.c.id == finding_id)
    )
    return (await _with_titles(transaction, rows))[0]


async def forget_settled(transaction: Transaction, document: Document) -> None:
    """Forget findings that a change of a document has settled, before the next check."""
    concerned = or_(
        knowledge_findings.c.document_id == document.id,
        knowledge_findings.c.other_document_id == document.id,
    )
    rows = await transaction.all(select(knowledge_findings).where(concerned))
    settled = [row.id for row in rows if not _still_holds(row, document)]
    await transaction.execute(
        delete(knowledge_findings).where(knowledge_findings.c.id.in_(settled))
    )


def _still_holds(row: Row[Any], document: Document) -> bool:
    """Whether a changed document still says what was found, as far as its text tells."""
    if row.kind == "old" or document.status != "published":
        return False
    quotes = [row.details.get("quote")] if row.document_id == document.id else []
    quotes += [row.details.get("other_quote")] if row.other_document_id == document.id else []
    return all(quote is None or quote in document.text for quote in quotes)


async def _with_titles(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[KeptFinding]:
    ids = {row.document_id for row in rows} | {row.other_document_id for row in rows}
    named = await transaction.all(
        select(documents.c.id, documents.c.title).where(documents.c.id.in_(ids - {None}))
    )
    titles = {row.id: row.title for row in named}
    return [
        KeptFinding(
            id=row.id,
            kind=row.kind,
            status=row.status,
            document_id=row.document_id,
            title=titles.get(row.document_id, ""),
            other_document_id=row.other_document_id,
            other_title=titles.get(row.other_document_id),
            details=row.details,
            found_at=row.found_at,
        )
        for row in rows
    ]
