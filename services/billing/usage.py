"""What a language model was used for: one row a turn, summed by conversation and organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from core.database import Transaction
from services.billing.tables import llm_usage


@dataclass(frozen=True)
class TurnUsage:
    """What one turn used; `message_id` is the customer's message, which is billed once.

    `requests` counts every request that was sent, answered or not; `estimated` says that some
    tokens were counted by us, because the provider broke off before it said how many.
    """

    conversation_id: UUID
    message_id: UUID
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost_micros: int
    estimated: bool = False


@dataclass(frozen=True)
class UsageTotal:
    """Sums over some turns."""

    turns: int
    requests: int
    input_tokens: int
    output_tokens: int
    cost_micros: int

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


async def record_usage(transaction: Transaction, usage: TurnUsage, now: datetime) -> None:
    """Write a turn's row; a turn that has one already is not billed again."""
    known = await transaction.scalar(
        select(func.count())
        .select_from(llm_usage)
        .where(llm_usage.c.message_id == usage.message_id)
    )
    if known:
        return
    await transaction.insert(
        llm_usage,
        {
            "conversation_id": usage.conversation_id,
            "message_id": usage.message_id,
            "model": usage.model[:200],
            "requests": usage.requests,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "estimated": usage.estimated,
            "cost_micros": usage.cost_micros,
            "created_at": now,
        },
    )


async def conversation_usage(transaction: Transaction, conversation_id: UUID) -> UsageTotal:
    """What a conversation has used so far."""
    return await _total(transaction, _sums().where(llm_usage.c.conversation_id == conversation_id))


async def day_usage(transaction: Transaction, now: datetime) -> UsageTotal:
    """What the organization has used since midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return await _total(transaction, _sums().where(llm_usage.c.created_at >= midnight))


def _sums() -> Select[Any]:
    amounts = ("requests", "input_tokens", "output_tokens", "cost_micros")
    columns: list[Any] = [func.count(llm_usage.c.id)]
    return select(*columns, *(func.sum(llm_usage.c[name]) for name in amounts))


async def _total(transaction: Transaction, statement: Select[Any]) -> UsageTotal:
    row = await transaction.first(statement)
    return UsageTotal(*(int(value or 0) for value in (row or (0,) * 5)))
