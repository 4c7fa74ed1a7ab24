"""What one organization's searchable documents are, held in memory for the words they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.database import Transaction
from knowledge.lexical import LexicalIndex, LexicalPassage
from knowledge.tables import documents, passages


@dataclass(frozen=True)
class KnownPassage:
    """A passage of a searchable document; `start` and `end` are offsets into its text."""

    id: UUID
    document_id: UUID
    # The vector id of its document's title: strings are cheaper keys than UUIDs.
    title_id: str
    position: int
    start: int
    end: int
    heading: str
    text: str


@dataclass(frozen=True)
class KnownDocument:
    """A searchable document with its passages in order."""

    id: UUID
    organization_id: UUID
    title: str
    language: str
    tags: tuple[str, ...]
    passages: tuple[KnownPassage, ...]
    updated_at: datetime


class Corpus:
    """One organization's searchable documents with the lexical indexes of their languages."""

    def __init__(self) -> None:
        self.documents: dict[UUID, KnownDocument] = {}
        # What a vector id stands for.
        self.titles: dict[str, KnownDocument] = {}
        self.passages: dict[str, KnownPassage] = {}
        # By the vector id of its title: a document's first passage, with the vector id of that.
        self.openings: dict[str, tuple[str, KnownPassage]] = {}
        # By language: what words the passages hold, and what words the whole documents hold.
        self.lexical: dict[str, LexicalIndex] = {}
        self.whole: dict[str, LexicalIndex] = {}

    def put(self, document: KnownDocument) -> None:
        """Add a document, in the place of its former version if there is one."""
        self.remove(document.id)
        self.documents[document.id] = document
        self.titles[title_vector_id(document.id)] = document
        self.passages.update((passage_vector_id(one.id), one) for one in document.passages)
        for one in document.passages[:1]:
            self.openings[one.title_id] = (passage_vector_id(one.id), one)
        index = self.lexical.setdefault(document.language, LexicalIndex(document.language))
        index.add(
            [
                LexicalPassage(
                    passage_vector_id(passage.id),
                    document.id,
                    f"{document.title} {passage.heading}",
                    document.tags,
                    passage.text,
                )
                for passage in document.passages
            ]
        )
        whole = self.whole.setdefault(document.language, LexicalIndex(document.language))
        text = "\n".join(passage.text for passage in document.passages)
        title_id = title_vector_id(document.id)
        whole.add([LexicalPassage(title_id, document.id, document.title, document.tags, text)])

    def remove(self, document_id: UUID) -> KnownDocument | None:
        """Forget a document; answers what it was, None if it was not there."""
        document = self.documents.pop(document_id, None)
        if document is not None:
            self.titles.pop(title_vector_id(document_id), None)
            self.openings.pop(title_vector_id(document_id), None)
            for passage in document.passages:
                self.passages.pop(passage_vector_id(passage.id), None)
            self.lexical[document.language].remove(document_id)
            self.whole[document.language].remove(document_id)
        return document


async def known_documents(
    transaction: Transaction, document_id: UUID | None = None
) -> list[KnownDocument]:
    """The published documents that the transaction may see, or the one that is named."""
    head = select(
        documents.c.id,
        documents.c.organization_id,
        documents.c.title,
        documents.c.language,
        documents.c.tags,
        documents.c.updated_at,
    ).where(documents.c.status == "published")
    body = select(passages).order_by(passages.c.document_id, passages.c.position)
    if document_id is not None:
        head = head.where(documents.c.id == document_id)
        body = body.where(passages.c.document_id == document_id)
    by_document = _passages_by_document(await transaction.all(body))
    return [
        KnownDocument(
            row.id,
            row.organization_id,
            row.title,
            row.language,
            tuple(row.tags),
            tuple(by_document.get(row.id, ())),
            row.updated_at,
        )
        for row in await transaction.all(head.order_by(documents.c.id))
    ]


def _passages_by_document(rows: Sequence[Any]) -> dict[UUID, list[KnownPassage]]:
    found: dict[UUID, list[KnownPassage]] = defaultdict(list)
    for row in rows:
        found[row.document_id].append(
            KnownPassage(
                row.id,
                row.document_id,
                title_vector_id(row.document_id),
                row.position,
                row.start,
                row.end,
                row.heading,
                row.text,
            )
        )
    return found


def texts_to_encode(known: Iterable[KnownDocument]) -> dict[str, str]:
    """Vector ids and the texts behind them: each title, and each passage below its title."""
    texts: dict[str, str] = {}
    for document in known:
        texts[title_vector_id(document.id)] = document.title
        for passage in document.passages:
            texts[passage_vector_id(passage.id)] = f"{document.title} {passage.text}"
    return texts


def vector_ids(document: KnownDocument) -> set[str]:
    """The ids of a document's vectors."""
    ids = {passage_vector_id(passage.id) for passage in document.passages}
    return ids | {title_vector_id(document.id)}


def title_vector_id(document_id: UUID) -> str:
    return f"d{document_id.hex}"


def passage_vector_id(passage_id: UUID) -> str:
    return f"p{passage_id.hex}"
