"""Whose turn is it? One message of a conversation at a time, in order, across processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, ReplyEvent
from core.errors import ServiceUnavailable, SupportError
from core.runtime import Runtime
from core.telemetry import logger
from services.conversations.lease import (
    RENEW_SECONDS,
    LeaseTaken,
    give_back_lease,
    is_first_in_line,
    leave_line,
    new_holder,
    renew_lease,
    stand_in_line,
)

WAIT_SECONDS = 25.0
MAXIMUM_WAITING = 32
LOOK_SECONDS = 0.05
# Two processes that begin one conversation at once: the second finds it when it tries again.
ATTEMPTS_TO_BEGIN = 3

_log = logger("channels.order")


class ConversationBusy(ServiceUnavailable):
    """Earlier messages of the conversation are still being answered."""

    def __init__(self) -> None:
        super().__init__(
            "Earlier messages of this conversation are still being answered; send this one again "
            "in a moment, under the same client_message_id."
        )


@dataclass
class ConversationLocks:
    """One lock a conversation, for as long as anyone holds or waits for it."""

    held: dict[tuple[UUID, str, str], tuple[asyncio.Lock, int]] = field(default_factory=dict)
    wait_seconds: float = WAIT_SECONDS

    @asynccontextmanager
    async def ordered(self, message: IncomingMessage) -> AsyncIterator[None]:
        """Wait until every earlier message of the same conversation has been answered.

        Raises ConversationBusy where too many wait already, or after `wait_seconds`.
        """
        principal = message.principal
        key = (principal.organization_id, principal.actor, message.session_id)
        lock, waiting = self.held.get(key, (asyncio.Lock(), 0))
        if waiting > MAXIMUM_WAITING:
            raise ConversationBusy
        self.held[key] = (lock, waiting + 1)
        try:
            await self._acquire(lock)
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, waiting = self.held[key]
            if waiting == 1:
                del self.held[key]
            else:
                self.held[key] = (lock, waiting - 1)

    async def _acquire(self, lock: asyncio.Lock) -> None:
        if not lock.locked():
            await lock.acquire()
            return
        try:
            async with asyncio.timeout(self.wait_seconds):
                await lock.acquire()
        except TimeoutError:
            raise ConversationBusy from None


async def handle_in_line(
    message: IncomingMessage, assistant: Assistant, runtime: Runtime
) -> AsyncGenerator[ReplyEvent, None]:
    """Answer a message as the engine does, once no other process answers the conversation.

    Raises ConversationBusy after `WAIT_SECONDS`.
    """
    turn = _LeasedTurn(replace(message, lease_holder=new_holder()), runtime)
    async with aclosing(turn.events(assistant)) as events:
        async for event in events:
            yield event


class _LeasedTurn:
    """A message and its place among those of other processes."""

    def __init__(self, message: IncomingMessage, runtime: Runtime) -> None:
        self.message = message
        self.runtime = runtime
        self.holder = message.lease_holder or ""
        self.until = time.monotonic() + WAIT_SECONDS
        # The conversation in whose line this message stands.
        self.line: UUID | None = None
        self.begun = False
        self.attempts = 0

    async def events(self, assistant: Assistant) -> AsyncGenerator[ReplyEvent, None]:
        try:
            while True:
                try:
                    async with aclosing(self._answer(assistant)) as events:
                        async for event in events:
                            yield event
                    return
                except LeaseTaken as taken:
                    await self._wait(taken.conversation_id)
                except IntegrityError:
                    self.attempts += 1
                    if self.begun or self.attempts >= ATTEMPTS_TO_BEGIN:
                        raise
        finally:
            await self._leave()

    async def _answer(self, assistant: Assistant) -> AsyncGenerator[ReplyEvent, None]:
        """The engine's events while the lease is renewed; a turn that fails gives it back."""
        renewing: asyncio.Task[None] | None = None
        try:
            async with aclosing(handle(self.message, assistant, self.runtime)) as events:
                async for event in events:
                    if not self.begun:
                        self.begun = True
                        renewing = asyncio.create_task(self._renew(), name="lease")
                        await self._leave()
                    yield event
        except BaseException:
            if self.begun:
                await self._give_back()
            raise
        finally:
            if renewing is not None:
                renewing.cancel()

    async def _renew(self) -> None:
        principal = self.message.principal
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                async with self.runtime.database.transaction(
                    principal.organization_id
                ) as transaction:
                    now = self.runtime.clock()
                    await renew_lease(transaction, principal.actor, self.holder, now)
            except SupportError as error:
                _log.warning("lease_not_renewed", error=error.code)

    async def _give_back(self) -> None:
        principal = self.message.principal
        try:
            async with self.runtime.database.transaction(principal.organization_id) as transaction:
                await give_back_lease(transaction, principal.actor, self.holder)
        except SupportError as error:
            _log.warning("lease_not_given_back", error=error.code)

    async def _wait(self, conversation_id: UUID) -> None:
        """Stand in line until it is this message's turn to try."""
        organization_id = self.message.principal.organization_id
        database, clock = self.runtime.database, self.runtime.clock
        if self.line is None:
            async with database.transaction(organization_id) as transaction:
                await stand_in_line(transaction, conversation_id, self.holder, clock())
            self.line = conversation_id
        while time.monotonic() < self.until:
            await asyncio.sleep(LOOK_SECONDS)
            async with database.transaction(organization_id) as transaction:
                if await is_first_in_line(transaction, conversation_id, self.holder, clock()):
                    return
        raise ConversationBusy

    async def _leave(self) -> None:
        line, self.line = self.line, None
        if line is None:
            return
        try:
            async with self.runtime.database.transaction(
                self.message.principal.organization_id
            ) as transaction:
                await leave_line(transaction, line, self.holder)
        except SupportError as error:
            _log.warning("line_not_left", error=error.code)
