"""What human agents write while their customer is on the line: it is read to the customer."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import orjson

from channels.frames import Frame, channel_of
from channels.voice.answering import Caller
from core.runtime import Runtime

MAXIMUM_WAITING = 20


class AgentMessages:
    """Messages of agents that have not been said yet."""

    def __init__(self, runtime: Runtime, caller: Caller) -> None:
        self._broadcast = runtime.broadcast
        principal = caller.principal
        self._channel = channel_of(principal.organization_id, principal.actor, caller.session_id)
        self._waiting: deque[str] = deque(maxlen=MAXIMUM_WAITING)

    async def open(self) -> None:
        await self._broadcast.listen(self._channel, self._receive)

    async def close(self) -> None:
        await self._broadcast.stop(self._channel, self._receive)

    def take(self) -> str | None:
        """The oldest message that waits; None where none does."""
        return self._waiting.popleft() if self._waiting else None

    def _receive(self, items: Sequence[bytes] | None) -> None:
        for item in items or ():
            frame = Frame.from_bytes(item)
            # Notices of a handoff are messages of role system.
            if frame.type == "message":
                body = orjson.loads(frame.text)
                if body["role"] in {"agent", "system"}:
                    self._waiting.append(body["message"])
