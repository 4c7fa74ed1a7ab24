"""What is done in the background: jobs as rows, submitted with the change that asks for them.

A job is a row of `jobs` and a row of `outbox` of the same id, written in the caller's
transaction. A process that runs jobs hands it to the engine (`core.providers.jobs`), which does
its steps in order, each once it is known to be done never again. States:

    queued → running → succeeded
                     → failed     (retry: queued again, finished steps are kept)
    queued, running  → cancelled  (no further step begins; retry takes it up again)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args
from uuid import UUID

from sqlalchemy import JSON, Column, Index, Integer, Row, String, Text, func, select, update

from core.database import Transaction, UtcDateTime, global_table, new_id, organization_table
from core.errors import Conflict, NotFound
from core.outbox import Outbox
from core.telemetry import request_id_variable

if TYPE_CHECKING:
    from core.runtime import Runtime

JOB_SUBMITTED = "job.submitted"
JOB_RETRIED = "job.retried"

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
UNFINISHED = ("queued", "running")

jobs = organization_table(
    "jobs",
    Column("kind", String(60), nullable=False),
    Column("state", String(12), nullable=False),
    # Ids and numbers only: what a person wrote stays in its own table.
    Column("arguments", JSON, nullable=False),
    Column("result", JSON),
    # The step that runs, or that failed.
    Column("step", String(60)),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("created_by", String(120), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Index("ix_jobs_newest", "organization_id", "created_at"),
    Index("ix_jobs_state", "state", "created_at"),
    data_class="operational",
    erased_by="arguments and results hold ids and numbers only; finished rows are purged",
)

# Who runs jobs: a process raises `beats` as long as it lives; one whose number stands still is
# dead, whatever its clock says.
job_executors = global_table(
    "job_executors",
    Column("name", String(80), nullable=False, unique=True),
    Column("beats", Integer, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    data_class="operational",
    erased_by="holds no personal data",
)


# A worker that has not been seen for so long is gone; clocks of machines differ by less.
WORKER_GONE_SECONDS = 30


async def count_workers(transaction: Transaction, now: datetime) -> int:
    """How many processes run jobs just now."""
    seen = job_executors.c.seen_at > now - timedelta(seconds=WORKER_GONE_SECONDS)
    statement = select(func.count()).select_from(job_executors).where(seen)
    return int(await transaction.scalar(statement))


@dataclass(frozen=True)
class Job:
    """One piece of background work."""

    id: UUID
    organization_id: UUID
    kind: str
    state: State
    arguments: Mapping[str, Any]
    result: Mapping[str, Any] | None
    step: str | None
    error: str | None
    attempts: int
    request_id: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Step:
    """A named part of a job: done once, its result (JSON: ids and numbers) is kept.

    `run(runtime, job, results)` is given the results of the steps before it, by name. It may run
    twice when its process dies before the result is kept, so it must not add up.
    """

    name: str
    run: Callable[[Runtime, Job, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class JobKind:
    """What a kind of job does; the last step's result is the job's."""

    name: str
    steps: tuple[Step, ...]


def job_kinds(kinds: Sequence[JobKind]) -> Mapping[str, JobKind]:
    """Kinds by name; two of one name, or two steps of one name, are a mistake."""
    found: dict[str, JobKind] = {}
    for kind in kinds:
        if kind.name in found:
            raise ValueError(f"two kinds of job are named {kind.name}")
        if len({step.name for step in kind.steps}) != len(kind.steps):
            raise ValueError(f"two steps of {kind.name} share a name")
        found[kind.name] = kind
    return found


async def submit_job(
    transaction: Transaction,
    outbox: Outbox,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    now: datetime,
    created_by: str,
    organization_id: UUID | None = None,
) -> UUID:
    """Write a job in the caller's transaction; it begins once that has committed.

    `organization_id` is needed where the transaction reaches every organization.
    """
    id = new_id()
    row: dict[str, Any] = {
        "id": id,
        "kind": kind,
        "state": "queued",
        "arguments": dict(arguments),
        "attempts": 1,
        "request_id": request_id_variable.get(),
        "created_by": created_by,
        "created_at": now,
    }
    if organization_id is not None:
        row["organization_id"] = organization_id
    await transaction.insert(jobs, row)
    payload = {"job_id": str(id)}
    await outbox.add(transaction, JOB_SUBMITTED, payload, id=id, organization_id=organization_id)
    return id


async def list_jobs(
    transaction: Transaction,
    limit: int,
    offset: int,
    *,
    state: str | None = None,
    kind: str | None = None,
) -> tuple[list[Job], int]:
    """A page of the organization's jobs, newest first, and how many there are."""
    conditions = []
    if state is not None:
        conditions.append(jobs.c.state == state)
    if kind is not None:
        conditions.append(jobs.c.kind == kind)
    total = await transaction.scalar(select(func.count()).select_from(jobs).where(*conditions))
    newest = select(jobs).where(*conditions).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    rows = await transaction.all(newest.limit(limit).offset(offset))
    return [_job(row) for row in rows], int(total)


