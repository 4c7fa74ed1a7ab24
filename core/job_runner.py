"""Which process does the jobs, and who takes over those of a process that died.

The runner of a process opens the engine when the first job arrives and, beside a server, closes
it again when nothing is left to do: an idle process pays nothing. While the engine is open the
process raises its number in `job_executors` every two seconds; one whose number has stood still
for `DEAD_AFTER_SECONDS` of our own monotonic time is dead, and its jobs are queued again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import delete, select, update

from core.database import new_id
from core.errors import NotFound, SupportError
from core.jobs import (
    JOB_RETRIED,
    JOB_SUBMITTED,
    Job,
    JobKind,
    Step,
    begin_step,
    finish_job,
    job_executors,
    queued_jobs,
    read_job,
    unfinished_jobs,
)
from core.providers.jobs import JobEngine, StepRunner, engine_database
from core.runtime import Runtime
from core.telemetry import logger, request_id_variable

BEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 5.5
FORGOTTEN_AFTER = timedelta(seconds=5)
IDLE_SECONDS = 20.0
PATIENCE_SECONDS = 5

Result = TypeVar("Result")


class Interrupted(BaseException):
    """The process is closing: the step is neither done nor failed."""


class JobRunner:
    """Runs jobs in this process.

    `alone`: no other process shares the database, so whoever else has begun jobs is dead.
    `stay_open`: the engine is opened at once and kept (a worker), not when it is needed.
    """

    def __init__(
        self,
        runtime: Runtime,
        kinds: Mapping[str, JobKind],
        *,
        alone: bool,
        stay_open: bool,
    ) -> None:
        self._runtime = runtime
        self._kinds = kinds
        self._alone = alone
        self._stay_open = stay_open
        self._name = f"{os.getpid()}-{new_id().hex[-12:]}"
        self._engine: JobEngine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._using = asyncio.Lock()
        self._seen: dict[str, tuple[int, float]] = {}
        self._busy_at = time.monotonic()
        self._closing = False
        self._log = logger("core.job_runner")
        runtime.outbox.on(JOB_SUBMITTED, self._on_submitted)
        runtime.outbox.on(JOB_RETRIED, self._on_retried)

    @property
    def is_open(self) -> bool:
        """Whether the engine is open just now."""
        return self._engine is not None

    async def _on_submitted(self, organization_id: UUID, payload: Mapping[str, Any]) -> None:
        await self._use(lambda engine: engine.submit(payload["job_id"]))

    async def _on_retried(self, organization_id: UUID, payload: Mapping[str, Any]) -> None:
        await self._use(lambda engine: engine.retry(payload["job_id"]))

    async def _use(self, work: Callable[[JobEngine], Result]) -> Result:
        """Do something with the open engine, in a thread, one at a time."""
        async with self._using:
            self._busy_at = time.monotonic()
            return await asyncio.to_thread(work, await self._opened())

    async def _opened(self) -> JobEngine:
        if self._engine is None:
            self._loop = asyncio.get_running_loop()
            settings = self._runtime.settings
            url = engine_database(settings.database, settings.data_dir)
            engine = JobEngine(url, self._name, self._body)
            await self._beat()
            await asyncio.to_thread(engine.launch)
            self._engine = engine
            self._log.info("job_engine_opened", executor=self._name)
        return self._engine

    async def run(self) -> None:
        """Watch over jobs for as long as the process lives."""
        while True:
            try:
                await self._look_after()
            except asyncio.CancelledError:
                raise
            except Exception:
                self._log.exception("job_watch_failed")
            await asyncio.sleep(BEAT_SECONDS if self.is_open else IDLE_SECONDS / 4)

    async def _look_after(self) -> None:
        async with self._runtime.database.reading(None, every_organization=True) as look:
            unfinished = await unfinished_jobs(look)
        if unfinished:
            self._busy_at = time.monotonic()
        if not self.is_open and not unfinished and not self._stay_open:
            return
        if not self._stay_open and time.monotonic() - self._busy_at > IDLE_SECONDS:
            await self._shut(PATIENCE_SECONDS)
            return
        await self._use(lambda engine: None)
        await self._beat()
        await self._take_over()
        await self._submit_forgotten()

    async def _beat(self) -> None:
        now = self._runtime.clock()
        async with self._runtime.database.transaction(None) as transaction:
            changed = await transaction.execute(
                update(job_executors)
                .where(job_executors.c.name == self._name)
                .values(beats=job_executors.c.beats + 1, seen_at=now)
            )
            if changed.rowcount == 0:
                row = {"name": self._name, "beats": 1, "seen_at": now}
                await transaction.insert(job_executors, row)

    async def _take_over(self) -> None:
        """Queue again the jobs of processes that are dead, or that left without finishing."""
        alive = await self._living_executors()
        begun = await self._use(lambda engine: engine.unfinished_executors())
        for executor in sorted(begun - alive):
            count = await self._use(partial(JobEngine.take_over, executor=executor))
            self._log.warning("jobs_taken_over", executor=executor, jobs=count)
        async with self._runtime.database.transaction(None) as transaction:
            await transaction.execute(
                delete(job_executors).where(job_executors.c.name.not_in(alive))
            )

    async def _living_executors(self) -> set[str]:
        async with self._runtime.database.reading(None) as look:
            rows = await look.all(select(job_executors.c.name, job_executors.c.beats))
        now = time.monotonic()
        for row in rows:
            if row.name not in self._seen or self._seen[row.name][0] != row.beats:
                self._seen[row.name] = (row.beats, now)
        alive = {
            row.name
            for row in rows
            if row.name == self._name
            or (not self._alone and now - self._seen[row.name][1] < DEAD_AFTER_SECONDS)
        }
        self._seen = {name: self._seen[name] for name in alive}
        return alive | {self._name}

    async def _submit_forgotten(self) -> None:
        """Hand over jobs whose process died between taking the outbox row and queueing them."""
        before = self._runtime.clock() - FORGOTTEN_AFTER
        async with self._runtime.database.reading(None, every_organization=True) as look:
            forgotten = await queued_jobs(look, before)
        for job in forgotten:
            hand_over = JobEngine.retry if job.attempts > 1 else JobEngine.submit
            await self._use(partial(hand_over, job_id=str(job.id)))

    async def purge(self, before: datetime) -> int:
        """Let the engine forget jobs that ended before a moment; returns how many."""
        return await self._use(lambda engine: engine.purge(before))

    async def close(self) -> None:
        """Let running steps end for a few seconds; the rest is taken over later."""
        self._closing = True
        await self._shut(PATIENCE_SECONDS)

    async def _shut(self, patience_seconds: int) -> None:
        async with self._using:
            engine, self._engine = self._engine, None
            if engine is None:
                return
            async with self._runtime.database.reading(None, every_organization=True) as look:
                unfinished = await unfinished_jobs(look)
            await asyncio.to_thread(engine.close, patience_seconds if unfinished else 0)
        self._log.info("job_engine_closed", executor=self._name)
        with suppress(SupportError):
            async with self._runtime.database.transaction(None) as transaction:
                await transaction.execute(
                    delete(job_executors).where(job_executors.c.name == self._name)
                )

    # What follows runs in a thread of the engine; steps run on the product's own loop.

    def _body(self, job_id: str, run_step: StepRunner) -> None:
        try:
            job = self._call(self._read(UUID(job_id)))
        except NotFound:
            return
        token = request_id_variable.set(job.request_id)
        try:
            self._do(job, run_step)
        finally:
            request_id_variable.reset(token)

    def _do(self, job: Job, run_step: StepRunner) -> None:
        results: dict[str, Mapping[str, Any]] = {}
        kind = self._kinds.get(job.kind)
        if kind is None:
            self._call(self._finish(job, error=f"This release knows no job of kind {job.kind}."))
            return
        for step in kind.steps:
            if not self._call(self._begin(job, step)):
                return
            try:
                results[step.name] = run_step(step.name, self._work(step, job, results))
            except Exception as error:
                self._log.warning("job_failed", job_id=str(job.id), kind=job.kind, step=step.name)
                self._call(self._finish(job, error=_told(error)))
                return
        self._call(self._finish(job, result=results[kind.steps[-1].name]))

    def _work(
        self, step: Step, job: Job, results: Mapping[str, Any]
    ) -> Callable[[], Mapping[str, Any]]:
        return lambda: self._call(self._run_step(step, job, results))

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the product's loop and wait for it, from a thread."""
        loop = self._loop
        if self._closing or loop is None or loop.is_closed():
            work.close()
            raise Interrupted
        try:
            return asyncio.run_coroutine_threadsafe(work, loop).result()
        except asyncio.CancelledError as error:
            raise Interrupted from error

    async def _run_step(
        self, step: Step, job: Job, results: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        request_id_variable.set(job.request_id)
        try:
            return await step.run(self._runtime, job, results)
        except SupportError as error:
            raise StepFailed(error.message) from None
        except Exception as error:
            self._log.exception("job_step_failed", job_id=str(job.id), step=step.name)
            # The text of an unexpected error may quote what a person wrote.
            raise StepFailed(f"An unexpected error: {type(error).__name__}.") from None

    async def _read(self, id: UUID) -> Job:
        async with self._runtime.database.reading(None, every_organization=True) as transaction:
            return await read_job(transaction, id)

    async def _begin(self, job: Job, step: Step) -> bool:
        database = self._runtime.database
        async with database.transaction(job.organization_id) as transaction:
            return await begin_step(transaction, job.id, step.name, self._runtime.clock())

    async def _finish(self, job: Job, **outcome: Any) -> None:
        database = self._runtime.database
        async with database.transaction(job.organization_id) as transaction:
            await finish_job(transaction, job.id, self._runtime.clock(), **outcome)


class StepFailed(Exception):
    """A step could not be done; the message may be shown to an administrator."""


def _told(error: Exception) -> str:
    """What an administrator reads of a failed step."""
    if isinstance(error, StepFailed) or type(error).__name__ == "PortableWorkflowError":
        return str(error)
    return f"An unexpected error: {type(error).__name__}."
