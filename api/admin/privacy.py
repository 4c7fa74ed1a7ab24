"""What is kept of people: exports, erasures with receipts, and retention (rows W12 and X11)."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.admin.envelope import APIResponse, PaginatedResponse, pagination
from api.admin.jobs import JobView, job_view
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from core.errors import NotFound
from core.jobs import read_job, submit_job
from core.runtime import Runtime
from core.security import Principal
from core.text import Text
from services.privacy.jobs import RETENTION_JOB
from services.privacy.people import find_person
from services.privacy.requests import (
    PrivacyRequest,
    RequestKind,
    list_requests,
    read_request,
    submit_request,
)
from services.privacy.retention import Retention, due_rows

MAXIMUM_PAGE_NUMBER = 100_000
PERMISSION = "users:manage"

RequestId = Annotated[str, Path(description="The request's id.", max_length=1_000)]
Page = Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)]
PerPage = Annotated[int, Query(ge=1, le=100)]

router = APIRouter(prefix="/api/v1/privacy", tags=["Privacy"], route_class=StrictRoute)


class PersonRequest(BaseModel):
    """Whom the request is about; exactly one of these."""

    model_config = ConfigDict(extra="forbid")

    customer_id: UUID | None = None
    email: Annotated[Text, Field(min_length=3, max_length=254)] | None = Field(
        None, examples=["customer@example.com"]
    )
    visitor: Annotated[Text, Field(min_length=1, max_length=120)] | None = Field(
        None, description="The id of an anonymous visitor, as `actor` shows it."
    )

    @model_validator(mode="after")
    def check_one_is_given(self) -> Self:
        if len([item for item in (self.customer_id, self.email, self.visitor) if item]) != 1:
            raise ValueError("give exactly one of customer_id, email and visitor")
        return self


class RequestView(BaseModel):
    id: str = Field(description="Also the id of the job that deals with the request.")
    kind: RequestKind
    requested_by: str
    created_at: Moment
    finished_at: Moment | None = Field(description="None as long as the job is at it.")
    report: dict[str, Any] = Field(description="What has been done so far.")
    receipt: dict[str, Any] | None = Field(
        description="Of an erasure: what was deleted, emptied and kept, signed."
    )
    archive: str | None = Field(description="Of an export: where it is fetched, for seven days.")


class ClassView(BaseModel):
    data_class: str = Field(examples=["conversation"])
    days: int | None = Field(description="None: as long as the shop wants it.")
    why: str
    due: dict[str, int] = Field(description="Rows that a run would remove now, by table.")


class RetentionRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(True, strict=True, description="`false` removes what is due, as a job.")


class RetentionView(BaseModel):
    dry_run: bool
    classes: list[ClassView]
    job: JobView | None = Field(description="The job that removes what is due.")


async def _submit(
    runtime: Runtime, operator: Principal, kind: RequestKind, named: PersonRequest
) -> APIResponse[RequestView]:
    operator.require(PERMISSION)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        person = await find_person(transaction, **named.model_dump())
        request = await submit_request(
            transaction,
            runtime.outbox,
            kind,
            person,
            requested_by=operator.actor,
            now=runtime.clock(),
        )
    return APIResponse(message=f"The {kind} has been requested.", data=_view(request))


async def _list(
    runtime: Runtime, operator: Principal, kind: RequestKind, page: int, per_page: int
) -> PaginatedResponse[RequestView]:
    operator.require(PERMISSION)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await list_requests(transaction, kind, per_page, (page - 1) * per_page)
    return PaginatedResponse(
        data=[_view(request) for request in found], pagination=pagination(page, per_page, total)
    )


async def _read(
    runtime: Runtime, operator: Principal, kind: RequestKind, request_id: str
) -> PrivacyRequest:
    operator.require(PERMISSION)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return await read_request(transaction, _id(request_id), kind)


@route(
    router, "POST", "/exports", summary="Export a person", fails=(400, 404, 409), status_code=202
)
async def request_export(
    named: PersonRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[RequestView]:
    """Gather everything about a person into a ZIP archive: one JSON document, and their files."""
    return await _submit(runtime, operator, "export", named)


@route(router, "GET", "/exports", summary="List exports")
async def read_exports(
    operator: CurrentOperator, runtime: CurrentRuntime, page: Page = 1, per_page: PerPage = 20
) -> PaginatedResponse[RequestView]:
    """List the exports that were requested, newest first."""
    return await _list(runtime, operator, "export", page, per_page)


@route(router, "GET", "/exports/{request_id}", summary="Read an export", fails=(404,))
async def read_export(
    request_id: RequestId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[RequestView]:
    """Read how an export stands."""
    return APIResponse(data=_view(await _read(runtime, operator, "export", request_id)))


@route(
    router,
    "GET",
    "/exports/{request_id}/archive",
    summary="Fetch an export",
    fails=(404,),
    response_class=Response,
    openapi_extra={
        "responses": {"200": {"content": {"application/zip": {"schema": {"type": "string"}}}}}
    },
)
async def fetch_export(
    request_id: RequestId, operator: CurrentOperator, runtime: CurrentRuntime
) -> Response:
    """Fetch the ZIP archive of an export that is done; it is kept for seven days."""
    request = await _read(runtime, operator, "export", request_id)
    if request.file_key is None:
        raise NotFound("This export is not there yet, or is there no more.")
    try:
        content = await runtime.storage.read(request.file_key)
    except FileNotFoundError as error:
        raise NotFound("The archive of this export is gone.") from error
    headers = {
        "content-disposition": f'attachment; filename="export-{request.id}.zip"',
        "cache-control": "no-store",
    }
    return Response(content, media_type="application/zip", headers=headers)


@route(
    router, "POST", "/erasures", summary="Erase a person", fails=(400, 404, 409), status_code=202
)
async def request_erasure(
    named: PersonRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[RequestView]:
    """Erase a person from rows, files and what is derived from them; the receipt proves it.

    What the law makes the shop keep, such as order lines, stays without name and address. This
    cannot be undone. Accounts of staff are refused.
    """
    return await _submit(runtime, operator, "erasure", named)


@route(router, "GET", "/erasures", summary="List erasures")
async def read_erasures(
    operator: CurrentOperator, runtime: CurrentRuntime, page: Page = 1, per_page: PerPage = 20
) -> PaginatedResponse[RequestView]:
    """List the erasures with their receipts, newest first."""
    return await _list(runtime, operator, "erasure", page, per_page)


@route(router, "GET", "/erasures/{request_id}", summary="Read an erasure", fails=(404,))
async def read_erasure(
    request_id: RequestId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[RequestView]:
    """Read how an erasure stands, and its receipt once it is done."""
    return APIResponse(data=_view(await _read(runtime, operator, "erasure", request_id)))


@route(router, "GET", "/retention", summary="Read what is kept how long")
async def read_retention(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[RetentionView]:
    """How many days each data class is kept, and what a run would remove now."""
    operator.require(PERMISSION)
    return APIResponse(data=await _retention(runtime, operator))


@route(router, "POST", "/retention", summary="Remove what has been kept long enough", fails=(400,))
async def run_retention(
    wanted: RetentionRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[RetentionView]:
    """Without `dry_run` a job removes what is due now; with it nothing is changed.

    The same job runs each day by itself where something is due.
    """
    operator.require(PERMISSION)
    view = await _retention(runtime, operator)
    if not wanted.dry_run:
        async with runtime.database.transaction(operator.organization_id) as transaction:
            id = await submit_job(
                transaction,
                runtime.outbox,
                RETENTION_JOB,
                {},
                now=runtime.clock(),
                created_by=operator.actor,
            )
            view.job = job_view(await read_job(transaction, id))
        view.dry_run = False
    return APIResponse(data=view)


async def _retention(runtime: Runtime, operator: Principal) -> RetentionView:
    async with runtime.database.reading(operator.organization_id) as transaction:
        due = await due_rows(transaction, runtime.settings, runtime.clock())
    return RetentionView(dry_run=True, classes=[_class_view(item) for item in due], job=None)


def _class_view(retention: Retention) -> ClassView:
    rule = retention.rule
    return ClassView(data_class=rule.name, days=rule.days, why=rule.why, due=retention.due)


def _view(request: PrivacyRequest) -> RequestView:
    archive = f"/api/v1/privacy/exports/{request.id}/archive" if request.file_key else None
    return RequestView(
        id=str(request.id),
        kind=request.kind,
        requested_by=request.requested_by,
        created_at=request.created_at,
        finished_at=request.finished_at,
        report=dict(request.report),
        receipt=dict(request.receipt) if request.receipt is not None else None,
        archive=archive,
    )


def _id(request_id: str) -> UUID:
    try:
        return UUID(request_id)
    except ValueError as error:
        raise NotFound("There is no such request.") from error
