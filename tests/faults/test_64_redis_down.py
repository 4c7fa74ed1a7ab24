"""64: Redis goes down or falls silent: limits hold by process, nothing fails, and it comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from tests.edge import Edge, open_edge
from tests.valkey import redis_server

pytestmark = pytest.mark.anyio


async def get(client: httpx.AsyncClient) -> tuple[int, float]:
    started = time.perf_counter()
    answer = await client.get("/api/nothing")
    return answer.status_code, time.perf_counter() - started


async def healthy(edge: Edge) -> bool:
    async with edge.client() as client:
        answer = await client.get("/ready")
    assert answer.status_code == 200, "the cache is not critical"
    body = answer.json()
    assert body["critical_ready"] is True
    assert body["ready"] is body["checks"]["cache"]["healthy"]
    assert body["checks"]["cache"]["type"] == "redis"
    return bool(body["checks"]["cache"]["healthy"])


async def until_healthy(edge: Edge) -> float:
    started = time.monotonic()
    while not await healthy(edge):
        assert time.monotonic() - started < 5
        await asyncio.sleep(0.1)
    return time.monotonic() - started


async def test_64_redis_down_leaves_a_limit_of_each_process(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        async with open_edge(tmp_path / "data", cache_url=redis.url) as edge, edge.client() as one:
            for _ in range(40):
                assert (await get(one))[0] == 404
            assert await healthy(edge)
            redis.stop()
            answers = [await get(one) for _ in range(61)]
            assert [status for status, _ in answers] == [404] * 60 + [429]
            assert not await healthy(edge)
            async with edge.client(edge.tokens["customer"]) as signed_in:
                waits = sorted([(await get(signed_in))[1] for _ in range(50)])
            assert waits[25] < 0.05
            redis.start()
            await until_healthy(edge)
            async with edge.client(edge.tokens["agent"]) as signed_in:
                assert (await get(signed_in))[0] == 404


async def test_64_a_silent_redis_holds_nobody_up_for_long(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        async with open_edge(tmp_path / "data", cache_url=redis.url) as edge, edge.client() as one:
            await get(one)
            with redis.frozen():
                first = await asyncio.gather(*(get(one) for _ in range(50)))
                assert {status for status, _ in first} == {404}
                assert max(seconds for _, seconds in first) < 3
                later = sorted([(await get(one))[1] for _ in range(20)])
                assert later[10] < 0.05
                assert not await healthy(edge)
            await until_healthy(edge)


async def test_64_a_start_without_redis_is_a_start(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        redis.stop()
        async with open_edge(tmp_path / "data", cache_url=redis.url) as edge, edge.client() as one:
            assert (await get(one))[0] == 404
            assert not await healthy(edge)
            redis.start()
            await until_healthy(edge)
