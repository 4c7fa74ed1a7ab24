"""What do open chat sockets cost? Opens idle ones against a server of its own, then a storm.

Prints the memory of the server before and with the sockets, and how long as many clients need to
come back at once and receive what they missed. Run: `scripts/bench sockets [--count 5000]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import websockets

ROOT = Path(__file__).resolve().parents[2]
SESSION = "bench"
AT_ONCE = 200
READY_SECONDS = 180


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def visitor(address: str) -> tuple[str, int]:
    """A visitor with a conversation: the token, and the last frame but two of its reply."""
    body = {"message": "Quels sont vos délais de livraison ?", "session_id": SESSION}
    sequences: list[int] = []
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        with client.stream(
            "POST", "/api/chat", json=body, headers={"Accept": "text/event-stream"}
        ) as response:
            token = response.headers["x-visitor-token"]
            for line in response.iter_lines():
                if line.startswith("id: "):
                    sequences.append(int(line[4:]))
    return token, sequences[-3]


async def open_sockets(address: str, token: str, count: int) -> list[websockets.ClientConnection]:
    """Open so many sockets, some at a time, and receive the first frame of each."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one(number: int) -> websockets.ClientConnection:
        async with gate:
            connection = await websockets.connect(
                f"{address}/api/chat/ws?session_id=idle-{number}",
                additional_headers={"X-Visitor-Token": token},
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=60,
            )
            await connection.recv()
            return connection

    return list(await asyncio.gather(*(open_one(number) for number in range(count))))


async def storm(address: str, token: str, after: int, count: int) -> tuple[float, int]:
    """How long so many clients take to come back at once, and how many missed or doubled."""

    # One client process cannot shake so many hands at once: it would be measured, not the server.
    gate = asyncio.Semaphore(AT_ONCE)

    async def come_back() -> int:
        received = 0
        async with (
            gate,
            websockets.connect(
                f"{address}/api/chat/ws?session_id={SESSION}&after={after}",
                additional_headers={"X-Visitor-Token": token},
                proxy=None,
                compression=None,
                open_timeout=120,
            ) as connection,
        ):
            while True:
                frame = json.loads(await asyncio.wait_for(connection.recv(), 120))
                received += "sequence" in frame
                if frame["type"] == "finished":
                    return received

    began = time.perf_counter()
    counts = await asyncio.gather(*(come_back() for _ in range(count)))
    return time.perf_counter() - began, sum(one != 2 for one in counts)


async def measure(address: str, process: psutil.Process, count: int) -> None:
    token, after = visitor(address)
    sockets_address = address.replace("http", "ws", 1)
    warm = await open_sockets(sockets_address, token, AT_ONCE)
    for connection in warm:
        await connection.close()
    before = process.memory_info().rss
    opened = await open_sockets(sockets_address, token, count)
    held = process.memory_info().rss
    print(f"idle sockets            {count:8d}")
    print(f"memory before        MB {before / 1e6:8.1f}")
    print(f"memory added         MB {(held - before) / 1e6:8.1f}")
    cpu = process.cpu_times()
    await asyncio.sleep(20)
    spent = process.cpu_times()
    used = spent.user + spent.system - cpu.user - cpu.system
    print(f"CPU while idle        % {used / 20 * 100:8.1f}")
    for start in range(0, count, AT_ONCE):
        await asyncio.gather(*(one.close() for one in opened[start : start + AT_ONCE]))
    took, wrong = await storm(sockets_address, token, after, count)
    print(f"storm                 s {took:8.1f}")
    print(f"missed or doubled       {wrong:8d}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5_000)
    options = parser.parse_args()
    limit = 2 * options.count + 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": os.environ.get("BENCH_DATA_DIR", folder),
            "PORT": str(port),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "warning",
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--seed"], cwd=ROOT, env=environment
        )
        try:
            _wait_until_ready(address)
            asyncio.run(measure(address, psutil.Process(server.pid), options.count))
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_ready(address: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/ready", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server did not become ready; run `mdf doctor`")


if __name__ == "__main__":
    main()
