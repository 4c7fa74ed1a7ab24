"""How many requests and tokens did a turn take? Counted from what the provider reports.

A request that breaks off or takes too long is estimated by its characters; one that was refused
(429, 500) or never arrived costs nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

CHARACTERS_PER_TOKEN = 4


class Meter(AsyncCallbackHandler):
    """Listens to every model call of one turn, the summariser's too."""

    def __init__(self) -> None:
        self.requests = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.estimated = False
        self._open: dict[UUID, tuple[int, int]] = {}

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    async def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **named: Any
    ) -> None:
        self.requests += 1
        characters = sum(len(str(one.content)) for batch in messages for one in batch)
        self._open[named["run_id"]] = (characters, 0)

    async def on_llm_new_token(self, token: Any, **named: Any) -> None:
        asked, heard = self._open.get(named["run_id"], (0, 0))
        self._open[named["run_id"]] = (asked, heard + len(token))

    async def on_llm_end(self, response: LLMResult, **named: Any) -> None:
        message = getattr(response.generations[0][0], "message", None)
        usage = getattr(message, "usage_metadata", None)
        if not usage:
            self._estimate(named["run_id"])
            return
        self._open.pop(named["run_id"], None)
        self.input_tokens += int(usage["input_tokens"])
        self.output_tokens += int(usage["output_tokens"])

    async def on_llm_error(self, error: BaseException, **named: Any) -> None:
        _, heard = self._open.get(named["run_id"], (0, 0))
        waited = isinstance(error, TimeoutError | asyncio.CancelledError)
        if heard or waited or "Timeout" in type(error).__name__:
            self._estimate(named["run_id"])
        else:
            self._open.pop(named["run_id"], None)

    def close(self) -> None:
        """Count what was under way when the turn ended."""
        for run_id in list(self._open):
            self._estimate(run_id)

    def _estimate(self, run_id: UUID) -> None:
        asked, heard = self._open.pop(run_id, (0, 0))
        self.estimated = True
        self.input_tokens += asked // CHARACTERS_PER_TOKEN
        self.output_tokens += heard // CHARACTERS_PER_TOKEN
