"""A process that does jobs and nothing else, for tests that kill it.

Usage: jobs_process.py <database url> <data folder> <journal> [alone]. Each step appends a line to
the journal: `<process> <job> <step>`. A file `<journal>.hold` keeps the step `hold` from ending,
`<journal>.fail` lets it fail, and `<journal>.<process>` says that the process has started.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import api.tables  # noqa: F401  every table must be known
from core.job_runner import JobRunner
from core.jobs import Job, JobKind, Step, job_kinds
from core.runtime import Runtime, open_runtime
from core.settings import Settings

StepFunction = Callable[[Runtime, Job, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


def kind_with_journal(journal: Path) -> JobKind:
    """Three steps: `first` and `last` end at once, `hold` waits while the file is there."""

    def step(name: str) -> Step:
        async def run(runtime: Runtime, job: Job, results: Mapping[str, Any]) -> Mapping[str, Any]:
            with journal.open("a", encoding="utf-8") as lines:
                lines.write(f"{os.getpid()} {job.id} {name}\n")
            # Another process takes the file away.
            while name == "hold" and journal.with_suffix(".hold").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if name == "hold" and journal.with_suffix(".fail").exists():
                raise ValueError("jeanne.martin@example.com could not be reached")
            return {"steps_before": len(results)}

        return Step(name, run)

    return JobKind("journal", (step("first"), step("hold"), step("last")))


async def work(database_url: str, data_dir: Path, journal: Path, alone: bool) -> None:
    settings = Settings(database_url=database_url, data_dir=data_dir, log_level="error")
    async with open_runtime(settings, {}) as runtime:
        kinds = job_kinds([kind_with_journal(journal)])
        runner = JobRunner(runtime, kinds, alone=alone, stay_open=not alone)
        journal.with_suffix(f".{os.getpid()}").touch()
        await asyncio.gather(runtime.outbox.run(), runner.run())


if __name__ == "__main__":
    url, folder, journal_file = sys.argv[1:4]
    asyncio.run(work(url, Path(folder), Path(journal_file), "alone" in sys.argv[4:]))
