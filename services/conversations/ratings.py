"""What did customers think of their conversations? One rating a conversation; the last counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Text, select, update

from core.database import Transaction, UtcDateTime, organization_table
from core.errors import NotFound
from services.conversations.tables import conversations

LOWEST_SCORE, HIGHEST_SCORE = 1, 5
MAXIMUM_COMMENT_LENGTH = 2_000

ratings = organization_table(
    "ratings",
    Column(
        "conversation_id",
        ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    # 1 (very bad) to 5 (very good).
    Column("score", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    data_class="conversation",
    erased_by="deleted with the conversation",
)


@dataclass(frozen=True)
class Rating:
    """What a customer thought; `score` from 1 to 5."""

    score: int
    comment: str = ""


async def rate_conversation(
    transaction: Transaction, actor: str, session_id: str, rating: Rating, now: datetime
) -> None:
    """Keep an actor's rating of a conversation of their own; a second one replaces the first.

    Raises NotFound where the actor has no such conversation.
    """
    # Locked, so that two ratings at once cannot both find none.
    found = await transaction.execute(
        update(conversations)
        .where(conversations.c.actor == actor, conversations.c.session_id == session_id)
        .values(updated_at=conversations.c.updated_at)
    )
    if not found.rowcount:
        raise NotFound("You have no such conversation.")
    conversation_id = await transaction.scalar(
        select(conversations.c.id).where(
            conversations.c.actor == actor, conversations.c.session_id == session_id
        )
    )
    values = {"score": rating.score, "comment": rating.comment, "updated_at": now}
    replaced = await transaction.execute(
        update(ratings).where(ratings.c.conversation_id == conversation_id).values(**values)
    )
    if not replaced.rowcount:
        await transaction.insert(
            ratings, {"conversation_id": conversation_id, "created_at": now, **values}
        )
