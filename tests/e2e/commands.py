"""The `mdf` command run to its end, as a person or a script runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "tests" / "e2e" / "guard"
COMMAND_SECONDS = 120
KEPT_VARIABLES = frozenset({"PATH", "LANG", "TMPDIR", "CI"})


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """This process's environment without settings of the product, and with those given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT_VARIABLES or name.startswith("OPENBLAS")
    }
    return {
        **kept,
        "HOME": str(data_dir),
        "DATA_DIR": str(data_dir),
        "PORT": "0",
        "PYTHONPATH": str(ROOT),
        **settings,
    }


def network_guard(log: Path) -> dict[str, str]:
    """Variables under which a Python process refuses the network and writes attempts to `log`."""
    return {"PYTHONPATH": f"{GUARD}{os.pathsep}{ROOT}", "NETWORK_LOG": str(log)}


def attempts(log: Path) -> list[str]:
    """What the guarded process tried to reach beyond this machine."""
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def run_command(
    data_dir: Path, *arguments: str, text: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run an `mdf` command to its end, with `text` as its standard input and more settings."""
    return run_python(data_dir, "-m", "api.cli", *arguments, text=text, **settings)


def run_python(
    data_dir: Path, *arguments: str, text: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python to its end in the data folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=data_dir,
        env=environment(data_dir, **settings),
        input=text,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
