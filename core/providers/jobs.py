"""The engine of background work: DBOS, behind the few calls that the product makes of it.

DBOS keeps which steps of a job are done, so that whoever takes a job over repeats none. It keeps
this in a SQLite file of its own, or in the schema `dbos` of the PostgreSQL database. It is
imported and launched by `launch` and not before: that costs 30 MB and most of a second.

What it needs from us (measured with the pinned version 3.4): an executor id for each process,
one application version for all, JSON instead of pickle, and `worker_concurrency` on the queue.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import make_url

QUEUE = "mdf"
WORKFLOW = "mdf_job"
# All processes of a release and of the next understand each other's jobs; raised by hand when
# the steps of a kind change in a way that an interrupted job would not survive.
APPLICATION_VERSION = "mdf-1"
CONCURRENT_JOBS = 2
POLL_SECONDS = 0.5
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
PURGE_BATCH = 500


class StepRunner(Protocol):
    """How a job body runs its steps: a step that is known to be done only hands its result."""

    def __call__(self, name: str, run: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]: ...


# Runs a whole job, given its id, in a thread of the engine.
Body = Callable[[str, StepRunner], None]


def engine_database(database_url: str, data_dir: Path) -> str:
    """Where the engine keeps its rows: beside our SQLite file, or in our PostgreSQL database."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{data_dir / 'jobs.sqlite3'}"
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


class JobEngine:
    """DBOS in this process. There is one at a time: DBOS itself is a global."""

    def __init__(self, database_url: str, executor: str, body: Body) -> None:
        self._database_url = database_url
        self._executor = executor
        self._body = body

    def launch(self) -> None:
        """Import and start DBOS; blocks, so call it in a thread."""
        from dbos import DBOS, DBOSPortableJSONSerializer

        _prepare_file(self._database_url)
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        DBOS(
            config={
                "name": "mdf",
                "system_database_url": self._database_url,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._executor,
                "serializer": DBOSPortableJSONSerializer(),
                # Errors reach our own log and row, without what a person wrote.
                "log_level": "CRITICAL",
                "enable_otlp": False,
                "max_executor_threads": 2 * CONCURRENT_JOBS + 4,
                "notification_listener_polling_interval_sec": POLL_SECONDS * 4,
                "use_listen_notify": False,
                "sys_db_pool_size": 4,
            }
        )
        _register(self)
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=CONCURRENT_JOBS,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def run(self, job_id: str) -> None:
        """The body of a job; called by DBOS."""
        self._body(job_id, _run_step)

    def submit(self, job_id: str) -> None:
        """Queue a job; one that is known already is left as it is."""
        from dbos import DBOS

        DBOS.enqueue_workflow_with_options(
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": job_id,
                "app_version": APPLICATION_VERSION,
            },
            job_id,
        )

    def retry(self, job_id: str) -> None:
        """Queue a job again from the first step whose result is not kept."""
        from dbos import DBOS

        status = DBOS.get_workflow_status(job_id)
        if status is None:
            self.submit(job_id)
        elif status.status in FINISHED:
            done = [step for step in DBOS.list_workflow_steps(job_id) if step["error"] is None]
            DBOS.rewind_workflow(
                job_id,
                start_step=len(done) + 1,
                queue_name=QUEUE,
                application_version=APPLICATION_VERSION,
            )

    def take_over(self, executor: str) -> int:
        """Queue again what a dead process was at; returns how many jobs that were."""
        from dbos import DBOS

        return len(DBOS._recover_pending_workflows([executor]))

    def unfinished_executors(self) -> set[str]:
        """The processes, dead or alive, that have begun a job and not finished it."""
        from dbos import DBOS

        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {status.executor_id for status in pending if status.executor_id}

    def purge(self, before: datetime) -> int:
        """Forget jobs that ended before a moment; returns how many."""
        from dbos import DBOS

        old = DBOS.list_workflows(
            status=list(FINISHED),
            end_time=before.astimezone(UTC).isoformat(),
            limit=PURGE_BATCH,
            load_input=False,
            load_output=False,
        )
        DBOS.delete_workflows([status.workflow_id for status in old])
        return len(old)

    def close(self, patience_seconds: int) -> None:
        """Stop; jobs that do not end in time are taken over by another process, or later."""
        from dbos import DBOS

        DBOS.destroy(workflow_completion_timeout_sec=patience_seconds)


def _register(engine: JobEngine) -> None:
    from dbos import DBOS

    def mdf_job(job_id: str) -> None:
        _running.engine.run(job_id)

    _running.engine = engine
    if not _running.registered:
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=20)(mdf_job)
        _running.registered = True


class _Running:
    """The engine that DBOS's one workflow function belongs to just now."""

    engine: JobEngine
    registered = False


_running = _Running()


def _run_step(name: str, run: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    from dbos import DBOS

    kept: Mapping[str, Any] = DBOS.run_step({"name": name}, run)
    return kept


def _prepare_file(database_url: str) -> None:
    """Let readers of a SQLite file not wait for its writer; the file remembers."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    connection = sqlite3.connect(url.database)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
