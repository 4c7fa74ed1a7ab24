"""Commands on one connection to Redis: each gets its own answer, and a failure ends with itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from core.providers.redis_line import RedisLine
from tests.valkey import RedisServer, redis_server

pytestmark = pytest.mark.anyio

ANSWER_SECONDS = 0.5
SCRIPT = "return {KEYS[1], ARGV[1]}"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[RedisLine, RedisServer]]:
    with redis_server(tmp_path) as server:
        line = RedisLine(server.url, ANSWER_SECONDS)
        yield line, server
        await line.close()


async def test_commands_of_one_moment_run_in_order_and_have_their_own_answers(
    opened: tuple[RedisLine, RedisServer],
) -> None:
    line, _ = opened
    sent = [line.run("RPUSH", "list", number) for number in range(200)]
    assert await asyncio.gather(*sent) == list(range(1, 201))
    stored = await line.run("LRANGE", "list", 0, -1)
    assert stored == [str(number).encode() for number in range(200)]


async def test_a_refused_command_harms_none_of_the_others(
    opened: tuple[RedisLine, RedisServer],
) -> None:
    line, _ = opened
    commands = [line.run("SET", "a", "1"), line.run("RPUSH", "a", "x"), line.run("GET", "a")]
    first, refused, last = await asyncio.gather(*commands, return_exceptions=True)
    assert isinstance(refused, ResponseError)
    assert (first, last) == (b"OK", b"1")


async def test_who_stops_waiting_stops_nobody_else(opened: tuple[RedisLine, RedisServer]) -> None:
    line, _ = opened
    tasks = [asyncio.create_task(line.run("INCR", "count")) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[3], asyncio.CancelledError)
    assert await line.run("GET", "count") == b"10"


async def test_a_server_that_was_started_anew_is_found_and_learns_the_script(
    opened: tuple[RedisLine, RedisServer],
) -> None:
    line, server = opened
    assert await line.run_script(SCRIPT, "key", "one") == [b"key", b"one"]
    server.stop()
    with pytest.raises(line.failures):
        await line.run("PING")
    server.start()
    assert await line.run_script(SCRIPT, "key", "two") == [b"key", b"two"]


async def test_a_silent_server_fails_all_that_wait_at_once(
    opened: tuple[RedisLine, RedisServer],
) -> None:
    line, server = opened
    await line.run("PING")
    with server.frozen():
        started = time.monotonic()
        under_way = asyncio.create_task(line.run("PING"))
        await asyncio.sleep(ANSWER_SECONDS / 5)
        waiting = [line.run("PING") for _ in range(10)]
        answers = await asyncio.gather(under_way, *waiting, return_exceptions=True)
        assert all(isinstance(answer, line.failures) for answer in answers)
        assert time.monotonic() - started < 30
    assert await line.run("PING") == b"PONG"
