"""One cache, two homes: what holds in memory holds in Redis, and Redis may go away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count

import pytest

from core.providers import cache as module
from core.providers.cache import Cache, MemoryCache, RedisCache, open_cache
from tests.valkey import RedisServer

pytestmark = pytest.mark.anyio
_numbers = count(1)


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    url = "memory://"
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
    opened = open_cache(url)
    yield opened
    await opened.close()


@pytest.fixture
def key() -> str:
    return f"key-{next(_numbers)}"


async def test_a_value_is_kept_replaced_and_deleted(cache: Cache, key: str) -> None:
    assert await cache.get(key) is None
    await cache.set(key, b"one", 60)
    await cache.set(key, b"two", 60)
    assert await cache.get(key) == b"two"
    await cache.delete(key)
    assert await cache.get(key) is None


async def test_a_value_ends(cache: Cache, key: str) -> None:
    await cache.set(key, b"one", 1)
    assert await cache.increment(key + "n", 1) == 1
    assert await cache.increment(key + "n", 1) == 2
    await asyncio.sleep(1.1)
    assert await cache.get(key) is None
    assert await cache.increment(key + "n", 1) == 1


async def test_five_hundred_at_once_are_counted_exactly(cache: Cache, key: str) -> None:
    counted = await asyncio.gather(*(cache.count(key, 60) for _ in range(500)))
    assert sorted(one.count for one in counted) == list(range(1, 501))
    assert all(58 < one.seconds_left <= 60 for one in counted)


async def test_a_window_opens_with_the_first_and_ends(cache: Cache, key: str) -> None:
    assert (await cache.count(key, 1)).count == 1
    await asyncio.sleep(0.6)
    second = await cache.count(key, 1)
    assert second.count == 2
    assert second.seconds_left < 0.45
    await asyncio.sleep(0.5)
    assert (await cache.count(key, 1)).count == 1


async def test_windows_and_values_do_not_meet(cache: Cache, key: str) -> None:
    await cache.set(key, b"one", 60)
    assert (await cache.count(key, 60)).count == 1
    assert await cache.get(key) == b"one"


async def test_many_callers_cost_memory_and_time_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MEMORY_WINDOWS", 1_000)
    cache = MemoryCache()
    started = time.process_time()
    for number in range(20_000):
        await cache.count(f"address:{number}", 60)
    assert time.process_time() - started < 1.0
    assert len(cache._windows) <= 1_000
    assert (await cache.count("address:19999", 60)).count == 2


async def test_redis_goes_away_and_comes_back(redis: RedisServer, key: str) -> None:
    cache = RedisCache(redis.url)
    for number in range(1, 4):
        assert (await cache.count(key, 60)).count == number
    redis.stop()
    started = time.monotonic()
    assert (await cache.count(key, 60)).count == 4, "counting goes on from what Redis said"
    assert time.monotonic() - started < 0.3
    await cache.set(key, b"local", 60)
    assert await cache.get(key) == b"local"
    assert not await cache.ping()
    started = time.monotonic()
    for number in range(5, 105):
        assert (await cache.count(key, 60)).count == number
    assert time.monotonic() - started < 0.5
    redis.start()
    started = time.monotonic()
    while not await cache.ping():
        assert time.monotonic() - started < 5
        await asyncio.sleep(0.1)
    assert await cache.get(key) is None
    await cache.close()


async def test_a_redis_that_answers_nothing_holds_nobody_up(
    redis: RedisServer,
    key: str,
) -> None:
    cache = RedisCache(redis.url)
    await cache.count(key, 60)
    with redis.frozen():
        started = time.monotonic()
        counted = await asyncio.gather(*(cache.count(key, 60) for _ in range(100)))
        assert time.monotonic() - started < 3
        assert sorted(one.count for one in counted) == list(range(2, 102))
        assert cache.is_down, "the next one does not wait"
        started = time.monotonic()
        assert (await cache.count(key, 60)).count == 102
        assert time.monotonic() - started < 0.05
    await cache.close()


async def test_a_starved_process_does_not_take_itself_for_a_silent_redis(
    redis: RedisServer, key: str
) -> None:
    cache = RedisCache(redis.url)
    await cache.ping()

    async def busy() -> int:
        counted = await cache.count(key, 60)
        time.sleep(0.006)  # noqa: ASYNC251 - the process has other things to do
        return counted.count

    async def hogging() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            time.sleep(module.REDIS_TIMEOUT_SECONDS * 1.1)  # noqa: ASYNC251

    counts, _ = await asyncio.gather(asyncio.gather(*(busy() for _ in range(500))), hogging())
    assert sorted(counts) == list(range(1, 501))
    assert not cache.is_down
    await cache.close()
