"""A shop's documents: written, listed, read and deleted; each change is announced for indexing.

A change and its announcement (a row of the outbox) commit together; the process that serves
searches indexes it from there, so that any process may write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, cast, delete, func, select

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

# Only what is published is found by search.
Status = Literal["published", "draft"]
Sort = Literal["newest", "updated", "title"]


@dataclass(frozen=True)
class NewDocument:
    """A document to be kept."""

    title: str
    text: str
    language: str = "fr"
    tags: tuple[str, ...] = ()
    source_kind: str = "text"
    status: Status = "published"


@dataclass(frozen=True)
class DocumentFilter:
    """Which documents to list; None means any. `search` is a part of the title, in any case."""

    search: str | None = None
    language: str | None = None
    status: str | None = None
    source_kind: str | None = None
    tag: str | None = None


@dataclass(frozen=True)
class Document:
    """A document as it is kept; `text` is empty in lists."""

    id: UUID
    title: str
    text: str
    language: str
    tags: tuple[str, ...]
    source_kind: str
    status: Status
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
    new = checked(new)
    checksum = checksum_of(new.language, new.title, new.text)
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
        "status": new.status,
        "created_at": now,
        "updated_at": now,
    }
    id = await transaction.insert(documents, values)
    await transaction.insert_many(passages, passage_rows(id, new.text))
    await outbox.add(transaction, DOCUMENT_CHANGED, {"document_id": str(id)})
    return Document(
        id, new.title, new.text, new.language, new.tags, new.source_kind, new.status, now, now
    )


def checked(new: NewDocument) -> NewDocument:
    """The document as it is kept: NFC, a title in one line; raises InvalidRequest."""
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
    return NewDocument(title, text, new.language, tags, new.source_kind, new.status)


def checksum_of(language: str, title: str, text: str) -> str:
    """What two documents that say the same have in common."""
    joined = "\0".join((language, title, text))
    return hashlib.sha256(joined.encode("utf-8")).hexdigest()


def passage_rows(document_id: UUID, text: str) -> list[dict[str, Any]]:
    """The rows of a document's passages."""
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
    transaction: Transaction,
    limit: int = 50,
    offset: int = 0,
    wanted: DocumentFilter | None = None,
    sort: Sort = "newest",
) -> tuple[Sequence[Document], int]:
    """A page of documents without their texts, and how many there are in all."""
    columns = [column for column in documents.c if column.name != "text"]
    matching = _matching(wanted or DocumentFilter())
    newest = documents.c.id.desc()
    orders = {
        "newest": (newest,),
        "updated": (documents.c.updated_at.desc(), newest),
        "title": (func.lower(documents.c.title), newest),
    }
    rows = await transaction.all(
        select(*columns).where(*matching).order_by(*orders[sort]).limit(limit).offset(offset)
    )
    total = await transaction.scalar(select(func.count()).select_from(documents).where(*matching))
    return [_document(row) for row in rows], int(total or 0)


def _matching(wanted: DocumentFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in ("language", "status", "source_kind"):
        if (value := getattr(wanted, name)) is not None:
            conditions.append(documents.c[name] == value)
    if wanted.search:
        conditions.append(documents.c.title.icontains(wanted.search, autoescape=True))
    if wanted.tag is not None:
        # Tags are stored as a list of JSON without escapes: the tag stands there in quotes.
        written = orjson.dumps(wanted.tag).decode()
        conditions.append(cast(documents.c.tags, Text).contains(written, autoescape=True))
    return conditions


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
