"""The language model's part of a turn: LangChain's agent over the same tools, checked and capped.

    allowance     may it be asked, and what it cost
    answering     one try at a turn, as events
    history       the rules and the conversation, without personal data
    graph, tools  LangChain's agent and our tools in it
    writing       tokens into checked sentences
    confirming    an effect becomes a question to the customer
    continuation  the embedded engine goes on where the model stopped

Nothing of LangChain is imported before a model is asked.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot.agent.attempt import Attempt
from bot.messages import ReplyEvent
from bot.turn import Turn
from core.providers.llm import LanguageModel


async def answer_with_model(
    turn: Turn, model: LanguageModel, attempt: Attempt
) -> AsyncGenerator[ReplyEvent, None]:
    """Let the model try; `attempt` says afterwards what was sent and whether it is the answer."""
    await model.warm()
    from bot.agent.answering import answer_with

    async with aclosing(answer_with(turn, model, attempt)) as events:
        async for event in events:
            yield event
