"""Short-lived values shared by requests: in memory, or in Redis for several processes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

MEMORY_ENTRIES = 10_000


class Cache(Protocol):
    """Byte strings by key, each with a time to live."""

    kind: str

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def increment(self, key: str, ttl_seconds: int) -> int:
        """Add one and return the count; the time to live starts with the first."""

    async def ping(self) -> bool: ...

    async def close(self) -> None: ...


class MemoryCache:
    """A bounded cache of one process; the oldest entry leaves first."""

    kind = "memory"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

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

    async def ping(self) -> bool:
        return True

    async def close(self) -> None:
        self._entries.clear()


class RedisCache:
    """A cache shared by every process that is given the same address."""

    kind = "redis"

    def __init__(self, url: str) -> None:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.exceptions import RedisError

        self._error: type[Exception] = RedisError
        pool: Any = BlockingConnectionPool.from_url(
            url, max_connections=50, timeout=5, socket_timeout=5, socket_connect_timeout=2
        )
        self._redis: Any = Redis(connection_pool=pool)
        self._pool = pool

    async def get(self, key: str) -> bytes | None:
        value: bytes | None = await self._redis.get(key)
        return value

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> None:
        await self._redis.set(key, value, ex=ttl_seconds)

    async def delete(self, key: str) -> None:
        await self._redis.delete(key)

    async def increment(self, key: str, ttl_seconds: int) -> int:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, ttl_seconds, nx=True)
            count, _ = await pipeline.execute()
        return int(count)

    async def ping(self) -> bool:
        try:
            return bool(await self._redis.ping())
        except (OSError, TimeoutError, self._error):
            return False

    async def close(self) -> None:
        await self._redis.aclose()
        await self._pool.aclose()


def open_cache(setting: str) -> Cache:
    """Open what `CACHE_URL` names: `memory://` or `redis://host:port/db`."""
    match setting.partition("://"):
        case ("memory", _, _):
            return MemoryCache()
        case ("redis" | "rediss", _, _):
            return RedisCache(setting)
        case _:
            raise ValueError(f"CACHE_URL: unknown value {setting!r}; use memory:// or redis://…")
