"""Background work as administrators see it: list, read, cancel and retry jobs (row W12)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api.admin.envelope import APIResponse, PaginatedResponse, pagination
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from core.errors import NotFound
from core.jobs import Job, State, cancel_job, list_jobs, read_job, retry_job
from core.text import Text

MAXIMUM_PAGE_NUMBER = 100_000
SEE, CHANGE = "monitoring:read", "settings:write"

JobId = Annotated[str, Path(description="The job's id.", max_length=1_000)]

router = APIRouter(prefix="/api/v1/jobs", tags=["Jobs"], route_class=StrictRoute)


class JobView(BaseModel):
    id: str
    kind: str = Field(examples=["retention"])
    state: State
    step: str | None = Field(description="The step that runs, or that failed.")
    error: str | None
    attempts: int
    arguments: dict[str, Any]
    result: dict[str, Any] | None
    request_id: str | None = Field(description="Of the request that asked for it.")
    created_by: str = Field(examples=["system"])
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


@route(router, "GET", "", summary="List jobs")
async def read_jobs(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
    kind: Annotated[Text | None, Query(max_length=60, description="Only this kind.")] = None,
) -> PaginatedResponse[JobView]:
    """List the background work of this shop, newest first."""
    operator.require(SEE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await list_jobs(
            transaction, per_page, (page - 1) * per_page, state=state, kind=kind
        )
    return PaginatedResponse(
        data=[job_view(job) for job in found], pagination=pagination(page, per_page, total)
    )


@route(router, "GET", "/{job_id}", summary="Read a job", fails=(404,))
async def read_one_job(
    job_id: JobId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[JobView]:
    """Read how a job stands."""
    operator.require(SEE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=job_view(await read_job(transaction, _id(job_id))))


@route(router, "POST", "/{job_id}/cancel", summary="Cancel a job", fails=(404, 409))
async def cancel_one_job(
    job_id: JobId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[JobView]:
    """Let a job begin no further step; what it has done stays done."""
    operator.require(CHANGE)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        job = await cancel_job(transaction, _id(job_id), runtime.clock())
    return APIResponse(message="The job has been cancelled.", data=job_view(job))


@route(router, "POST", "/{job_id}/retry", summary="Retry a job", fails=(404, 409), status_code=202)
async def retry_one_job(
    job_id: JobId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[JobView]:
    """Take a failed or cancelled job up again; finished steps are not repeated."""
    operator.require(CHANGE)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        job = await retry_job(transaction, runtime.outbox, _id(job_id))
    return APIResponse(message="The job waits for its turn.", data=job_view(job))


def job_view(job: Job) -> JobView:
    """A job as it goes over the wire."""
    return JobView(
        id=str(job.id),
        kind=job.kind,
        state=job.state,
        step=job.step,
        error=job.error,
        attempts=job.attempts,
        arguments=dict(job.arguments),
        result=dict(job.result) if job.result is not None else None,
        request_id=job.request_id or None,
        created_by=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _id(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError as error:
        raise NotFound("There is no such job.") from error
