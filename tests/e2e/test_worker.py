"""`mdf worker` as it is run: beside PostgreSQL it does jobs, beside SQLite it says who does."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

import api.tables  # noqa: F401  every table must be known
from core.jobs import Job, read_job, submit_job
from core.migrations import migrate
from core.runtime import open_runtime, utc_now
from core.settings import Settings
from services.accounts.organizations import create_organization
from services.privacy.jobs import RETENTION_JOB
from tests.e2e.commands import environment, run_command
from tests.integration.conftest import _administer, _postgresql_url, postgresql_folder

__all__ = ["postgresql_folder"]
START_SECONDS = 180


@pytest.fixture
def settings(postgresql_folder: str, tmp_path: Path) -> Iterator[Settings]:
    """A migrated PostgreSQL database with one shop."""
    name = "worker_test"
    asyncio.run(_administer(postgresql_folder, f"CREATE DATABASE {name}"))
    url = _postgresql_url(postgresql_folder, name)
    chosen = Settings(database_url=url, data_dir=tmp_path / "data", log_level="error")
    asyncio.run(migrate(url))
    yield chosen
    asyncio.run(_administer(postgresql_folder, f"DROP DATABASE {name} WITH (FORCE)"))


def start_worker(settings: Settings, data_dir: Path) -> subprocess.Popen[str]:
    data_dir.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "worker"],
        env=environment(data_dir, DATABASE_URL=settings.database_url, LOG_LEVEL="warning"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "Ready for background work"
    return process


async def make_shop(settings: Settings) -> UUID:
    async with open_runtime(settings, {}) as runtime:
        async with runtime.database.transaction(None) as transaction:
            return (await create_organization(transaction, "Shop", "shop", utc_now())).id


async def submit(settings: Settings, shop: UUID) -> UUID:
    async with open_runtime(settings, {}) as runtime:
        async with runtime.database.transaction(shop) as transaction:
            return await submit_job(
                transaction, runtime.outbox, RETENTION_JOB, {}, now=utc_now(), created_by="system"
            )


async def read(settings: Settings, shop: UUID, id: UUID) -> Job:
    async with open_runtime(settings, {}) as runtime:
        async with runtime.database.reading(shop) as transaction:
            return await read_job(transaction, id)


def wait_until_done(settings: Settings, shop: UUID, id: UUID) -> Job:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        job = asyncio.run(read(settings, shop, id))
        if job.finished_at is not None:
            return job
        time.sleep(0.2)
    raise AssertionError("the worker did not do the job")


def test_that_a_worker_does_jobs_and_leaves_when_asked(settings: Settings, tmp_path: Path) -> None:
    shop = asyncio.run(make_shop(settings))
    worker = start_worker(settings, tmp_path / "first")
    try:
        job = wait_until_done(settings, shop, asyncio.run(submit(settings, shop)))
        assert job.state == "succeeded"
    finally:
        worker.send_signal(signal.SIGTERM)
        output = worker.communicate(timeout=30)[0]
    assert worker.returncode == 0, output
    assert output.strip() == "stopped"


def test_that_two_workers_share_the_jobs_and_do_each_once(
    settings: Settings, tmp_path: Path
) -> None:
    shop = asyncio.run(make_shop(settings))
    workers = [start_worker(settings, tmp_path / name) for name in ("first", "second")]
    try:
        ids = [asyncio.run(submit(settings, shop)) for _ in range(4)]
        found = [wait_until_done(settings, shop, id) for id in ids]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate(timeout=30)
    assert [job.state for job in found] == ["succeeded"] * 4
    assert [job.attempts for job in found] == [1] * 4


def test_that_no_worker_runs_beside_sqlite(tmp_path: Path) -> None:
    done = run_command(tmp_path, "worker")
    assert done.returncode == 1
    assert "the server does background work itself" in " ".join(done.stderr.split())
