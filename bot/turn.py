"""One turn in progress: what every action reads, and the state that it leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from bot.assistant import Assistant
from bot.forms import Caller
from bot.messages import Sentence
from bot.phrasing import phrase
from bot.state import DialogueState
from bot.understanding.understand import Understanding
from core.runtime import Runtime
from core.security import Principal
from core.tools import AuditRow, run_tool
from services.conversations.conversations import Conversation
from services.uploads.uploads import Upload

Result = TypeVar("Result", bound=BaseModel)


@dataclass
class Turn:
    """Everything that an action may use; `state` and `owner` are what it may change."""

    runtime: Runtime
    assistant: Assistant
    principal: Principal
    conversation: Conversation
    read: Understanding
    state: DialogueState
    user_message_id: UUID
    sequence: int
    owner: str = "bot"
    # The customer knows that a person reads along: the message is stored and nothing is said.
    is_quiet: bool = False
    # The reply is heard, not read: it is short.
    is_spoken: bool = False
    # What came with the message.
    uploads: tuple[Upload, ...] = ()
    # Whether these went to a ticket that was open already.
    files_are_on_ticket: bool = False
    trace: list[dict[str, Any]] = field(default_factory=list)
    # Of the tools that only read; stored with the reply.
    audit: list[AuditRow] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @property
    def language(self) -> str:
        return self.read.language

    @property
    def caller(self) -> Caller:
        return replace(caller_of(self.principal), waits=self.owner == "waiting")

    def say(self, key: str, tool: str | None = None, **values: Any) -> Sentence:
        """A phrase of the catalogue in the customer's language."""
        text = phrase(self.language, key, self.state.turn, shop=self.assistant.shop_name, **values)
        return Sentence(text, tool=tool)

    def note(self, step: str, **facts: Any) -> None:
        """Add a step to the stored trace, with its time since the turn began."""
        elapsed = round((time.perf_counter() - self.started) * 1000, 2)
        self.trace.append({"step": step, "ms": elapsed, **facts})

    async def run(
        self,
        tool: str,
        returns: type[Result],
        arguments: Mapping[str, Any],
        key: str | None = None,
    ) -> Result:
        """Run a tool for this customer; `key` makes a repeated effect happen once.

        A tool is run with a key only after the customer has agreed to what it does.
        """
        result = await run_tool(
            self.runtime,
            self.principal,
            self.runtime.tools[tool],
            arguments,
            conversation_id=self.conversation.id,
            language=self.language,
            confirmed=key is not None,
            idempotency_key=key,
            audit=self.audit,
        )
        self.note("tool", tool=tool)
        if not isinstance(result, returns):
            raise TypeError(f"the tool {tool} returned {type(result).__name__}")
        return result


def caller_of(principal: Principal) -> Caller:
    """What forms need to know of a principal."""
    return Caller(signed_in=principal.customer_id is not None, email=principal.email)
