"""How what one process says reaches those who listen on any: in memory, or through Redis.

A channel's items arrive in one order everywhere and are kept for a while, so that a listener who
was away can read what it missed. Keeping is bounded: what no longer fits is gone, and callers
must be able to do without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from typing import Any, Protocol

from core.providers.redis_line import RedisLine
from core.telemetry import logger

KEPT_BYTES = 16 * 1024 * 1024
KEPT_ITEMS_PER_CHANNEL = 1_000
RECONNECT_SECONDS = 0.5
CONFIRM_SECONDS = 2.0
ANSWER_SECONDS = 2.0
_PREFIX = "mdf:live:"
# Subscribed to as long as the process lives, so that there is always something to read from.
_ALWAYS = "_"

# One way to the server for all; nobody may read between the list and the message.
_KEEP_AND_PUBLISH = """
redis.call('RPUSH', KEYS[1], unpack(ARGV, 4))
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('PUBLISH', KEYS[1], ARGV[3])
"""

# Takes the next items, or None: some may have been missed, read `recent`.
Receiver = Callable[[Sequence[bytes] | None], None]


class Broadcast(Protocol):
    """Byte strings on named channels."""

    kind: str

    def is_wanted(self, channel: str) -> bool:
        """Whether publishing on a channel could matter to anyone; never false for one who does."""

    async def publish(self, channel: str, items: Sequence[bytes], keep_seconds: int) -> None:
        """Hand items to all listeners and keep them; listeners here are served in any case.

        With 0 seconds nothing is kept: for what nobody reads later.
        """

    async def recent(self, channel: str) -> list[bytes]:
        """What was published lately, oldest first."""

    async def listen(self, channel: str, receiver: Receiver) -> None:
        """Call `receiver` with everything published from now on."""

    async def stop(self, channel: str, receiver: Receiver) -> None: ...

    async def close(self) -> None: ...


class _Listeners:
    """Who listens to which channel in this process."""

    def __init__(self) -> None:
        self.by_channel: dict[str, list[Receiver]] = {}

    def add(self, channel: str, receiver: Receiver) -> bool:
        """Returns whether it is the channel's first."""
        receivers = self.by_channel.setdefault(channel, [])
        receivers.append(receiver)
        return len(receivers) == 1

    def remove(self, channel: str, receiver: Receiver) -> bool:
        """Returns whether it was the channel's last."""
        receivers = self.by_channel.get(channel, [])
        if receiver not in receivers:
            return False
        receivers.remove(receiver)
        if not receivers:
            del self.by_channel[channel]
        return not receivers

    def deliver(self, channel: str, items: Sequence[bytes]) -> None:
        for receiver in tuple(self.by_channel.get(channel, ())):
            receiver(items)

    def warn(self) -> None:
        """Tell everybody that something may have been missed."""
        for receivers in tuple(self.by_channel.values()):
            for receiver in tuple(receivers):
                receiver(None)


