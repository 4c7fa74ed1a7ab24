"""What was said in a conversation from a message on, for clients that missed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.database import Transaction
from services.conversations.tables import conversations, messages


@dataclass(frozen=True)
class StoredMessage:
    """One message with its number in the conversation."""

    id: UUID
    sequence: int
    role: str
    content: str
    language: str | None
    intent: str | None
    confidence: float | None
    sources: Sequence[Mapping[str, Any]]
    attachments: Mapping[str, Any]
    client_message_id: str | None
    reply_to: UUID | None
    created_at: datetime


async def messages_from(
    transaction: Transaction, actor: str, session_id: str, sequence: int, limit: int
) -> list[StoredMessage]:
    """The messages of a conversation from a number on, in order; [] where there is none."""
    rows = await transaction.all(
        select(messages)
        .join_from(messages, conversations, messages.c.conversation_id == conversations.c.id)
        .where(conversations.c.actor == actor, conversations.c.session_id == session_id)
        .where(messages.c.sequence >= sequence)
        .order_by(messages.c.sequence)
        .limit(limit)
    )
    return [
        StoredMessage(
            row.id,
            row.sequence,
            row.role,
            row.content,
            row.language,
            row.intent,
            row.confidence,
            row.sources,
            row.attachments,
            row.client_message_id,
            row.reply_to,
            row.created_at,
        )
        for row in rows
    ]
