"""Short-lived values shared by requests: in memory, or in Redis for several processes.

A Redis that cannot be reached stops nobody. Each process then counts and remembers by itself,
beginning with what Redis last counted, and asks again every half second; no request waits for a
server that is known to be down. `ping` says whether the values are shared.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.providers.redis_line import RedisLine
from core.telemetry import logger

MEMORY_ENTRIES = 10_000
# Callers counted at once in one process (about 250 bytes each); the oldest window leaves first.
MEMORY_WINDOWS = 50_000
# An answer of Redis takes well under a millisecond. Only requests that are under way when Redis
# falls silent wait so long, and once.
REDIS_TIMEOUT_SECONDS = 1.0
RECOVERY_SECONDS = 0.5

# One round trip: count, start the window with the first, say how long it still lasts.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Count:
    """How many there were within a window, this one included, and when the window ends."""

    count: int
    seconds_left: float


class Cache(Protocol):
    """Byte strings by key, each with a time to live."""

    kind: str

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def increment(self, key: str, ttl_seconds: int) -> int:
        """Add one and return the count; the time to live starts with the first."""

    async def count(self, key: str, window_seconds: int) -> Count:
        """Count one event in the window that the first one opens; exact under concurrency.

        Windows follow a clock that nobody sets back, and are kept apart from the values.
        """

    async def ping(self) -> bool: ...

    async def close(self) -> None: ...


class MemoryCache:
    """A bounded cache of one process; the oldest entry leaves first."""

    kind = "memory"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] <= self._clock():
            del self._entries[key]
            return None
        return entry[0]

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> None:
        self._entries.pop(key, None)
        self._entries[key] = (value, self._clock() + ttl_seconds)
        while len(self._entries) > MEMORY_ENTRIES:
            self._entries.popitem(last=False)

    async def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    async def increment(self, key: str, ttl_seconds: int) -> int:
        current = await self.get(key)
        count = int(current or b"0") + 1
        if current is None:
            await self.set(key, b"1", ttl_seconds)
        else:
            self._entries[key] = (str(count).encode(), self._entries[key][1])
        return count

    async def count(self, key: str, window_seconds: int) -> Count:
        now = self._clock()
        count, ends_at = self._windows.get(key, (0, 0.0))
        if ends_at <= now:
            count, ends_at = 0, now + window_seconds
        self.keep_count(key, Count(count + 1, ends_at - now))
        return Count(count + 1, ends_at - now)

    def keep_count(self, key: str, count: Count) -> None:
        """Remember a window as it is; one that has just begun goes to the end of the line."""
        if count.count == 1:
            self._windows.pop(key, None)
            self._drop_windows()
        self._windows[key] = (count.count, self._clock() + count.seconds_left)

    def _drop_windows(self) -> None:
        """Forget windows that are over, and the oldest where there are too many."""
        now = self._clock()
        while self._windows:
            key, (_, ends_at) = next(iter(self._windows.items()))
            if ends_at > now and len(self._windows) < MEMORY_WINDOWS:
                return
            del self._windows[key]

    async def ping(self) -> bool:
        return True

    async def close(self) -> None:
        self._entries.clear()
        self._windows.clear()


class RedisCache:
    """A cache shared by every process that is given the same address.

    While Redis is down, a `MemoryCache` answers in its place.
    """

    kind = "redis"

    def __init__(self, url: str) -> None:
        self._line = RedisLine(url, REDIS_TIMEOUT_SECONDS)
        self._local = MemoryCache()
        self._recovery: asyncio.Task[None] | None = None

    @property
    def is_down(self) -> bool:
        return self._recovery is not None

    async def get(self, key: str) -> bytes | None:
        return await self._either(lambda: self._line.run("GET", key), lambda: self._local.get(key))

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> None:
        await self._either(
            lambda: self._line.run("SET", key, value, "EX", ttl_seconds),
            lambda: self._local.set(key, value, ttl_seconds),
        )

    async def delete(self, key: str) -> None:
        await self._local.delete(key)
        await self._either(lambda: self._line.run("DEL", key), lambda: self._local.delete(key))

    async def increment(self, key: str, ttl_seconds: int) -> int:
        async def shared() -> int:
            return int((await self._line.run_script(_COUNT, key, ttl_seconds * 1000))[0])

        return await self._either(shared, lambda: self._local.increment(key, ttl_seconds))

    async def count(self, key: str, window_seconds: int) -> Count:
        async def shared() -> Count:
            window_ms = window_seconds * 1000
            count, left_ms = await self._line.run_script(_COUNT, f"window:{key}", window_ms)
            counted = Count(int(count), int(left_ms) / 1000)
            self._local.keep_count(key, counted)
            return counted

        return await self._either(shared, lambda: self._local.count(key, window_seconds))

    async def ping(self) -> bool:
        """Whether Redis answers; False while this process counts by itself."""

        async def alone() -> bool:
            return False

        async def shared() -> bool:
            return bool(await self._line.run("PING"))

        return await self._either(shared, alone)

    async def close(self) -> None:
        if self._recovery is not None:
            self._recovery.cancel()
            with suppress(asyncio.CancelledError):
                await self._recovery
        await self._line.close()

    async def _either(
        self, shared: Callable[[], Awaitable[Value]], local: Callable[[], Awaitable[Value]]
    ) -> Value:
        """What Redis answers, else what this process knows."""
        if not self.is_down:
            try:
                return await shared()
            except self._line.failures as error:
                self._give_up(error)
        return await local()

    def _give_up(self, error: Exception) -> None:
        if self._recovery is None:
            logger("core.cache").warning("cache_down", reason=type(error).__name__)
            self._recovery = asyncio.create_task(self._recover(), name="cache recovery")

    async def _recover(self) -> None:
        """Ask until Redis answers, then share again; what was remembered meanwhile is dropped."""
        while True:
            await asyncio.sleep(RECOVERY_SECONDS)
            with suppress(*self._line.failures):
                await self._line.run("PING")
                break
        self._local = MemoryCache()
        self._recovery = None
        logger("core.cache").warning("cache_back")


def open_cache(setting: str) -> Cache:
    """Open what `CACHE_URL` names: `memory://` or `redis://host:port/db`."""
    match setting.partition("://"):
        case ("memory", _, _):
            return MemoryCache()
        case ("redis" | "rediss", _, _):
            return RedisCache(setting)
        case _:
            raise ValueError(f"CACHE_URL: unknown value {setting!r}; use memory:// or redis://…")
