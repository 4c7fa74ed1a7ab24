"""How a conversation reaches the assistant from a web page: in order, and each message once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, Reply, ReplyEvent
from core.runtime import Runtime


@dataclass
class ConversationLocks:
    """One lock a conversation, for as long as anyone holds or waits for it."""

    held: dict[tuple[UUID, str, str], tuple[asyncio.Lock, int]] = field(default_factory=dict)

    @asynccontextmanager
    async def ordered(self, message: IncomingMessage) -> AsyncIterator[None]:
        """Wait until every earlier message of the same conversation has been answered."""
        principal = message.principal
        key = (principal.organization_id, principal.actor, message.session_id)
        lock, waiting = self.held.get(key, (asyncio.Lock(), 0))
        self.held[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self.held[key]
            if waiting == 1:
                del self.held[key]
            else:
                self.held[key] = (lock, waiting - 1)


async def stream(message: IncomingMessage, runtime: Runtime) -> AsyncIterator[ReplyEvent]:
    """Answer one message as events, after the earlier ones of its conversation."""
    locks = runtime.part(ConversationLocks)
    assistant = runtime.part(Assistant)
    async with locks.ordered(message):
        async with aclosing(handle(message, assistant, runtime)) as events:
            async for event in events:
                yield event


async def answer(message: IncomingMessage, runtime: Runtime) -> Reply:
    """Answer one message and return the whole reply."""
    reply = Reply()
    async for event in stream(message, runtime):
        reply.add(event)
    return reply
