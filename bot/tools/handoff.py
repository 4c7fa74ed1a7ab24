"""The tool that hands the conversation to a human."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidRequest
from core.text import Text
from core.tools import Tool, ToolContext
from services.conversations.handoff import request_handoff


class HandoffArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Text | None = Field(
        None, max_length=100, description="Why: requested, repeated_failure, complaint …"
    )


class HandoffResult(BaseModel):
    owner: Literal["waiting", "human"]
    is_open: bool = Field(description="Whether customer service is open now.")
    opens_at: datetime | None = Field(description="When it opens, while it is closed.")
    expected_wait_minutes: int | None = Field(description="While it is open.")


async def handoff(context: ToolContext, arguments: HandoffArguments) -> HandoffResult:
    """Hand this conversation to a human agent, and say when one will answer."""
    if context.conversation_id is None:
        raise InvalidRequest("Only a conversation can be handed to a human.")
    found = await request_handoff(
        context.effect,
        context.runtime.outbox,
        context.conversation_id,
        arguments.reason,
        context.runtime.clock(),
    )
    return HandoffResult(
        owner=found.owner,
        is_open=found.is_open,
        opens_at=found.opens_at,
        expected_wait_minutes=found.expected_wait_minutes,
    )


TOOL = Tool(
    name="handoff",
    arguments=HandoffArguments,
    result=HandoffResult,
    run=handoff,
    permission="chat:write",
    effect=True,
)
