"""Changing documents so that it can be undone: every change keeps what was there for a month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from core.database import Transaction
from core.errors import Conflict, NotFound
from core.outbox import Outbox
from knowledge.documents import (
    DOCUMENT_CHANGED,
    Document,
    NewDocument,
    Status,
    checked,
    checksum_of,
    delete_document,
    passage_rows,
    read_document,
)
from knowledge.health.tables import document_versions
from knowledge.tables import documents, passages

Reason = Literal["changed", "removed"]
MAXIMUM_VERSIONS = 50


@dataclass(frozen=True)
class Version:
    """What a document was until a moment."""

    id: UUID
    document_id: UUID
    title: str
    text: str
    language: str
    tags: tuple[str, ...]
    source_kind: str
    status: Status
    created_at: datetime
    reason: Reason
    replaced_at: datetime


async def change_document(
    transaction: Transaction,
    outbox: Outbox,
    document_id: UUID,
    new: NewDocument,
    now: datetime,
    *,
    if_updated_at: datetime | None = None,
) -> Document:
    """Replace a document's contents, cut it into passages anew, and announce it.

    `new.source_kind` is left as it was. What changes nothing is not kept as a version. Raises
    NotFound, InvalidRequest as `create_document` does, and Conflict where another document says
    the same, or where the document was changed after `if_updated_at` (to the second).
    """
    former = await read_document(transaction, document_id)
    if if_updated_at is not None and not _same_second(if_updated_at, former.updated_at):
        raise Conflict("Somebody has changed this document meanwhile; read it again.")
    new = replace(checked(new), source_kind=former.source_kind)
    changed = Document(
        document_id,
        new.title,
        new.text,
        new.language,
        new.tags,
        former.source_kind,
        new.status,
        former.created_at,
        now,
    )
    if replace(changed, updated_at=former.updated_at) == former:
        return former
    await _keep(transaction, former, "changed", now)
    await _write(transaction, outbox, changed)
    return changed


def _same_second(one: datetime, other: datetime) -> bool:
    """Answers tell moments to the second."""
    return one.replace(microsecond=0) == other.replace(microsecond=0)


async def remove_document(
    transaction: Transaction, outbox: Outbox, document_id: UUID, now: datetime
) -> Document:
    """Remove a document and keep what it was; raises NotFound."""
    former = await read_document(transaction, document_id)
    await _keep(transaction, former, "removed", now)
    await delete_document(transaction, outbox, document_id)
    return former


async def list_versions(transaction: Transaction, document_id: UUID) -> list[Version]:
    """What a document was, the latest first; empty for one that was never changed."""
    rows = await transaction.all(
        select(document_versions)
        .where(document_versions.c.document_id == document_id)
        .order_by(document_versions.c.replaced_at.desc(), document_versions.c.id.desc())
        .limit(MAXIMUM_VERSIONS)
    )
    return [_version(row) for row in rows]


async def list_removed(transaction: Transaction, limit: int) -> list[Version]:
    """The last version of documents that are gone, the latest removed first."""
    rows = await transaction.all(
        select(document_versions)
        .where(document_versions.c.reason == "removed")
        .order_by(document_versions.c.replaced_at.desc(), document_versions.c.id.desc())
        .limit(limit)
    )
    back = await transaction.all(
        select(documents.c.id).where(documents.c.id.in_({row.document_id for row in rows}))
    )
    there = {row.id for row in back}
    latest: dict[UUID, Version] = {}
    for row in rows:
        if row.document_id not in there:
            latest.setdefault(row.document_id, _version(row))
    return list(latest.values())


async def restore_version(
    transaction: Transaction, outbox: Outbox, document_id: UUID, version_id: UUID, now: datetime
) -> Document:
    """Make a document what it was, under the id that it had; raises NotFound and Conflict."""
    row = await transaction.first(
        select(document_versions).where(
            document_versions.c.id == version_id, document_versions.c.document_id == document_id
        )
    )
    if row is None:
        raise NotFound("There is no such version.")
    kept = _version(row)
    new = NewDocument(
        kept.title, kept.text, kept.language, kept.tags, kept.source_kind, kept.status
    )
    there = await transaction.first(select(documents.c.id).where(documents.c.id == document_id))
    if there is not None:
        return await change_document(transaction, outbox, document_id, new, now)
    brought_back = Document(
        document_id,
        new.title,
        new.text,
        new.language,
        new.tags,
        new.source_kind,
        new.status,
        kept.created_at,
        now,
    )
    await _write(transaction, outbox, brought_back, is_new=True)
    return brought_back


async def _write(
    transaction: Transaction, outbox: Outbox, document: Document, *, is_new: bool = False
) -> None:
    values = await _values(transaction, document)
    if is_new:
        await transaction.insert(documents, {"id": document.id, **values})
    else:
        await transaction.execute(
            update(documents).where(documents.c.id == document.id).values(**values)
        )
        await transaction.execute(delete(passages).where(passages.c.document_id == document.id))
    await transaction.insert_many(passages, passage_rows(document.id, document.text))
    await outbox.add(transaction, DOCUMENT_CHANGED, {"document_id": str(document.id)})


async def _values(transaction: Transaction, document: Document) -> dict[str, Any]:
    checksum = checksum_of(document.language, document.title, document.text)
    same = await transaction.first(
        select(documents.c.id).where(
            documents.c.checksum == checksum, documents.c.id != document.id
        )
    )
    if same is not None:
        raise Conflict("Another document says the same.", {"document_id": str(same.id)})
    return {
        "title": document.title,
        "text": document.text,
        "language": document.language,
        "tags": list(document.tags),
        "source_kind": document.source_kind,
        "checksum": checksum,
        "status": document.status,
        "created_at": document.created_at,
        "updated_at": document.updated_at,
    }


async def _keep(transaction: Transaction, former: Document, reason: Reason, now: datetime) -> None:
    await transaction.insert(
        document_versions,
        {
            "document_id": former.id,
            "title": former.title,
            "text": former.text,
            "language": former.language,
            "tags": list(former.tags),
            "source_kind": former.source_kind,
            "status": former.status,
            "created_at": former.created_at,
            "reason": reason,
            "replaced_at": now,
        },
    )


def _version(row: Row[Any]) -> Version:
    values = {name: getattr(row, name) for name in Version.__dataclass_fields__}
    return Version(**{**values, "tags": tuple(row.tags)})
