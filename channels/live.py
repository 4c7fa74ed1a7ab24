"""An open window onto a conversation: its frames in order, each once, however the client reads.

A listener keeps at most `MAXIMUM_WAITING_BYTES` for a client that reads slowly; one that is
slower is let go and resumes. All listeners of a process share one clock: it sends heartbeats and
asks whether their sessions still stand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from channels.frames import LAST_POSITION, POSITIONS, Frame, channel_of
from channels.resume import frames_after
from core.runtime import Runtime
from core.security import Principal
from core.telemetry import logger
from services.accounts.sessions import still_valid

HEARTBEAT_SECONDS = 15.0
VALIDITY_SECONDS = 1.9
TICK_SECONDS = 1.0
# What was overtaken on its way has arrived by then.
SETTLE_SECONDS = 0.1
MAXIMUM_WAITING_BYTES = 512 * 1024
MAXIMUM_LISTENERS = 20_000

_log = logger("channels.live")


class Window(Protocol):
    """What a listener belongs to: a socket or an event stream."""

    principal: Principal

    def wake(self) -> None:
        """There is something to send; must not block."""

    def heartbeat(self) -> None: ...

    def session_ended(self) -> None: ...

    def going_away(self) -> None: ...


class Listener:
    """The frames of one conversation for one client."""

    __slots__ = (
        "_held",
        "_missed",
        "_ready",
        "_runtime",
        "_waiting_bytes",
        "_wake",
        "channel",
        "first",
        "last",
        "overflowed",
        "principal",
        "session_id",
    )

    def __init__(
        self, runtime: Runtime, principal: Principal, session_id: str, wake: Callable[[], None]
    ) -> None:
        self._runtime = runtime
        self._wake = wake
        self.principal = principal
        self.session_id = session_id
        self.channel = channel_of(principal.organization_id, principal.actor, session_id)
        # The first and the last frame that were received while the window was open.
        self.first = 0
        self.last = 0
        self.overflowed = False
        self._missed = False
        self._ready: list[Frame] | None = None
        self._waiting_bytes = 0
        # What comes while missed frames are looked up: it belongs behind them.
        self._held: list[Frame] | None = None

    async def open(self) -> None:
        await self._runtime.broadcast.listen(self.channel, self._receive)

    async def close(self) -> None:
        self._ready = None
        await self._runtime.broadcast.stop(self.channel, self._receive)

    def _receive(self, items: Sequence[bytes] | None) -> None:
        if items is None:
            # Where nothing was received yet, there is no place to go on from.
            self._missed = self.last > 0
        else:
            frames = [Frame.from_bytes(item) for item in items]
            if self._held is not None:
                self._held += frames
            else:
                self._accept(frames)
        self._wake()

    def _accept(self, frames: list[Frame]) -> None:
        for one in frames:
            if one.sequence == 0:
                # Such as typing: for whoever listens now.
                self.put([one])
            elif one.sequence > self.last:
                if self._overtakes(one):
                    self._missed = True
                    return
                self.first = self.first or one.sequence
                self.last = one.sequence
                self.put([one])

    def _overtakes(self, one: Frame) -> bool:
        """Whether a turn of another process is heard before the end of the one before it."""
        sequence, position = divmod(self.last, POSITIONS)
        return sequence > 0 and position != LAST_POSITION and one.message_sequence != sequence

    def put(self, frames: list[Frame]) -> None:
        """Hand frames to this client behind those that wait already."""
        if self.overflowed:
            return
        if self._ready is None:
            self._ready = []
        self._ready += frames
        self._waiting_bytes += sum(len(one.text) for one in frames)
        if self._waiting_bytes > MAXIMUM_WAITING_BYTES:
            self.overflowed = True
            self._ready, self._waiting_bytes = None, 0

    async def take(self) -> list[Frame]:
        """What is to be sent now, [] where there is nothing."""
        if self._missed:
            await asyncio.sleep(SETTLE_SECONDS)
            self._missed = False
            await self._look_up(self.last)
        ready, self._ready, self._waiting_bytes = self._ready or [], None, 0
        return ready

    async def resume(self, after: int) -> None:
        """Hand out everything since the frame `after` that this window has not received."""
        first = self.first
        await self._look_up(after, before=first)

    async def _look_up(self, after: int, before: int = 0) -> None:
        self._held = []
        try:
            found = await frames_after(self._runtime, self.principal, self.session_id, after)
            found = [one for one in found if not before or one.sequence < before]
            self.put(found)
            self.last = max([after, self.last, *(one.sequence for one in found)])
        finally:
            held, self._held = self._held, None
            self._accept(held)


class OpenListeners:
    """The windows that are open on this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # By window: when something was last sent to it, in seconds of the monotonic clock.
        self._windows: dict[Window, float] = {}
        self._clock: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self.is_closing = False

    def __len__(self) -> int:
        return len(self._windows)

    @property
    def is_full(self) -> bool:
        return len(self._windows) >= MAXIMUM_LISTENERS

    def add(self, window: Window) -> None:
        self._windows[window] = time.monotonic()
        if self._clock is None:
            self._clock = asyncio.create_task(self._tick(), name="listeners")

    def remove(self, window: Window) -> None:
        self._windows.pop(window, None)
        if not self._windows and self.is_closing:
            self._gone.set()

    async def wait_until_gone(self, seconds: float) -> None:
        """Give the windows that were told to go so long to do it."""
        if self._windows:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._gone.wait()

    def sent(self, window: Window) -> None:
        """Something went to this window: its next heartbeat may wait."""
        if window in self._windows:
            self._windows[window] = time.monotonic()

    async def _tick(self) -> None:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            for window, sent in tuple(self._windows.items()):
                if now - sent >= HEARTBEAT_SECONDS:
                    self._windows[window] = now
                    window.heartbeat()
            if now - checked >= VALIDITY_SECONDS:
                checked = now
                await self._end_invalid()

    async def _end_invalid(self) -> None:
        """Close the windows of sessions that have ended; a database that is away ends none."""
        answers: dict[Principal, bool] = {}
        for window in tuple(self._windows):
            principal = window.principal
            if principal.is_visitor:
                continue
            if principal not in answers:
                try:
                    answers[principal] = await still_valid(self._runtime, principal)
                except Exception:
                    _log.warning("session_not_checked", exc_info=True)
                    answers[principal] = True
            if not answers[principal]:
                window.session_ended()

    def go_away(self) -> None:
        """Tell every window that this process ends; clients resume with another."""
        self.is_closing = True
        for window in tuple(self._windows):
            window.going_away()

    async def close(self) -> None:
        self.go_away()
        if self._clock is not None:
            self._clock.cancel()
            with suppress(asyncio.CancelledError):
                await self._clock
