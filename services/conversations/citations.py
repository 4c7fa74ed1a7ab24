"""Was an answer proved by this quote? Whoever was shown a source may read around it."""

from __future__ import annotations

from sqlalchemy import select

from core.database import Transaction
from services.conversations.tables import conversations, messages


async def was_cited(
    transaction: Transaction, actor: str, session_id: str, document_id: str, quote: str
) -> bool:
    """Whether an answer in an actor's conversation was proved by this quote of a document."""
    cited = await transaction.all(
        select(messages.c.sources)
        .join_from(messages, conversations, messages.c.conversation_id == conversations.c.id)
        .where(
            conversations.c.actor == actor,
            conversations.c.session_id == session_id,
            messages.c.role != "user",
        )
    )
    return any(
        source.get("id") == document_id and source.get("quote") == quote
        for row in cited
        for source in row.sources
    )
