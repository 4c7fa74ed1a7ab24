"""LangChain's agent for one turn: the model, the tools, and what stands between them.

From the outside in: call limits, redaction, summary, confirmation, the other model, retries, and
last our own guard, which lets only whole answers through and listens to the breaker.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain.agents import middleware as given
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    wrap_model_call,
)
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from bot.agent.attempt import prompts
from bot.agent.meter import Meter
from bot.agent.privacy import DETECTORS, Span
from bot.agent.tools import CONFIRMED_BY_FORM, offered
from bot.agent.writing import Writer
from bot.turn import Turn
from core.errors import SupportError
from core.providers.breaker import CircuitOpen
from core.providers.llm import LanguageModel

MOST_MODEL_CALLS = 6
MOST_TOOL_CALLS = 8
MOST_RETRIES = 2
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 2.0
# A conversation this long is summarised but for its last messages.
SUMMARISED_ABOVE_MESSAGES = 24
KEPT_MESSAGES = 10
# Why a provider stops when it has said all.
WHOLE = frozenset({"stop", "tool_calls"})


class AnswerCutShort(Exception):
    """The provider stopped before it was done: no tool runs on such an answer."""


class TokensSpent(Exception):
    """The turn has used its tokens."""


@dataclass
class RetryBudget:
    """At most two further requests in a turn, and none once something of the answer was sent."""

    writer: Writer
    most: int
    failures: int = 0

    def allows(self, error: Exception) -> bool:
        self.failures += 1
        if isinstance(error, CircuitOpen | TokensSpent) or self.writer.sent_of_message:
            return False
        return self.failures <= self.most and bool(getattr(error, "is_retryable", True))


def agent_graph(
    model: LanguageModel, tools: list[StructuredTool], writer: Writer, meter: Meter, prompt: str
) -> Any:
    """The compiled agent of a turn; its memory lasts as long as it does."""
    middleware: list[Any] = [
        given.ModelCallLimitMiddleware(run_limit=MOST_MODEL_CALLS, exit_behavior="error"),
        given.ToolCallLimitMiddleware(run_limit=MOST_TOOL_CALLS, exit_behavior="error"),
        *_redaction(),
        _summary(model),
        *_around_tools(writer.turn, tools),
        *_around_model(model, writer),
        _guard(model, meter),
    ]
    return create_agent(
        model.chat(),
        tools,
        system_prompt=prompt,
        middleware=middleware,
        checkpointer=InMemorySaver(),
    )


def _redaction() -> list[AgentMiddleware[Any, Any, Any]]:
    """The last net: everything that is handed in is redacted already."""
    return [
        given.PIIMiddleware(kind, strategy="redact", detector=_detector(kind, find))
        for kind, find in DETECTORS.items()
    ]


def _detector(kind: str, find: Callable[[str], list[Span]]) -> Any:
    def detect(text: str) -> list[dict[str, Any]]:
        return [
            {"type": kind, "value": text[start:end], "start": start, "end": end}
            for start, end in find(text)
        ]

    return detect


def _summary(model: LanguageModel) -> AgentMiddleware[Any, Any, Any]:
    return given.SummarizationMiddleware(
        model.chat(),
        trigger=("messages", SUMMARISED_ABOVE_MESSAGES),
        keep=("messages", KEPT_MESSAGES),
        summary_prompt=str(prompts()["summary"]),
    )


def _around_tools(turn: Turn, tools: list[StructuredTool]) -> list[AgentMiddleware[Any, Any, Any]]:
    """Effects wait for the customer; only reads are tried again."""
    names = {tool.name for tool in tools}
    reads: list[Any] = [tool.name for tool in offered(turn) if not tool.effect]
    confirmed: dict[str, Any] = {
        name: {"allowed_decisions": ["approve", "reject"]} for name in CONFIRMED_BY_FORM & names
    }
    return [
        given.ToolRetryMiddleware(
            max_retries=1,
            tools=reads,
            retry_on=lambda error: not isinstance(error, SupportError),
            on_failure="error",
            initial_delay=FIRST_WAIT_SECONDS,
        ),
        given.HumanInTheLoopMiddleware(confirmed),
    ]


def _around_model(model: LanguageModel, writer: Writer) -> list[AgentMiddleware[Any, Any, Any]]:
    other = model.fallback()
    # The other model's request is one of the two.
    budget = RetryBudget(writer, MOST_RETRIES if other is None else MOST_RETRIES - 1)
    retry = given.ModelRetryMiddleware(
        max_retries=MOST_RETRIES,
        retry_on=budget.allows,
        on_failure="error",
        initial_delay=FIRST_WAIT_SECONDS,
        max_delay=LONGEST_WAIT_SECONDS,
    )
    return [retry] if other is None else [given.ModelFallbackMiddleware(other), retry]


def _guard(model: LanguageModel, meter: Meter) -> AgentMiddleware[Any, Any, Any]:
    cap = model.settings.llm_tokens_per_turn

    @wrap_model_call
    async def whole_answers_only(
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Refuse what was cut off: its tool arguments would be read as if they were whole."""
        if meter.tokens >= cap:
            raise TokensSpent
        async with model.breaker.call():
            response = await handler(request)
            last = response.result[-1]
            if not isinstance(last, AIMessage) or not (last.text.strip() or last.tool_calls):
                raise AnswerCutShort
            if last.response_metadata.get("finish_reason") not in WHOLE:
                raise AnswerCutShort
        return response

    return whole_answers_only
