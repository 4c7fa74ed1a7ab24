"""The jobs and schedules of privacy: exports, erasures and retention."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from core.database import Transaction
from core.job_runner import JobRunner
from core.jobs import Job, JobKind, Step, submit_job
from core.runtime import Runtime
from core.schedules import Schedule
from services.accounts.tables import organizations
from services.privacy.erasure import erase_files, erase_rows, write_receipt
from services.privacy.export import write_archive
from services.privacy.requests import ERASURE_JOB, EXPORT_JOB
from services.privacy.retention import (
    count_old_exports,
    due_rows,
    remove_old_exports,
    remove_old_rows,
)
from services.privacy.rules import class_rules

RETENTION_JOB = "retention"
EXPORTS_KEPT_DAYS = 7

Results = Mapping[str, Any]


async def _files(runtime: Runtime, job: Job, results: Results) -> Results:
    return await erase_files(runtime, job.organization_id, job.id)


async def _rows(runtime: Runtime, job: Job, results: Results) -> Results:
    return await erase_rows(runtime, job.organization_id, job.id)


async def _receipt(runtime: Runtime, job: Job, results: Results) -> Results:
    return await write_receipt(runtime, job.organization_id, job.id)


async def _archive(runtime: Runtime, job: Job, results: Results) -> Results:
    return await write_archive(runtime, job.organization_id, job.id)


async def _old_rows(runtime: Runtime, job: Job, results: Results) -> Results:
    return {"removed": await remove_old_rows(runtime, job.organization_id)}


async def _old_exports(runtime: Runtime, job: Job, results: Results) -> Results:
    exports = await remove_old_exports(runtime, job.organization_id, EXPORTS_KEPT_DAYS)
    return {**results["rows"], "exports": exports}


async def _old_checkpoints(runtime: Runtime, job: Job, results: Results) -> Results:
    """What the engine itself keeps of jobs that ended long ago."""
    days = class_rules(runtime.settings)["operational"].days
    if days is None:
        return dict(results["exports"])
    forgotten = await runtime.part(JobRunner).purge(runtime.clock() - timedelta(days=days))
    return {**results["exports"], "checkpoints": forgotten}


PRIVACY_JOBS = (
    JobKind(ERASURE_JOB, (Step("files", _files), Step("rows", _rows), Step("receipt", _receipt))),
    JobKind(EXPORT_JOB, (Step("archive", _archive),)),
    JobKind(
        RETENTION_JOB,
        (
            Step("rows", _old_rows),
            Step("exports", _old_exports),
            Step("checkpoints", _old_checkpoints),
        ),
    ),
)


async def submit_retention(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    """Write a retention job for each shop that has something old; none where all is young."""
    due = await due_rows(transaction, runtime.settings, now)
    old_exports = await count_old_exports(transaction, now, EXPORTS_KEPT_DAYS)
    if not old_exports and not any(sum(retention.due.values()) for retention in due):
        return
    for shop in await transaction.all(select(organizations.c.id).where(organizations.c.is_active)):
        await submit_job(
            transaction,
            runtime.outbox,
            RETENTION_JOB,
            {},
            now=now,
            created_by="system",
            organization_id=shop.id,
        )


RETENTION = Schedule("retention", timedelta(days=1), submit_retention)
