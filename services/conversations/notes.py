"""What agents write to each other about a conversation; customers never see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from core.database import Transaction
from core.errors import NotFound
from services.conversations.desk import names_of, read_conversation
from services.conversations.tables import conversation_notes

MAXIMUM_NOTE_LENGTH = 5_000


@dataclass(frozen=True)
class Note:
    """An internal note; `author` is None once the account is gone."""

    id: UUID
    author_id: UUID | None
    author: str | None
    body: str
    created_at: datetime


async def add_note(
    transaction: Transaction, conversation_id: UUID, author_id: UUID, body: str, now: datetime
) -> Note:
    """Write a note; raises NotFound for a conversation that is not there."""
    await read_conversation(transaction, conversation_id)
    values = {
        "conversation_id": conversation_id,
        "author_id": author_id,
        "body": body.strip(),
        "created_at": now,
    }
    id = await transaction.insert(conversation_notes, values)
    names = await names_of(transaction, {author_id})
    return Note(id, author_id, names.get(author_id), body.strip(), now)


async def list_notes(transaction: Transaction, conversation_id: UUID) -> list[Note]:
    """A conversation's notes, oldest first."""
    rows = await transaction.all(
        select(conversation_notes)
        .where(conversation_notes.c.conversation_id == conversation_id)
        .order_by(conversation_notes.c.id)
    )
    names = await names_of(transaction, {row.author_id for row in rows})
    return [
        Note(row.id, row.author_id, names.get(row.author_id), row.body, row.created_at)
        for row in rows
    ]


async def delete_note(
    transaction: Transaction, conversation_id: UUID, note_id: UUID, author_id: UUID
) -> None:
    """Remove a note of one's own; raises NotFound for any other."""
    gone = await transaction.execute(
        delete(conversation_notes).where(
            conversation_notes.c.id == note_id,
            conversation_notes.c.conversation_id == conversation_id,
            conversation_notes.c.author_id == author_id,
        )
    )
    if gone.rowcount != 1:
        raise NotFound("You have written no such note.")
