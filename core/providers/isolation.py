"""Child processes for what strangers send: no environment, no secret, bounded resources.

Isolated (-I) from the environment and the working folder: only this product's own folder is added
to where modules are found.
"""

from __future__ import annotations

import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "import importlib; importlib.import_module(sys.argv.pop(1)).main()"
)


async def start_isolated(
    module: str, *arguments: str, stdin: int = PIPE, environment: Mapping[str, str] | None = None
) -> Process:
    """Start `module.main()` with `arguments` as `sys.argv[1:]`; its output is a pipe.

    `environment` is all that it gets beside a locale.
    """
    return await create_subprocess_exec(
        sys.executable,
        "-I",
        "-c",
        _PROGRAM,
        str(_ROOT),
        module,
        *arguments,
        stdin=stdin,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"LC_ALL": "C.UTF-8", **(environment or {})},
    )


def limit_resources(memory_bytes: int, cpu_seconds: int, written_bytes: int = 0) -> None:
    """Bound what this process may use from now on, without a core file; for the child to call."""
    for what, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, written_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (value, value))
