"""Background work on real databases: jobs survive kill -9, and no finished step is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.database import Transaction
from core.errors import Conflict, NotFound
from core.job_runner import JobRunner
from core.jobs import Job, cancel_job, job_kinds, list_jobs, read_job, retry_job, submit_job
from core.runtime import Runtime
from core.schedules import Schedule, due_schedules, run_if_due
from core.telemetry import request_id_variable
from tests.integration.jobs_process import kind_with_journal
from tests.integration.shop import Shop

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]
TAKEN_OVER_SECONDS = 10.0


class Workers:
    """Processes that do jobs, and the journal that they all write."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.settings = runtime.settings
        self.alone = runtime.database.dialect == "sqlite"
        self.folder = folder
        self.journal = folder / "journal.txt"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("jobs_process.py")),
                self.settings.database,
                str(self.settings.data_dir),
                str(self.journal),
                *(["alone"] if self.alone else []),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def lines(self) -> list[list[str]]:
        if not self.journal.exists():
            return []
        return [line.split() for line in self.journal.read_text(encoding="utf-8").splitlines()]

    def steps(self, id: UUID) -> list[str]:
        return [step for _, job, step in self.lines() if job == str(id)]

    def owner(self, id: UUID) -> int:
        return int(next(process for process, job, _ in self.lines() if job == str(id)))

    def hold(self) -> None:
        self.journal.with_suffix(".hold").touch()

    def let_go(self) -> None:
        self.journal.with_suffix(".hold").unlink()


@pytest.fixture
def workers(runtime: Runtime, tmp_path: Path) -> Iterator[Workers]:
    runtime.settings.data_dir.mkdir(parents=True, exist_ok=True)
    found = Workers(runtime, tmp_path)
    yield found
    for process in found.running:
        process.kill()
        process.wait()


async def submit(runtime: Runtime, shop: Shop) -> UUID:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await submit_in(runtime, transaction, shop)


async def submit_in(runtime: Runtime, transaction: Transaction, shop: Shop) -> UUID:
    return await submit_job(
        transaction,
        runtime.outbox,
        "journal",
        {},
        now=runtime.clock(),
        created_by="system",
        organization_id=shop.organization_id,
    )


async def read(runtime: Runtime, shop: Shop, id: UUID) -> Job:
    async with runtime.database.reading(shop.organization_id) as transaction:
        return await read_job(transaction, id)


