"""Which processes does a measured product consist of, and what have they used?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from core.providers.prepared import copy_models  # noqa: E402

# Trained intents of earlier runs: learning them is not what is measured.
KEPT_MODELS = ROOT / "build" / "bench-models"
READY_SECONDS = 240.0
END_SECONDS = 40.0


@dataclass(frozen=True)
class Part:
    """One program of the product with all the processes that it has started."""

    name: str
    root: psutil.Process

    def _processes(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time so far, that of ended children included."""
        ended = self.root.cpu_times()
        total = ended.children_user + ended.children_system
        for process in self._processes():
            try:
                used = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += used.user + used.system
        return total

    def memory_bytes(self) -> int:
        """Resident memory that no other process shares, of all its processes."""
        total = 0
        for process in self._processes():
            try:
                total += process.memory_full_info().uss
            except psutil.NoSuchProcess:
                continue
        return total


def part_of(name: str, program: str, mark: str) -> Part:
    """The running program whose command line holds a mark, such as its data folder."""
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            parent = process.parent()
        except psutil.Error:
            continue
        if line and program in line[0] and any(mark in word for word in line):
            if parent is None or mark not in " ".join(parent.cmdline()):
                return Part(name, process)
    raise SystemExit(f"no process of {name} was found")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(
    folder: Path, processes: int, environment: Mapping[str, str]
) -> Iterator[tuple[str, Part]]:
    """The address and the processes of a product with the sample shop, warm models, no limits."""
    port, data_dir = free_port(), folder / "data"
    if KEPT_MODELS.exists():
        copy_models(KEPT_MODELS, data_dir / "models")
    command = [sys.executable, "-m", "api.cli", "serve", "--seed", "--processes", str(processes)]
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(data_dir),
            "PORT": str(port),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "warning",
            **environment,
        },
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_ready(address, running)
        yield address, Part("server", psutil.Process(running.pid))
        copy_models(data_dir / "models", KEPT_MODELS)
    finally:
        running.terminate()
        running.wait(END_SECONDS)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{address}/ready", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server did not become ready; run `mdf doctor`")
