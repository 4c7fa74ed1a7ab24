"""What does the product carry, and what does a turn cost? One table over the ways to run it.

Embedded (SQLite, memory) and with PostgreSQL, Redis and a Chroma server, the latter with one and
two server processes; each with services of its own. `scripts/bench chat`'s mix of messages is
played over HTTP, then over WebSockets; then idle sockets are held. Processor time is counted for
each program apart; latencies hold only on a quiet machine.

Run: `scripts/bench load [--turns 400] [--sessions 8] [--sockets 1000] [--only embedded]`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import websockets

from scripts.benchmarks.chat import texts
from scripts.benchmarks.processes import Part, part_of, server

OPENED_AT_ONCE = 100
IDLE_SECONDS = 10.0
# A server that uses less than this share of a core does nothing but wait.
QUIET_SHARE = 0.05
QUIET_SECONDS = 4
SETTLE_SECONDS = 30
SETUPS = {
    "embedded": (False, 1),
    "services": (True, 1),
    "services-2": (True, 2),
}


@dataclass(frozen=True)
class Running:
    """One way to run the product, ready to be asked."""

    address: str
    parts: Sequence[Part]
    # The folder of PostgreSQL's socket, where there is one.
    database_host: str = ""

    @property
    def server(self) -> Part:
        return self.parts[0]

    def cpu_seconds(self) -> dict[str, float]:
        return {part.name: part.cpu_seconds() for part in self.parts}


@dataclass(frozen=True)
class Played:
    """Answered turns: how long each took, how long all took, what each program used."""

    seconds: Sequence[float]
    wall_seconds: float
    cpu_seconds: dict[str, float]

    def figures(self, prefix: str = "") -> dict[str, float]:
        quantiles = statistics.quantiles(self.seconds, n=100)
        turns = len(self.seconds)
        used = {name: value / turns * 1000 for name, value in self.cpu_seconds.items()}
        return {
            f"{prefix}turns a second": turns / self.wall_seconds,
            f"{prefix}p50 ms": quantiles[49] * 1000,
            f"{prefix}p95 ms": quantiles[94] * 1000,
            f"{prefix}p99 ms": quantiles[98] * 1000,
            f"{prefix}turns answered": turns,
            **{f"{prefix}CPU-ms a turn, {name}": value for name, value in used.items()},
            f"{prefix}CPU-ms a turn, all": sum(used.values()),
        }


@contextmanager
def running(with_services: bool, processes: int) -> Iterator[Running]:
    """The product with services of its own where wanted, in a folder that goes afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment: dict[str, str] = {}
        others: list[Part] = []
        host = ""
        if with_services:
            from tests.cluster import services

            started = stack.enter_context(services(folder))
            environment = started.environment()
            host = environment["DATABASE_URL"].split("host=")[1]
            others = [
                part_of("database", "postgres", "/".join(host.split("/")[:3])),
                part_of("cache", "valkey", str(started.valkey.port)),
                part_of("vectors", "", str(folder / "chroma")),
            ]
        address, own = stack.enter_context(server(folder, processes, environment))
        yield Running(address, [own, *others], host)


def play_over_http(product: Running, turns: int, sessions: int, seed: int) -> Played:
    """Play distinct messages in several visitors' sessions at once."""
    messages = list(texts(turns, seed))
    before, started = product.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(sessions) as pool:
        parts = [messages[index::sessions] for index in range(sessions)]
        played = pool.map(_post, itertools.repeat(product.address), parts, range(sessions))
        took = list(itertools.chain.from_iterable(played))
    return _played(product, took, before, started)


def _post(address: str, messages: Sequence[str], session: int) -> list[float]:
    """Send messages of one visitor, a topic of five in a session; the seconds of each answer."""
    took: list[float] = []
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        for number, text in enumerate(messages):
            started = time.perf_counter()
            body = {"message": text, "session_id": f"bench-{session}-{number // 5}"}
            if client.post("/api/chat", json=body).status_code == httpx.codes.OK:
                took.append(time.perf_counter() - started)
    return took


def _played(
    product: Running, took: Sequence[float], before: dict[str, float], started: float
) -> Played:
    wall_seconds = time.perf_counter() - started
    after = product.cpu_seconds()
    return Played(took, wall_seconds, {name: after[name] - before[name] for name in after})


async def play_over_sockets(product: Running, turns: int, sessions: int, seed: int) -> Played:
    """The same over one WebSocket a session; a turn lasts until its reply is stored."""
    messages = list(texts(turns, seed))
    sockets = await open_sockets(product.address, sessions, "chatting")
    before, started = product.cpu_seconds(), time.perf_counter()
    parts = [messages[index::sessions] for index in range(sessions)]
    took = await asyncio.gather(*map(_chat, sockets, parts))
    played = _played(product, list(itertools.chain.from_iterable(took)), before, started)
    await _close(sockets)
    return played