async def wait_for(
    condition: Callable[[], Awaitable[bool]], seconds: float, what: str = ""
) -> float:
    """Wait until something holds; returns how long that took."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"{what} took longer than {seconds} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def ended(runtime: Runtime, shop: Shop, id: UUID, seconds: float = 60) -> Job:
    async def over() -> bool:
        return (await read(runtime, shop, id)).finished_at is not None

    await wait_for(over, seconds, "the job")
    return await read(runtime, shop, id)


async def restarted(workers: Workers) -> float:
    """Start a process in the place of the dead one; returns when it was up."""
    process = workers.start()

    async def up() -> bool:
        return workers.journal.with_suffix(f".{process.pid}").exists()

    await wait_for(up, 60, "the restart")
    return time.monotonic()


async def test_that_a_killed_process_is_replaced_without_repeating_a_finished_step(
    runtime: Runtime, shop: Shop, workers: Workers
) -> None:
    workers.hold()
    first = workers.start()
    if not workers.alone:
        workers.start()
    id = await submit(runtime, shop)

    async def holding() -> bool:
        return "hold" in workers.steps(id)

    await wait_for(holding, 60, "the start")
    owner = next(item for item in workers.running if item.pid == workers.owner(id))
    workers.kill(owner)
    killed_at = time.monotonic()
    workers.let_go()
    if workers.alone:
        assert owner is first
        killed_at = await restarted(workers)
    job = await ended(runtime, shop, id)
    seconds = time.monotonic() - killed_at
    assert job.state == "succeeded"
    assert job.result == {"steps_before": 2}
    assert workers.steps(id) == ["first", "hold", "hold", "last"]
    assert seconds < TAKEN_OVER_SECONDS


@asynccontextmanager
async def running_jobs(runtime: Runtime, journal: Path) -> AsyncIterator[JobRunner]:
    """Do jobs in this process."""
    runtime.settings.data_dir.mkdir(parents=True, exist_ok=True)
    kinds = job_kinds([kind_with_journal(journal)])
    runner = JobRunner(runtime, kinds, alone=True, stay_open=False)
    tasks = [asyncio.create_task(runtime.outbox.run()), asyncio.create_task(runner.run())]
    try:
        yield runner
    finally:
        await runner.close()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_that_jobs_fail_are_retried_and_cancelled(
    runtime: Runtime, shop: Shop, workers: Workers
) -> None:
    journal = workers.journal
    failing = journal.with_suffix(".fail")
    failing.touch()
    async with running_jobs(runtime, journal) as runner:
        await asyncio.sleep(0.5)
        assert not runner.is_open, "the engine is opened by the first job, not before"
        token = request_id_variable.set("req_of_the_test")
        id = await submit(runtime, shop)
        request_id_variable.reset(token)
        failed = await ended(runtime, shop, id)
        assert runner.is_open
        assert (failed.state, failed.step, failed.attempts) == ("failed", "hold", 1)
        assert failed.request_id == "req_of_the_test"
        assert failed.error == "An unexpected error: ValueError."

        failing.unlink()
        async with runtime.database.transaction(shop.organization_id) as transaction:
            assert (await retry_job(transaction, runtime.outbox, id)).state == "queued"
        again = await ended(runtime, shop, id)
        assert (again.state, again.error, again.attempts) == ("succeeded", None, 2)
        assert workers.steps(id) == ["first", "hold", "hold", "last"]

        workers.hold()
        other = await submit(runtime, shop)

        async def holding() -> bool:
            return "hold" in workers.steps(other)

        await wait_for(holding, 60)
        async with runtime.database.transaction(shop.organization_id) as transaction:
            assert (await cancel_job(transaction, other, runtime.clock())).state == "cancelled"
        workers.let_go()
        await asyncio.sleep(1)
        assert (await read(runtime, shop, other)).state == "cancelled"
        assert workers.steps(other) == ["first", "hold"]
        async with runtime.database.transaction(shop.organization_id) as transaction:
            with pytest.raises(Conflict):
                await cancel_job(transaction, other, runtime.clock())
            await retry_job(transaction, runtime.outbox, other)
        assert (await ended(runtime, shop, other)).state == "succeeded"
        assert workers.steps(other) == ["first", "hold", "last"]
        purged = 0

        async def both_are_purged() -> bool:
            # The engine writes a job's end down a moment after the job has said so itself.
            nonlocal purged
            purged += await runner.purge(runtime.clock() + timedelta(days=1))
            return purged == 2

        await wait_for(both_are_purged, 60)
        assert await runner.purge(runtime.clock() + timedelta(days=1)) == 0


async def test_that_jobs_are_listed_by_state_and_shop(runtime: Runtime, shop: Shop) -> None:
    ids = [await submit(runtime, shop) for _ in range(3)]
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await cancel_job(transaction, ids[0], runtime.clock())
        found, total = await list_jobs(transaction, 2, 0, state="queued", kind="journal")
        assert ({job.id for job in found}, total) == (set(ids[1:]), 2)
        page, total = await list_jobs(transaction, 1, 1)
        assert (len(page), total) == (1, 3)
        with pytest.raises(Conflict):
            await retry_job(transaction, runtime.outbox, ids[1])
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        assert await list_jobs(transaction, 10, 0) == ([], 0)
        with pytest.raises(NotFound):
            await read_job(transaction, ids[0])


async def test_that_a_schedule_runs_once_however_many_look(runtime: Runtime, shop: Shop) -> None:
    ran: list[str] = []

    async def run(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
        ran.append("within")

    async def afterwards(runtime: Runtime, now: datetime) -> None:
        ran.append("after")

    schedule = Schedule("of the test", timedelta(minutes=1), run, afterwards)
    assert await due_schedules(runtime, [schedule]) == [schedule]
    claims = await asyncio.gather(*(run_if_due(runtime, schedule) for _ in range(8)))
    assert sorted(claims) == [False] * 7 + [True]
    assert ran == ["within", "after"]
    assert await due_schedules(runtime, [schedule]) == []


async def test_that_a_schedule_that_fails_stays_due(runtime: Runtime, shop: Shop) -> None:
    async def fail(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
        await submit_in(runtime, transaction, shop)
        raise RuntimeError("the process dies here")

    schedule = Schedule("that fails", timedelta(minutes=1), fail)
    await due_schedules(runtime, [schedule])
    with pytest.raises(RuntimeError):
        await run_if_due(runtime, schedule)
    assert await due_schedules(runtime, [schedule]) == [schedule]
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert await list_jobs(transaction, 10, 0) == ([], 0)


async def test_that_a_row_of_the_outbox_carries_its_request(runtime: Runtime, shop: Shop) -> None:
    seen: list[str] = []

    async def note(organization_id: UUID, payload: Mapping[str, Any]) -> None:
        seen.append(request_id_variable.get())

    runtime.outbox.on("of.the.test", note)
    token = request_id_variable.set("req_from_the_header")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await runtime.outbox.add(transaction, "of.the.test", {})
    request_id_variable.reset(token)
    await runtime.outbox.drain()
    assert seen == ["req_from_the_header"]
    assert request_id_variable.get() == ""
