"""Giving a conversation to a human: who waits, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, update

from core.database import Transaction
from core.errors import NotFound
from core.outbox import Outbox
from services.conversations.service_hours import is_open, next_opening
from services.conversations.tables import conversations

# A first estimate: what one conversation takes an agent.
MINUTES_A_CONVERSATION = 5


@dataclass(frozen=True)
class Handoff:
    """Where a conversation stands.

    `owner` is waiting or human; `expected_wait_minutes` is None while service is closed, and
    `opens_at` (UTC) while it is open.
    """

    owner: Literal["waiting", "human"]
    is_open: bool
    opens_at: datetime | None
    expected_wait_minutes: int | None


async def request_handoff(
    transaction: Transaction,
    outbox: Outbox,
    conversation_id: UUID,
    reason: str | None,
    now: datetime,
) -> Handoff:
    """Put a conversation in the queue for a human; a second request changes nothing."""
    waiting = await transaction.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.owner == "bot")
        .values(owner="waiting", updated_at=now)
    )
    if waiting.rowcount == 1:
        payload = {"conversation_id": str(conversation_id), "reason": reason}
        await outbox.add(transaction, "conversation.handoff_requested", payload)
    row = await transaction.first(
        select(conversations.c.owner).where(conversations.c.id == conversation_id)
    )
    if row is None:
        raise NotFound("There is no such conversation.")
    open_now = is_open(now)
    return Handoff(
        "human" if row.owner == "human" else "waiting",
        open_now,
        None if open_now else next_opening(now),
        await _expected_wait_minutes(transaction) if open_now else None,
    )


async def _expected_wait_minutes(transaction: Transaction) -> int:
    queue = await transaction.scalar(
        select(func.count()).select_from(conversations).where(conversations.c.owner == "waiting")
    )
    return MINUTES_A_CONVERSATION * max(1, int(queue))
