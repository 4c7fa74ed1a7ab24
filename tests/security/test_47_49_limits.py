"""47 to 49: limits are exact at once, hold at the window's edge, and cannot be talked round."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api import limits
from core.providers.cache import MemoryCache
from tests.edge import PEER, Edge, open_edge
from tests.valkey import RedisServer

pytestmark = pytest.mark.anyio
PROXY, OTHER_PROXY, CLIENT = "10.0.0.1", "10.0.0.2", "203.0.113.9"


@pytest.fixture(params=["memory", "redis"])
async def edge(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Edge]:
    url = "memory://"
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
    async with open_edge(tmp_path, cache_url=url) as opened:
        yield opened


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Edge]:
    async with open_edge(tmp_path, trusted_proxies="10.0.0.0/24, fd00::/8") as opened:
        yield opened


async def statuses(client: httpx.AsyncClient, number: int, path: str) -> Counter[int]:
    answers = await asyncio.gather(*(client.get(path) for _ in range(number)))
    return Counter(answer.status_code for answer in answers)


async def left(client: httpx.AsyncClient, **headers: str) -> int:
    answer = await client.get("/api/nothing", headers=headers)
    return int(answer.headers["x-ratelimit-remaining"])


async def test_47_of_five_hundred_at_once_exactly_a_hundred_pass(edge: Edge) -> None:
    async with edge.client(edge.tokens["admin"]) as client:
        assert await statuses(client, 500, "/api/nothing") == {404: 100, 429: 400}


async def test_47_groups_and_callers_are_counted_apart(edge: Edge) -> None:
    async with edge.client(edge.tokens["customer"]) as client:
        assert (await statuses(client, 101, "/api/nothing"))[429] == 1
        assert (await client.get("/api/v1/nothing")).status_code == 404
        answer = await client.post("/api/upload")
        assert answer.headers["x-ratelimit-limit"] == "10"
    async with edge.client(edge.keys["default"]) as client:
        assert await left(client) == 99
    async with edge.client() as client:
        headers = {"X-API-Key": edge.keys["default"]}
        assert await left(client, **headers) == 98
        assert await left(client) == 99


async def test_47_uploads_are_ten_a_minute(edge: Edge) -> None:
    async with edge.client(edge.tokens["agent"]) as client:
        answers = [await client.post("/api/upload") for _ in range(11)]
    assert [answer.status_code for answer in answers[:10]].count(429) == 0
    assert answers[10].status_code == 429
    assert answers[10].headers["retry-after"] == str(answers[10].json()["retry_after"])


async def test_47_made_up_credentials_make_no_new_caller(edge: Edge) -> None:
    async with edge.client(address="192.0.2.99") as client:
        assert await left(client) == 99
        key = edge.keys["default"]
        forged = key[:-4] + ("AAAA" if not key.endswith("AAAA") else "BBBB")
        for number, credential in enumerate((forged, "mdf_live_x", "x.y.z", ""), start=1):
            headers = {"Authorization": f"Bearer {credential}"}
            assert await left(client, **headers) == 99 - number


async def test_48_no_minute_sees_more_than_twice_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for each burst to end within its window on a busy machine.
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 5)
    async with open_edge(tmp_path) as edge, edge.client() as client:
        assert (await client.get("/api/nothing")).status_code == 404
        await asyncio.sleep(4.5)
        passed = (await statuses(client, 300, "/api/nothing"))[404]
        await asyncio.sleep(1)
        passed += (await statuses(client, 300, "/api/nothing"))[404]
        assert 100 <= passed <= 200


async def test_48_a_clock_set_back_or_on_gives_no_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_edge(tmp_path) as edge, edge.client() as client:
        assert (await statuses(client, 101, "/api/nothing"))[429] == 1
        now = edge.runtime.clock
        for shift in (timedelta(minutes=-10), timedelta(minutes=10), timedelta(days=-400)):
            object.__setattr__(edge.runtime, "clock", lambda shift=shift: now() + shift)
            seconds = shift.total_seconds()
            monkeypatch.setattr(limits.time, "time", lambda moved=seconds: 1.8e9 + moved)
            assert (await client.get("/api/nothing")).status_code == 429


async def test_48_the_window_keeps_its_own_time() -> None:
    now = [50.0]
    cache = MemoryCache(lambda: now[0])
    assert (await cache.count("caller", 60)).seconds_left == 60
    now[0] += 59.9
    assert (await cache.count("caller", 60)).count == 2
    now[0] += 0.2
    assert (await cache.count("caller", 60)).count == 1


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
async def test_49_a_forged_address_is_ignored(tmp_path: Path, name: str) -> None:
    async with open_edge(tmp_path) as edge, edge.client() as client:
        for number in range(3):
            assert await left(client, **{name: f"203.0.113.{number}"}) == 99 - number


async def test_49_a_trusted_proxy_tells_whom_it_speaks_for(proxied: Edge) -> None:
    async with proxied.client(address=PROXY) as proxy:
        assert await left(proxy, **{"X-Forwarded-For": CLIENT}) == 99
        assert await left(proxy, **{"X-Forwarded-For": "203.0.113.10"}) == 99
        # What stands before the address that our own proxy saw, the client has written.
        assert await left(proxy, **{"X-Forwarded-For": f"1.2.3.4, {CLIENT}"}) == 98
        assert await left(proxy, **{"X-Forwarded-For": f"5.6.7.8,{CLIENT}, {OTHER_PROXY}"}) == 97
    async with proxied.client(address=CLIENT) as client:
        assert await left(client, **{"X-Forwarded-For": "203.0.113.77"}) == 96


@pytest.mark.parametrize("value", ["", "nonsense", f"{CLIENT}, nonsense", "unknown", "1.2.3.4:80"])
async def test_49_a_proxy_that_talks_nonsense_is_counted_itself(proxied: Edge, value: str) -> None:
    async with proxied.client(address=PROXY) as proxy:
        await left(proxy)
        assert await left(proxy, **{"X-Forwarded-For": value}) == 98


async def test_49_an_ipv6_network_is_one_caller(tmp_path: Path) -> None:
    async with open_edge(tmp_path) as edge:
        for number, address in enumerate(("2001:db8::1", "2001:db8::ffff", "2001:db8:0:0:1::")):
            async with edge.client(address=address) as client:
                assert await left(client) == 99 - number
        for address in ("2001:db8:0:1::1", PEER):
            async with edge.client(address=address) as client:
                assert await left(client) == 99
        async with edge.client(address=f"::ffff:{PEER}") as client:
            assert await left(client) == 98


async def test_49_sign_in_counts_addresses_whoever_asks(proxied: Edge) -> None:
    wrong = {"email": "nobody@example.com", "password": "wrong-password"}
    answers = []
    for role in ("admin", "agent", "customer") * 2:
        async with proxied.client(proxied.tokens[role], address=CLIENT) as client:
            answers.append((await client.post("/api/auth/login", json=wrong)).status_code)
    assert answers == [401] * 5 + [429]


async def test_47_two_processes_share_one_count(redis: RedisServer, tmp_path: Path) -> None:
    async with (
        open_edge(tmp_path / "a", cache_url=redis.url) as first,
        open_edge(tmp_path / "b", cache_url=redis.url) as second,
        first.client(address="192.0.2.200") as one,
        second.client(address="192.0.2.200") as two,
    ):
        counted = await asyncio.gather(
            statuses(one, 250, "/api/nothing"), statuses(two, 250, "/api/nothing")
        )
    assert counted[0][404] + counted[1][404] == 100
    assert counted[0][429] + counted[1][429] == 400