async def read_job(transaction: Transaction, id: UUID) -> Job:
    """The job of an id; raises NotFound."""
    row = await transaction.first(select(jobs).where(jobs.c.id == id))
    if row is None:
        raise NotFound("There is no such job.")
    return _job(row)


async def cancel_job(transaction: Transaction, id: UUID, now: datetime) -> Job:
    """Let a job begin no further step; raises Conflict for one that is finished."""
    job = await read_job(transaction, id)
    if not await _move(transaction, id, UNFINISHED, state="cancelled", finished_at=now):
        raise Conflict(f"This job is {job.state}; it cannot be cancelled.", {"state": job.state})
    return await read_job(transaction, id)


async def retry_job(transaction: Transaction, outbox: Outbox, id: UUID) -> Job:
    """Take a failed or cancelled job up again at the step that it did not finish."""
    job = await read_job(transaction, id)
    again: dict[str, Any] = {"state": "queued", "error": None, "finished_at": None}
    again["attempts"] = jobs.c.attempts + 1
    if not await _move(transaction, id, ("failed", "cancelled"), **again):
        raise Conflict(
            f"This job is {job.state}; only failed and cancelled jobs are retried.",
            {"state": job.state},
        )
    await outbox.add(transaction, JOB_RETRIED, {"job_id": str(id)})
    return await read_job(transaction, id)


async def begin_step(transaction: Transaction, id: UUID, step: str, now: datetime) -> bool:
    """Note that a step of a job begins; False where the job has been cancelled."""
    changed = await transaction.execute(
        update(jobs)
        .where(jobs.c.id == id, jobs.c.state.in_(UNFINISHED))
        .values(state="running", step=step, started_at=func.coalesce(jobs.c.started_at, now))
    )
    return changed.rowcount == 1


async def finish_job(
    transaction: Transaction,
    id: UUID,
    now: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """Note how a job ended; one that was cancelled meanwhile stays so."""
    ended: dict[str, Any] = {"state": "failed", "error": error}
    if error is None:
        ended = {"state": "succeeded", "result": dict(result or {}), "step": None, "error": None}
    await _move(transaction, id, UNFINISHED, **ended, finished_at=now)


async def queued_jobs(transaction: Transaction, before: datetime) -> list[Job]:
    """Jobs of every organization that have waited since before a moment."""
    waiting = select(jobs).where(jobs.c.state == "queued", jobs.c.created_at < before)
    return [_job(row) for row in await transaction.all(waiting.order_by(jobs.c.id).limit(100))]


async def unfinished_jobs(transaction: Transaction) -> int:
    """How many jobs of every organization wait or run."""
    count = select(func.count()).select_from(jobs).where(jobs.c.state.in_(UNFINISHED))
    return int(await transaction.scalar(count))


async def _move(transaction: Transaction, id: UUID, states: Sequence[str], **values: Any) -> bool:
    changed = await transaction.execute(
        update(jobs).where(jobs.c.id == id, jobs.c.state.in_(states)).values(**values)
    )
    return changed.rowcount == 1


def _job(row: Row[Any]) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__dataclass_fields__})
