"""Handing the conversation to a human, with the expected wait, and taking that back."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.messages import ReplyEvent, ToolResult
from bot.phrasing import moment
from bot.tools.handoff import HandoffResult
from bot.tools.withdraw_handoff import WithdrawHandoffResult
from bot.turn import Turn


async def hand_over(turn: Turn, reason: str) -> AsyncIterator[ReplyEvent]:
    """Put the conversation into the queue; once it waits there, say so and go on answering."""
    turn.state = turn.state.but(failures=0, handoff_offered=False)
    if turn.owner == "waiting":
        turn.note("already_waiting")
        yield turn.say("handoff_waiting")
        return
    result = await turn.run(
        "handoff", HandoffResult, {"reason": reason}, key=f"{turn.user_message_id}:handoff"
    )
    turn.owner = "waiting"
    turn.note("handed_over", reason=reason)
    yield turn.say("handoff_done", tool="handoff")
    if result.is_open:
        yield turn.say("handoff_open", tool="handoff", minutes=result.expected_wait_minutes)
    elif result.opens_at is not None:
        reopening = moment(turn.language, result.opens_at)
        yield turn.say("handoff_closed", tool="handoff", reopening=reopening)
    yield ToolResult("handoff", result.model_dump(mode="json"))


async def withdraw(turn: Turn) -> AsyncIterator[ReplyEvent]:
    """Leave the queue, as the customer wishes; a person who has come meanwhile stays."""
    key = f"{turn.user_message_id}:withdraw_handoff"
    result = await turn.run("withdraw_handoff", WithdrawHandoffResult, {}, key=key)
    turn.state = turn.state.but(failures=0, handoff_offered=False)
    turn.note("handoff_withdrawn", owner=result.owner)
    turn.owner = result.owner
    key = "human_owns" if result.owner == "human" else "handoff_withdrawn"
    yield turn.say(key, tool="withdraw_handoff")
    yield ToolResult("withdraw_handoff", result.model_dump(mode="json"))
