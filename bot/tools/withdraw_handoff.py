"""The tool that takes back the wish for a human."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidRequest
from core.tools import Tool, ToolContext
from services.conversations.handoff import withdraw_handoff as withdraw


class WithdrawHandoffArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WithdrawHandoffResult(BaseModel):
    owner: str = Field(description="Who has the conversation now: bot, or human who has come.")


async def withdraw_handoff(
    context: ToolContext, arguments: WithdrawHandoffArguments
) -> WithdrawHandoffResult:
    """Take this conversation out of the queue for a human, once its customer says not to wait."""
    if context.conversation_id is None:
        raise InvalidRequest("Only a conversation can wait for a human.")
    now = context.runtime.clock()
    found = await withdraw(context.effect, context.conversation_id, now)
    return WithdrawHandoffResult(owner=found.owner)


TOOL = Tool(
    name="withdraw_handoff",
    arguments=WithdrawHandoffArguments,
    result=WithdrawHandoffResult,
    run=withdraw_handoff,
    permission="chat:write",
    effect=True,
)