async def _chat(socket: websockets.ClientConnection, messages: Sequence[str]) -> list[float]:
    took = []
    for text in messages:
        started = time.perf_counter()
        await socket.send(json.dumps({"type": "message", "message": text}))
        while (frame := json.loads(await socket.recv()))["type"] != "finished":
            if frame["type"] == "error":
                raise SystemExit(f"a turn failed: {frame['detail']}")
        took.append(time.perf_counter() - started)
    return took


async def open_sockets(address: str, count: int, name: str) -> list[websockets.ClientConnection]:
    """Open so many sockets of one visitor, each to a conversation of its own."""
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
        greeting = await client.post("/api/chat", json={"message": "Bonjour"})
    headers = {"X-Visitor-Token": greeting.headers["x-visitor-token"]}
    gate = asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_one(number: int) -> websockets.ClientConnection:
        async with gate:
            connection = await websockets.connect(
                f"{address.replace('http', 'ws', 1)}/api/chat/ws?session_id={name}-{number}",
                additional_headers=headers,
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=60,
            )
            await connection.recv()
            return connection

    return list(await asyncio.gather(*map(open_one, range(count))))


async def _close(sockets: Sequence[websockets.ClientConnection]) -> None:
    for start in range(0, len(sockets), OPENED_AT_ONCE):
        await asyncio.gather(*(one.close() for one in sockets[start : start + OPENED_AT_ONCE]))


async def hold_sockets(product: Running, count: int) -> dict[str, float]:
    """What idle sockets add to memory, and what keeping them costs."""
    await _close(await open_sockets(product.address, OPENED_AT_ONCE, "warm"))
    before = product.server.memory_bytes()
    sockets = await open_sockets(product.address, count, "idle")
    settle(product)
    added = product.server.memory_bytes() - before
    cpu = product.server.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    used = product.server.cpu_seconds() - cpu
    await _close(sockets)
    return {
        f"{count} idle sockets add, MB": added / 1e6,
        f"{count} idle sockets, % of a core": used / IDLE_SECONDS * 100,
    }


def settle(product: Running) -> None:
    """Wait until the server has ended what a first start leaves to be done.

    Its sentences are encoded ahead of questions once nothing has been asked for two seconds.
    """
    quiet = 0
    for _ in range(SETTLE_SECONDS):
        before = product.server.cpu_seconds()
        time.sleep(1)
        quiet = quiet + 1 if product.server.cpu_seconds() - before < QUIET_SHARE else 0
        if quiet == QUIET_SECONDS:
            return


async def know_tables(product: Running) -> None:
    """Let PostgreSQL gather its statistics, as it does by itself within a minute.

    Until then it takes the organization's index, which names every row, for as good as any.
    """
    if product.database_host:
        import asyncpg

        connection = await asyncpg.connect(
            host=product.database_host, user="postgres", database="shop"
        )
        await connection.execute("ANALYZE")
        await connection.close()


def measure(name: str, turns: int, sessions: int, sockets: int) -> dict[str, float]:
    with running(*SETUPS[name]) as product:
        play_over_http(product, max(40, turns // 4), sessions, seed=1)
        asyncio.run(know_tables(product))
        settle(product)
        figures = play_over_http(product, turns, sessions, seed=2).figures()
        for part in product.parts:
            figures[f"memory MB, {part.name}"] = part.memory_bytes() / 1e6
        over_sockets = asyncio.run(play_over_sockets(product, turns, sessions, seed=3))
        figures |= over_sockets.figures("WebSocket: ")
        return figures | asyncio.run(hold_sockets(product, sockets))


def show(columns: dict[str, dict[str, float]]) -> None:
    """Print the table as Markdown, one column a way to run the product."""
    rows = dict.fromkeys(itertools.chain.from_iterable(columns.values()))
    print(f"| | {' | '.join(columns)} |")
    print(f"|---|{'---|' * len(columns)}")
    for row in rows:
        cells = [f"{column[row]:.1f}" if row in column else "" for column in columns.values()]
        print(f"| {row} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--only", choices=SETUPS, action="append")
    options = parser.parse_args()
    limit = 2 * options.sockets + 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    print(f"{options.turns} turns, {options.sessions} sessions at once, ", end="")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n", flush=True)
    chosen = options.only or list(SETUPS)
    columns = {}
    for name in chosen:
        columns[name] = measure(name, options.turns, options.sessions, options.sockets)
        print(name, json.dumps(columns[name]), file=sys.stderr, flush=True)
    show(columns)


if __name__ == "__main__":
    main()
