"""What this process does in the background: which kinds of jobs, and what happens at its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import api.tables  # noqa: F401  every table must be known
from bot.tools import BUILT_IN_TOOLS
from channels.desk import HANDOFF_TIMERS
from core.job_runner import JobRunner
from core.jobs import JobKind, job_kinds
from core.migrations import migrate
from core.runtime import Runtime, open_runtime, utc_now
from core.schedules import Schedule, run_schedules
from core.settings import Settings
from knowledge.health.job import HEALTH_JOBS, KNOWLEDGE_WATCH
from services.monitoring.outcomes import OUTCOMES_WATCH
from services.privacy.jobs import PRIVACY_JOBS, RETENTION
from services.tickets.escalation import ESCALATION
from services.tickets.sla_watch import SLA_WATCH
from services.uploads.retention import delete_orphans

JOB_KINDS: tuple[JobKind, ...] = (*PRIVACY_JOBS, *HEALTH_JOBS)
ORPHAN_UPLOADS = Schedule("orphan_uploads", timedelta(hours=1), afterwards=delete_orphans)
SCHEDULES: tuple[Schedule, ...] = (
    SLA_WATCH,
    RETENTION,
    ORPHAN_UPLOADS,
    HANDOFF_TIMERS,
    ESCALATION,
    OUTCOMES_WATCH,
    KNOWLEDGE_WATCH,
)


@asynccontextmanager
async def background_work(runtime: Runtime, *, worker: bool = False) -> AsyncIterator[None]:
    """Do jobs and schedules while the block runs; a server does where JOBS says so.

    A `worker` keeps the engine of jobs open; a server opens it when a job arrives.
    """
    if not worker and not runtime.settings.embeds_jobs:
        yield
        return
    alone = runtime.database.dialect == "sqlite"
    runner = JobRunner(runtime, job_kinds(JOB_KINDS), alone=alone, stay_open=worker)
    runtime.parts[JobRunner] = runner
    tasks = [
        asyncio.create_task(runner.run(), name="jobs"),
        asyncio.create_task(run_schedules(runtime, SCHEDULES), name="schedules"),
    ]
    try:
        yield
    finally:
        await runner.close()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def open_worker(
    settings: Settings, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Runtime]:
    """Open what jobs need, and do them; no index and no interpreter is loaded."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await migrate(settings.database)
    async with open_runtime(settings, BUILT_IN_TOOLS, clock) as runtime:
        async with background_work(runtime, worker=True):
            drainer = asyncio.create_task(runtime.outbox.run(), name="outbox")
            try:
                yield runtime
            finally:
                drainer.cancel()
                with suppress(asyncio.CancelledError):
                    await drainer
