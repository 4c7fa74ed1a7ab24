"""Runs turns that go on when their client is gone: in order, each message once, heard by all.

A turn is a task of the process, not of the request that asked for it. Its frames are broadcast to
everyone who has the conversation open, on this process or another, and kept for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import Accepted, IncomingMessage, Reply, ReplyEvent
from channels.consoles import tell_desk
from channels.frames import Frame, FrameWriter, channel_of, frame
from channels.order import ConversationLocks, handle_in_line
from core.errors import ServiceUnavailable, SupportError
from core.providers.broadcast import Broadcast
from core.runtime import Runtime
from core.telemetry import logger, request_id_variable

# How long frames can be read again.
KEPT_SECONDS = 120
# Frames that follow one another faster than this travel together.
GATHER_SECONDS = 0.02
# Whoever sent a message without listening waits for the whole reply; other listeners can too.
GATHER_UNSTREAMED_SECONDS = 0.25
MAXIMUM_TURNS = 2_000
UNEXPECTED = "An unexpected error occurred; quote the request id to support."


@dataclass(eq=False)
class RunningTurn:
    """A turn in progress, or what became of it."""

    message: IncomingMessage
    streamed: bool
    frames: list[Frame] = field(default_factory=list)
    reply: Reply = field(default_factory=Reply)
    accepted: Accepted | None = None
    error: Exception | None = None
    on_change: list[Callable[[], None]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    @property
    def is_done(self) -> bool:
        return self.task is not None and self.task.done()

    @property
    def was_repeated(self) -> bool:
        return self.accepted is not None and self.accepted.repeated

    def changed(self) -> None:
        for tell in tuple(self.on_change):
            tell()

    async def wait(self) -> Reply:
        """The whole reply; raises what ended the turn. Who stops waiting does not stop it."""
        if self.task is not None:
            await asyncio.shield(self.task)
        if self.error is not None:
            raise self.error
        return self.reply

    async def stream(self, heartbeat_seconds: float) -> AsyncGenerator[Frame, None]:
        """This turn's frames as they come, the last one ending it; heartbeats in silence."""
        news = asyncio.Event()
        self.on_change.append(news.set)
        sent = 0
        try:
            while True:
                for one in self.frames[sent:]:
                    sent += 1
                    yield one
                if self.is_done and sent == len(self.frames):
                    return
                try:
                    async with asyncio.timeout(heartbeat_seconds):
                        await news.wait()
                except TimeoutError:
                    yield frame("heartbeat")
                news.clear()
        finally:
            self.on_change.remove(news.set)


class LiveTurns:
    """The turns in progress of this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._running: set[RunningTurn] = set()
        self._log = logger("channels.turns")

    def start(self, message: IncomingMessage, *, streamed: bool) -> RunningTurn:
        """Begin to answer a message; raises ServiceUnavailable when too many are in progress.

        Frames of a turn that is not `streamed` are made only where somebody may be listening.
        """
        if len(self._running) >= MAXIMUM_TURNS:
            raise ServiceUnavailable("Too many messages are being answered; try again in a moment.")
        turn = RunningTurn(message, streamed)
        self._running.add(turn)
        turn.task = asyncio.create_task(self._run(turn), name="turn")
        turn.task.add_done_callback(lambda _: self._ended(turn))
        return turn

    def _ended(self, turn: RunningTurn) -> None:
        self._running.discard(turn)
        turn.changed()

    async def finish(self, seconds: float) -> None:
        """Let the turns in progress end, for so long at most."""
        tasks = [turn.task for turn in self._running if turn.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, turn: RunningTurn) -> None:
        message = turn.message
        principal = message.principal
        channel = channel_of(principal.organization_id, principal.actor, message.session_id)
        gather_seconds = GATHER_SECONDS if turn.streamed else GATHER_UNSTREAMED_SECONDS
        broadcast = Batch(self._runtime.broadcast, channel, gather_seconds)
        writer = FrameWriter(message)
        framed = turn.streamed
        unheard: list[ReplyEvent] = []
        try:
            async with self._runtime.part(ConversationLocks).ordered(message):
                async with aclosing(self._events(message)) as events:
                    async for event in events:
                        turn.reply.add(event)
                        if isinstance(event, Accepted):
                            turn.accepted = event
                        unheard.append(event)
                        # Somebody may begin to listen in the middle of a turn.
                        framed = framed or broadcast.is_wanted()
                        if framed:
                            written = [one for each in unheard for one in writer.write(each)]
                            unheard.clear()
                            self._tell(turn, broadcast, written)
                # Before the next turn of the conversation, here or elsewhere, says anything.
                await broadcast.flush()
            await self._tell_consoles(turn)
        except Exception as error:
            self._failed(turn, error)
            if framed:
                failure = _failure(error)
                if turn.accepted is None:
                    turn.frames.append(frame("error", **failure))
                else:
                    self._tell(turn, broadcast, [writer.failed(failure)])
                await broadcast.flush()

    def _tell(self, turn: RunningTurn, broadcast: Batch, frames: list[Frame]) -> None:
        turn.frames += frames
        # A reply that is given again interests only who asked again.
        if not turn.was_repeated:
            broadcast.add(frames)
        turn.changed()

    async def _tell_consoles(self, turn: RunningTurn) -> None:
        accepted = turn.accepted
        if accepted is not None and not accepted.repeated:
            await tell_desk(
                self._runtime,
                turn.message.principal.organization_id,
                "conversation",
                conversation_id=accepted.conversation_id,
                owner=turn.reply.owner,
                role="user",
            )

    def _failed(self, turn: RunningTurn, error: Exception) -> None:
        turn.error = error
        if not isinstance(error, SupportError):
            self._log.exception("turn_failed")

    async def _events(self, message: IncomingMessage) -> AsyncGenerator[ReplyEvent, None]:
        """The engine's events once it is this message's turn among all processes."""
        runtime = self._runtime
        assistant = runtime.part(Assistant)
        # An embedded database has one process, whose locks suffice.
        several = runtime.database.dialect == "postgresql"
        answered = handle_in_line if several else handle
        async with aclosing(answered(message, assistant, runtime)) as events:
            async for event in events:
                yield event


def _failure(error: Exception) -> dict[str, Any]:
    """What an error frame says: the shape of the support contract's errors."""
    known = isinstance(error, SupportError)
    return {
        "success": False,
        "error": error.code if isinstance(error, SupportError) else "internal_error",
        "detail": error.message if isinstance(error, SupportError) else UNEXPECTED,
        "request_id": request_id_variable.get(),
        "retry": not known or isinstance(error, ServiceUnavailable),
    }


class Batch:
    """Frames of one turn on their way; those that follow one another closely travel together."""

    def __init__(self, broadcast: Broadcast, channel: str, gather_seconds: float) -> None:
        self._broadcast = broadcast
        self._channel = channel
        self._gather_seconds = 0.0 if broadcast.kind == "memory" else gather_seconds
        self._waiting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()

    def is_wanted(self) -> bool:
        return self._broadcast.is_wanted(self._channel)

    def add(self, frames: list[Frame]) -> None:
        self._waiting += [one.as_bytes() for one in frames]
        if self._waiting and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._gather_seconds, self._send_soon)

    def _send_soon(self) -> None:
        self._timer = None
        sending = asyncio.create_task(self._send())
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _send(self) -> None:
        async with self._in_order:
            waiting, self._waiting = self._waiting, []
            if waiting:
                await self._broadcast.publish(self._channel, waiting, KEPT_SECONDS)

    async def flush(self) -> None:
        """Send what has not been sent; nothing is under way when this returns."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._send()
