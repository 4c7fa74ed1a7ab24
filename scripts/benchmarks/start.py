"""How long does a start take to its first answer, and how much memory does the process hold?

Starts `scripts/start` on a free port, polls `POST /api/chat` until it answers, twice: on an empty
data folder (the sample shop is made) and on that folder again.
Run: scripts/bench start
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
QUESTION = {"message": "Quels sont vos délais de livraison ?"}
LIMIT_SECONDS = 180


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def ask(port: int) -> dict[str, object] | None:
    """The answer to one chat message; None while nothing listens."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/chat",
        data=json.dumps(QUESTION).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            body: dict[str, object] = json.load(answer)
            return body
    except OSError:
        return None


def server_process(parent: psutil.Process) -> psutil.Process:
    return max([parent, *parent.children(recursive=True)], key=lambda one: one.memory_info().rss)


def measure(name: str, data_dir: str) -> None:
    port = free_port()
    started = time.monotonic()
    process = subprocess.Popen(
        [str(ROOT / "scripts" / "start")],
        env=os.environ | {"DATA_DIR": data_dir, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while (answer := ask(port)) is None and time.monotonic() - started < LIMIT_SECONDS:
            time.sleep(0.05)
        seconds = time.monotonic() - started
        server = server_process(psutil.Process(process.pid))
        times = server.cpu_times()
        sources = answer.get("sources") if answer else None
        print(
            f"{name}: first answer after {seconds:.2f} s "
            f"({len(sources) if isinstance(sources, list) else 'no'} sources), "
            f"{times.user + times.system:.2f} s of CPU, "
            f"{server.memory_info().rss / 1e6:.0f} MB resident"
        )
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mdf-start-") as folder:
        measure("first start", folder)
        measure("second start", folder)
        measure("third start", folder)