class MemoryBroadcast:
    """Channels of one process; the channel that was silent longest is forgotten first."""

    kind = "memory"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._listeners = _Listeners()
        # By channel: when it is forgotten, and what it holds.
        self._kept: OrderedDict[str, tuple[float, list[bytes]]] = OrderedDict()
        self._kept_bytes = 0

    def is_wanted(self, channel: str) -> bool:
        return channel in self._listeners.by_channel or channel in self._kept

    async def publish(self, channel: str, items: Sequence[bytes], keep_seconds: int) -> None:
        if keep_seconds == 0:
            self._listeners.deliver(channel, items)
            return
        now = self._clock()
        _, kept = self._kept.pop(channel, (0.0, list[bytes]()))
        kept.extend(items)
        self._kept_bytes += sum(map(len, items))
        while len(kept) > KEPT_ITEMS_PER_CHANNEL:
            self._kept_bytes -= len(kept.pop(0))
        self._kept[channel] = (now + keep_seconds, kept)
        self._forget(now)
        self._listeners.deliver(channel, items)

    def _forget(self, now: float) -> None:
        """Let go of what is old, and of more where it takes too much room."""
        while self._kept:
            channel, (until, kept) = next(iter(self._kept.items()))
            if until > now and self._kept_bytes <= KEPT_BYTES:
                return
            del self._kept[channel]
            self._kept_bytes -= sum(map(len, kept))

    async def recent(self, channel: str) -> list[bytes]:
        self._forget(self._clock())
        return list(self._kept.get(channel, (0.0, []))[1])

    async def listen(self, channel: str, receiver: Receiver) -> None:
        self._listeners.add(channel, receiver)

    async def stop(self, channel: str, receiver: Receiver) -> None:
        self._listeners.remove(channel, receiver)

    async def close(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0


class RedisBroadcast:
    """Channels shared by every process with the same address: publish/subscribe and a short list.

    All listeners of a process share one connection. While Redis is away, listeners of the
    publishing process are still served; when it is back, all are told that they may have missed
    something.
    """

    kind = "redis"

    def __init__(self, url: str) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        # RuntimeError: read from while a subscription is being renewed.
        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, RuntimeError)
        self._line = RedisLine(url, ANSWER_SECONDS)
        # A connection of its own, on which silence is no failure. It must not mend itself without
        # a word: listeners have to be told.
        self._listening: Any = Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        self._pubsub: Any = self._listening.pubsub()
        self._listeners = _Listeners()
        # Channels that Redis did not get something of.
        self._broken: set[str] = set()
        # Channels whose subscription Redis has confirmed, or is about to.
        self._subscribed: dict[str, asyncio.Event] = {}
        self._reader: asyncio.Task[None] | None = None
        self._speaking = asyncio.Lock()
        self._log = logger("core.providers.broadcast")

    def is_wanted(self, channel: str) -> bool:
        return True

    async def publish(self, channel: str, items: Sequence[bytes], keep_seconds: int) -> None:
        key = _PREFIX + channel
        try:
            await self._forget_broken()
            message = b"\n".join(items)
            if keep_seconds == 0:
                await self._line.run("PUBLISH", key, message)
            else:
                values = (KEPT_ITEMS_PER_CHANNEL, keep_seconds, message, *items)
                await self._line.run_script(_KEEP_AND_PUBLISH, key, *values)
        except self._errors as error:
            self._log.warning("broadcast_failed", error=type(error).__name__)
            self._broken.add(channel)
            self._listeners.deliver(channel, items)

    async def recent(self, channel: str) -> list[bytes]:
        try:
            await self._forget_broken()
            return list(await self._line.run("LRANGE", _PREFIX + channel, 0, -1))
        except self._errors as error:
            self._log.warning("broadcast_unreadable", error=type(error).__name__)
            return []

    async def _forget_broken(self) -> None:
        """What is kept of a channel with a gap would be taken for everything: drop it."""
        if self._broken:
            broken = set(self._broken)
            await self._line.run("DEL", *(_PREFIX + channel for channel in broken))
            self._broken -= broken

    async def listen(self, channel: str, receiver: Receiver) -> None:
        if self._reader is None:
            # Before anything is waited for: two who come at once must not read from one connection.
            self._reader = asyncio.create_task(self._read(), name="broadcast", context=Context())
        if self._listeners.add(channel, receiver):
            self._subscribed[channel] = asyncio.Event()
            await self._tell("subscribe", channel)
        # What is published before Redis has confirmed would be lost.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._subscribed[channel].wait()

    async def stop(self, channel: str, receiver: Receiver) -> None:
        if self._listeners.remove(channel, receiver):
            self._subscribed.pop(channel, None)
            await self._tell("unsubscribe", channel)

    async def _tell(self, command: str, channel: str) -> None:
        """Subscribe or not; where Redis is away, the reader subscribes anew when it is back."""
        try:
            async with self._speaking:
                await getattr(self._pubsub, command)(_PREFIX + channel)
        except self._errors as error:
            self._log.warning("broadcast_not_told", command=command, error=type(error).__name__)

    async def _read(self) -> None:
        """Hand on what arrives, for as long as the process lives."""
        await self._tell("subscribe", _ALWAYS)
        while True:
            try:
                message = await self._pubsub.get_message(timeout=None)
            except self._errors as error:
                self._log.warning("broadcast_lost", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)
                await self._subscribe_anew()
                continue
            if message is not None:
                self._hand_on(message)

    def _hand_on(self, message: Mapping[str, Any]) -> None:
        channel = message["channel"].decode().removeprefix(_PREFIX)
        if message["type"] == "message":
            self._listeners.deliver(channel, message["data"].split(b"\n"))
        elif message["type"] == "subscribe" and channel in self._subscribed:
            self._subscribed[channel].set()

    async def _subscribe_anew(self) -> None:
        channels = [_PREFIX + channel for channel in (_ALWAYS, *self._listeners.by_channel)]
        try:
            async with self._speaking:
                await self._pubsub.aclose()
                self._pubsub = self._listening.pubsub()
                await self._pubsub.subscribe(*channels)
        except self._errors:
            return
        self._listeners.warn()

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        for part in (self._pubsub, self._listening):
            with contextlib.suppress(*self._errors):
                await part.aclose()
        await self._line.close()


def open_broadcast(setting: str) -> Broadcast:
    """Open what `CACHE_URL` names: `memory://` or `redis://host:port/db`."""
    match setting.partition("://"):
        case ("memory", _, _):
            return MemoryBroadcast()
        case ("redis" | "rediss", _, _):
            return RedisBroadcast(setting)
        case _:
            raise ValueError(f"CACHE_URL: unknown value {setting!r}; use memory:// or redis://…")
