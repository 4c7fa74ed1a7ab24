"""Can a first start be ended while the sample shop is still being made?"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import psutil

from tests.serving import ROOT, free_port, serve_command

SECONDS = 120


def wait_for_child(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that fills the empty database."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        children = psutil.Process(process.pid).children()
        if children:
            return children[0]
        time.sleep(0.05)
    raise AssertionError("nothing filled the database")


def test_that_it_ends_at_once_and_leaves_no_process_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        serve_command(free_port()),
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path / "data")},
        stderr=subprocess.DEVNULL,
    )
    try:
        child = wait_for_child(process)
        process.terminate()
        assert process.wait(SECONDS) == 128 + 15
        _, left = psutil.wait_procs([child], timeout=SECONDS)
        assert left == []
    finally:
        process.kill()
        process.wait()
