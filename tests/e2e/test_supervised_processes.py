"""`mdf serve --processes`: who falls is replaced, all are renewed in turn, all end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cluster import services
from tests.e2e.commands import run_command
from tests.product import reuse_models
from tests.serving import ROOT, free_port

PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Process, str]]:
    """The parent of two processes, and where they listen."""
    folder = tmp_path_factory.mktemp("supervised")
    data_dir = folder / "data"
    data_dir.mkdir()
    reuse_models(data_dir)
    port = free_port()
    with services(folder) as shared:
        environment = {
            **os.environ,
            **shared.environment(),
            "DATA_DIR": str(data_dir),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--seed"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--processes", "2"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        address = f"http://127.0.0.1:{port}"
        try:
            _until(lambda: b"Ready on" in (folder / "log").read_bytes())
            yield psutil.Process(process.pid), address
        finally:
            process.terminate()
            process.wait(60)


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.1)


def _servers(parent: psutil.Process) -> set[int]:
    return {one.pid for one in parent.children() if _serves(one)}


def _serves(process: psutil.Process) -> bool:
    """Whether it is a serving process that lives; one that just ended has no command line."""
    try:
        return "serve-process" in process.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


def _answers(address: str) -> bool:
    body = {"message": "Quels sont vos délais de livraison ?"}
    answer = httpx.post(f"{address}/api/chat", json=body, timeout=60, trust_env=False)
    return answer.status_code == 200


def test_a_process_that_falls_is_replaced(supervised: tuple[psutil.Process, str]) -> None:
    parent, address = supervised
    before = _servers(parent)
    assert len(before) == 2
    fallen = min(before)
    os.kill(fallen, signal.SIGKILL)
    assert all(_answers(address) for _ in range(3))
    _until(lambda: len(_servers(parent) - {fallen}) == 2)


def test_all_are_renewed_without_a_refused_request(
    supervised: tuple[psutil.Process, str],
) -> None:
    parent, address = supervised
    before = _servers(parent)
    os.kill(parent.pid, signal.SIGHUP)
    until = time.monotonic() + PATIENCE_SECONDS
    while _servers(parent) & before and time.monotonic() < until:
        assert _answers(address)
    assert not _servers(parent) & before
    assert len(_servers(parent)) == 2


def test_no_process_outlives_its_parent(supervised: tuple[psutil.Process, str]) -> None:
    parent, _ = supervised
    children = [psutil.Process(pid) for pid in _servers(parent)]
    os.kill(parent.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_what_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    refused = run_command(tmp_path, "serve", "--processes", "2")
    assert refused.returncode == 1
    for name in ("DATABASE_URL", "CACHE_URL", "VECTORS"):
        assert name in refused.stderr
