"""Checking the knowledge in the background: every night, and when a manager asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from core.database import Transaction
from core.jobs import UNFINISHED, Job, JobKind, Step, list_jobs, read_job, submit_job
from core.outbox import Outbox
from core.runtime import Runtime
from core.schedules import Schedule
from knowledge.health.findings import check_documents
from knowledge.health.gaps import group_gaps
from services.accounts.tables import organizations
from services.monitoring.outcomes import refresh_outcomes
from services.monitoring.tables import conversation_outcomes

HEALTH_JOB = "knowledge_health"

Results = Mapping[str, Any]


async def _conversations(runtime: Runtime, job: Job, results: Results) -> Results:
    return {"conversations": await refresh_outcomes(runtime, job.organization_id)}


async def _questions(runtime: Runtime, job: Job, results: Results) -> Results:
    return {**results["conversations"], **await group_gaps(runtime, job.organization_id)}


async def _documents(runtime: Runtime, job: Job, results: Results) -> Results:
    return {**results["questions"], **await check_documents(runtime, job.organization_id)}


HEALTH_JOBS = (
    JobKind(
        HEALTH_JOB,
        (
            Step("conversations", _conversations),
            Step("questions", _questions),
            Step("documents", _documents),
        ),
    ),
)


async def last_check(transaction: Transaction) -> Job | None:
    """The latest check of the organization's knowledge, whatever became of it."""
    found, _ = await list_jobs(transaction, 1, 0, kind=HEALTH_JOB)
    return found[0] if found else None


async def submit_check(
    transaction: Transaction, outbox: Outbox, created_by: str, now: datetime
) -> Job:
    """Ask for a check; one that waits or runs already is that one."""
    running = await last_check(transaction)
    if running is not None and running.state in UNFINISHED:
        return running
    id = await submit_job(transaction, outbox, HEALTH_JOB, {}, now=now, created_by=created_by)
    return await read_job(transaction, id)


async def submit_checks(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    """Write a check for each shop that anybody talked to, once a day."""
    talked_to = await transaction.all(select(conversation_outcomes.c.organization_id).distinct())
    for shop in await transaction.all(
        select(organizations.c.id).where(
            organizations.c.is_active,
            organizations.c.id.in_({row.organization_id for row in talked_to}),
        )
    ):
        await submit_job(
            transaction,
            runtime.outbox,
            HEALTH_JOB,
            {},
            now=now,
            created_by="system",
            organization_id=shop.id,
        )


KNOWLEDGE_WATCH = Schedule("knowledge_health", timedelta(days=1), submit_checks)
