"""A shop's documents: written, listed, read and deleted; each change is announced for indexing.

A change and its announcement (a row of the outbox) commit together; the process that serves
searches indexes it from there, so that any process may write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from core.database import Transaction
from core.errors import InvalidRequest, NotFound
from core.outbox import Outbox
from core.text import clean_text
from knowledge.passages import split_passages
from knowledge.tables import documents, passages

DOCUMENT_CHANGED = "knowledge.document_changed"
DOCUMENT_DELETED = "knowledge.document_deleted"
LANGUAGES = ("fr", "en", "es", "de", "it", "nl")
MAXIMUM_TEXT_CHARACTERS = 1_000_000
MAXIMUM_TITLE_CHARACTERS = 300
MAXIMUM_TAGS = 20
MAXIMUM_TAG_CHARACTERS = 60


@dataclass(frozen=True)
class NewDocument:
    """A document to be kept."""

    title: str
    text: str
    language: str = "fr"
    tags: tuple[str, ...] = ()
    source_kind: str = "text"


@dataclass(frozen=True)
class Document:
    """A document as it is kept; `text` is empty in lists."""

    id: UUID
    title: str
    text: str
    language: str
    tags: tuple[str, ...]
    source_kind: str
    status: str
    created_at: datetime
    updated_at: datetime


async def create_document(
    transaction: Transaction, outbox: Outbox, new: NewDocument, now: datetime
) -> Document:
    """Keep a document, cut it into passages, and announce it.

    A document with the same language, title and text as one that is kept is that one: it is
    returned and nothing is written. Raises InvalidRequest for an empty or overlong title or text,
    an unknown language, or characters that no database keeps.
    """
    new = _checked(new)
    checksum = _checksum(new)
    same = await transaction.first(select(documents).where(documents.c.checksum == checksum))
    if same is not None:
        return _document(same)
    values: dict[str, Any] = {
        "title": new.title,
        "text": new.text,
        "language": new.language,
        "tags": list(new.tags),
        "source_kind": new.source_kind,
        "checksum": checksum,
        "status": "published",
        "created_at": now,
        "updated_at": now,
    }
    id = await transaction.insert(documents, values)
    await transaction.insert_many(passages, _passage_rows(id, new.text))
    await outbox.add(transaction, DOCUMENT_CHANGED, {"document_id": str(id)})
    return Document(
        id, new.title, new.text, new.language, new.tags, new.source_kind, "published", now, now
    )


def _checked(new: NewDocument) -> NewDocument:
    try:
        title = " ".join(clean_text(new.title).split())
        text = clean_text(new.text)
        tags = tuple(dict.fromkeys(clean_text(tag).strip() for tag in new.tags if tag.strip()))
    except ValueError as error:
        raise InvalidRequest(f"The document cannot be kept: {error}.") from error
    if not title or not text.strip():
        raise InvalidRequest("A document needs a title and a text.")
    if len(title) > MAXIMUM_TITLE_CHARACTERS:
        raise InvalidRequest(f"A title has at most {MAXIMUM_TITLE_CHARACTERS} characters.")
    if len(text) > MAXIMUM_TEXT_CHARACTERS:
        raise InvalidRequest(
            f"A document has at most {MAXIMUM_TEXT_CHARACTERS} characters; cut it into several."
        )
    if len(tags) > MAXIMUM_TAGS or any(len(tag) > MAXIMUM_TAG_CHARACTERS for tag in tags):
        raise InvalidRequest(
            f"A document has at most {MAXIMUM_TAGS} tags of {MAXIMUM_TAG_CHARACTERS} characters."
        )
    if new.language not in LANGUAGES:
        raise InvalidRequest(f"Unknown language; use one of {', '.join(LANGUAGES)}.")
    return NewDocument(title, text, new.language, tags, new.source_kind)


def _checksum(new: NewDocument) -> str:
    joined = "\0".join((new.language, new.title, new.text))
    return hashlib.sha256(joined.encode("utf-8")).hexdigest()


def _passage_rows(document_id: UUID, text: str) -> list[dict[str, Any]]:
    return [
        {
            "document_id": document_id,
            "position": passage.position,
            "start": passage.start,
            "end": passage.end,
            "heading": passage.heading,
            "text": passage.text,
        }
        for passage in split_passages(text)
    ]


async def list_documents(
    transaction: Transaction, limit: int = 50, offset: int = 0, search: str | None = None
) -> tuple[Sequence[Document], int]:
    """The newest documents first, without their texts, and how many there are in all.

    `search` keeps those whose title holds it, whatever the case of its letters.
    """
    columns = [column for column in documents.c if column.name != "text"]
    matching = [documents.c.title.icontains(search, autoescape=True)] if search else []
    rows = await transaction.all(
        select(*columns)
        .where(*matching)
        .order_by(documents.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    total = await transaction.scalar(select(func.count()).select_from(documents).where(*matching))
    return [_document(row) for row in rows], int(total or 0)


async def read_document(transaction: Transaction, document_id: UUID) -> Document:
    """A document with its text; raises NotFound."""
    row = await transaction.first(select(documents).where(documents.c.id == document_id))
    if row is None:
        raise NotFound("There is no such document.")
    return _document(row)


async def delete_document(transaction: Transaction, outbox: Outbox, document_id: UUID) -> None:
    """Delete a document with its passages and announce it; raises NotFound."""
    deleted = await transaction.execute(delete(documents).where(documents.c.id == document_id))
    if not deleted.rowcount:
        raise NotFound("There is no such document.")
    await outbox.add(transaction, DOCUMENT_DELETED, {"document_id": str(document_id)})


def _document(row: Any) -> Document:
    return Document(
        id=row.id,
        title=row.title,
        text=getattr(row, "text", ""),
        language=row.language,
        tags=tuple(row.tags),
        source_kind=row.source_kind,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
