"""What the knowledge lacks and where it ails: checks, findings, unanswered questions (row X13)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api.admin.envelope import APIResponse, PaginatedResponse, pagination
from api.admin.knowledge import DocumentWithText, document_values
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from core.errors import Conflict, NotFound
from core.jobs import Job, State
from core.runtime import Runtime
from core.security import Principal
from knowledge.documents import create_document
from knowledge.health.documents import Kind
from knowledge.health.drafts import MOST_QUESTIONS, draft_article
from knowledge.health.findings import (
    FindingStatus,
    KeptFinding,
    count_findings,
    list_findings,
    mark_finding,
)
from knowledge.health.gaps import (
    Gap,
    GapStatus,
    Question,
    count_gaps,
    list_gaps,
    mark_gap,
    questions_of,
    read_gap,
)
from knowledge.health.job import last_check, submit_check
from knowledge.index import Knowledge
from knowledge.search import SearchHit, search
from services.accounts.audit import record_change
from services.monitoring.missed_searches import MissingProduct, missing_products
from services.monitoring.outcomes import refresh_outcomes

SEE, WRITE = "analytics:read", "knowledge:write"
MAXIMUM_PAGE_NUMBER = 100_000
MOST_SHOWN_QUESTIONS = 100
NEAREST_PASSAGES = 3
# A passage that is less near than this has nothing to do with the question.
LEAST_NEARNESS = 0.03

FindingId = Annotated[str, Path(description="The finding's id.", max_length=1_000)]
GapId = Annotated[str, Path(description="The group's id.", max_length=1_000)]

router = APIRouter(prefix="/api/v1/knowledge/health", tags=["Knowledge"], route_class=StrictRoute)


class CheckView(BaseModel):
    """The latest check; `result` counts what it looked at and found."""

    id: str
    state: State
    created_at: Moment
    finished_at: Moment | None
    error: str | None
    result: dict[str, int] | None = Field(examples=[{"questions": 12, "groups": 4, "old": 3}])


class HealthView(BaseModel):
    """How many findings of each kind and groups of unanswered questions are open."""

    findings: dict[Kind, int]
    unanswered: int
    check: CheckView | None = Field(description="Null before the first check.")


class FindingView(BaseModel):
    id: str
    kind: Kind
    status: FindingStatus
    document_id: str
    title: str
    other_document_id: str | None
    other_title: str | None
    quote: str | None = Field(description="The sentence that it is about.")
    other_quote: str | None
    day: date | None = Field(description="Last changed (`old`), or past (`past_date`).")
    quantity: str | None = Field(description="Of a contradiction.", examples=["days"])
    found_at: Moment


class GapView(BaseModel):
    """Questions that mean the same and had no answer."""

    id: str
    question: str = Field(description="The one in the middle of the group.")
    language: str
    questions: int
    status: GapStatus
    document_id: str | None = Field(description="Of the drafted article.")
    first_at: Moment
    last_at: Moment
    asked_since: bool = Field(description="Asked again after its article was published.")


class QuestionView(BaseModel):
    message_id: str
    conversation_id: str
    text: str
    language: str
    asked_at: Moment


class SearchedView(BaseModel):
    message_id: str
    conversation_id: str
    text: str
    asked_at: Moment


class MissingProductView(BaseModel):
    """Searches of the catalogue for the same thing, none of which found anything."""

    words: str = Field(description="As the latest search wrote them.", examples=["hamac jardin"])
    searches: int
    first_at: Moment
    last_at: Moment
    asked: list[SearchedView] = Field(description="The newest few.")


class GapWithQuestions(GapView):
    asked: list[QuestionView]


@route(router, "GET", "", summary="Read the health of the knowledge")
async def read_health(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[HealthView]:
    """What is open, and how the latest check stands."""
    operator.require(SEE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        check = await last_check(transaction)
        return APIResponse(
            data=HealthView(
                findings=await count_findings(transaction),
                unanswered=await count_gaps(transaction),
                check=_check_view(check) if check is not None else None,
            )
        )


@route(router, "POST", "/check", summary="Check the knowledge", status_code=202)
async def check_health(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[CheckView]:
    """Look at all documents and unanswered questions in the background.

    One check at a time: while one waits or runs, that one is answered.
    """
    operator.require(WRITE)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        job = await submit_check(transaction, runtime.outbox, operator.actor, runtime.clock())
    return APIResponse(message="The knowledge is being checked.", data=_check_view(job))


@route(router, "GET", "/findings", summary="List findings")
async def read_findings(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    status: FindingStatus = "open",
    kind: Kind | None = None,
) -> PaginatedResponse[FindingView]:
    """Documents to look at: old, with a day that is past, never cited, or contradicting another."""
    operator.require(SEE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await list_findings(
            transaction, per_page, (page - 1) * per_page, status, kind
        )
    return PaginatedResponse(
        data=[_finding_view(one) for one in found], pagination=pagination(page, per_page, total)
    )


@route(router, "POST", "/findings/{finding_id}/dismiss", summary="Dismiss a finding", fails=(404,))
async def dismiss_finding(
    finding_id: FindingId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[FindingView]:
    """Say that it is right as it is; it is not found again while the text stays."""
    return await _mark_finding(runtime, operator, finding_id, "dismissed")


@route(router, "POST", "/findings/{finding_id}/reopen", summary="Reopen a finding", fails=(404,))
async def reopen_finding(
    finding_id: FindingId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[FindingView]:
    """Take back that it was dismissed."""
    return await _mark_finding(runtime, operator, finding_id, "open")


async def _mark_finding(
    runtime: Runtime, operator: Principal, finding_id: str, status: FindingStatus
) -> APIResponse[FindingView]:
    operator.require(WRITE)
    id = _id(finding_id, "finding")
    async with runtime.database.transaction(operator.organization_id) as transaction:
        return APIResponse(data=_finding_view(await mark_finding(transaction, id, status)))


@route(router, "GET", "/unanswered", summary="List unanswered questions")
async def read_gaps(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    status: Annotated[
        Literal["open", "dismissed", "drafted"],
        Query(description="`drafted` holds those whose article is published, too."),
    ] = "open",
) -> PaginatedResponse[GapView]:
    """Groups of questions of the last 90 days, as of the latest check, the most asked first."""
    operator.require(SEE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await list_gaps(transaction, per_page, (page - 1) * per_page, status)
    return PaginatedResponse(
        data=[_gap_view(one) for one in found], pagination=pagination(page, per_page, total)
    )


@route(router, "GET", "/unanswered/{gap_id}", summary="Read a group of questions", fails=(404,))
async def read_one_gap(
    gap_id: GapId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[GapWithQuestions]:
    """A group with its newest questions and the conversations that they were asked in."""
    operator.require(SEE)
    id = _id(gap_id, "group of questions")
    async with runtime.database.reading(operator.organization_id) as transaction:
        gap = await read_gap(transaction, id)
        asked = await questions_of(transaction, id, MOST_SHOWN_QUESTIONS)
    return APIResponse(
        data=GapWithQuestions(
            **_gap_view(gap).model_dump(), asked=[_question_view(one) for one in asked]
        )
    )


@route(
    router,
    "POST",
    "/unanswered/{gap_id}/dismiss",
    summary="Dismiss a group of questions",
    fails=(404,),
)
async def dismiss_gap(
    gap_id: GapId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[GapView]:
    """Say that no article is needed; further questions that mean the same join it silently."""
    return await _mark_gap(runtime, operator, gap_id, "dismissed")


@route(
    router,
    "POST",
    "/unanswered/{gap_id}/reopen",
    summary="Reopen a group of questions",
    fails=(404,),
)
async def reopen_gap(
    gap_id: GapId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[GapView]:
    """Take back that it was dismissed, or that its article is enough."""
    return await _mark_gap(runtime, operator, gap_id, "open")


async def _mark_gap(
    runtime: Runtime, operator: Principal, gap_id: str, status: Literal["open", "dismissed"]
) -> APIResponse[GapView]:
    operator.require(WRITE)
    id = _id(gap_id, "group of questions")
    async with runtime.database.transaction(operator.organization_id) as transaction:
        return APIResponse(data=_gap_view(await mark_gap(transaction, id, status)))


@route(
    router,
    "POST",
    "/unanswered/{gap_id}/draft",
    summary="Draft an article",
    fails=(404, 409),
    status_code=201,
)
async def draft_gap(
    gap_id: GapId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[DocumentWithText]:
    """Make a draft from the questions and the nearest passages; it quotes and adds nothing.

    It is not found by search until it is published: `PUT /api/v1/knowledge/documents/{id}`.
    """
    operator.require(WRITE)
    id = _id(gap_id, "group of questions")
    async with runtime.database.reading(operator.organization_id) as transaction:
        gap = await read_gap(transaction, id)
        asked = await questions_of(transaction, id, MOST_QUESTIONS)
    if not gap.question:
        raise Conflict("These questions have been erased; nothing can be drafted from them.")
    new = draft_article(
        gap.language,
        gap.question,
        [one.text for one in asked],
        await _nearest(runtime, operator, gap),
    )
    async with runtime.database.transaction(operator.organization_id) as transaction:
        document = await create_document(transaction, runtime.outbox, new, runtime.clock())
        await mark_gap(transaction, id, "drafted", document.id)
        details = {"document_id": str(document.id), "gap_id": str(id)}
        await record_change(runtime, transaction, operator, "knowledge.draft", details)
    return APIResponse(
        message="The draft waits to be edited and published.",
        data=DocumentWithText(**document_values(document), text=document.text),
    )


async def _nearest(runtime: Runtime, operator: Principal, gap: Gap) -> list[SearchHit]:
    hits = await search(
        runtime.part(Knowledge),
        operator.organization_id,
        gap.question,
        gap.language,
        NEAREST_PASSAGES,
    )
    return [hit for hit in hits if hit.score >= LEAST_NEARNESS]


@route(router, "GET", "/missing-products", summary="List products looked for in vain")
async def read_missing_products(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PaginatedResponse[MissingProductView]:
    """What customers of the last 90 days looked for and the catalogue does not have.

    Grouped by the words of the search, the most wanted first.
    """
    operator.require(SEE)
    await refresh_outcomes(runtime, operator.organization_id)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await missing_products(
            transaction, runtime.clock(), per_page, (page - 1) * per_page
        )
    return PaginatedResponse(
        data=[_missing_view(one) for one in found], pagination=pagination(page, per_page, total)
    )


def _check_view(job: Job) -> CheckView:
    return CheckView(
        id=str(job.id),
        state=job.state,
        created_at=job.created_at,
        finished_at=job.finished_at,
        error=job.error,
        result=dict(job.result) if job.result is not None else None,
    )


def _finding_view(one: KeptFinding) -> FindingView:
    day = one.details.get("date") or one.details.get("updated_on")
    return FindingView(
        id=str(one.id),
        kind=one.kind,
        status=one.status,
        document_id=str(one.document_id),
        title=one.title,
        other_document_id=str(one.other_document_id) if one.other_document_id else None,
        other_title=one.other_title,
        quote=one.details.get("quote"),
        other_quote=one.details.get("other_quote"),
        day=date.fromisoformat(day) if day else None,
        quantity=one.details.get("quantity"),
        found_at=one.found_at,
    )


def _gap_view(gap: Gap) -> GapView:
    return GapView(
        id=str(gap.id),
        question=gap.question,
        language=gap.language,
        questions=gap.questions,
        status=gap.status,
        document_id=str(gap.document_id) if gap.document_id else None,
        first_at=gap.first_at,
        last_at=gap.last_at,
        asked_since=gap.asked_since,
    )


def _question_view(one: Question) -> QuestionView:
    return QuestionView(
        message_id=str(one.message_id),
        conversation_id=str(one.conversation_id),
        text=one.text,
        language=one.language,
        asked_at=one.asked_at,
    )


def _missing_view(one: MissingProduct) -> MissingProductView:
    return MissingProductView(
        words=one.words,
        searches=one.searches,
        first_at=one.first_at,
        last_at=one.last_at,
        asked=[
            SearchedView(
                message_id=str(asked.message_id),
                conversation_id=str(asked.conversation_id),
                text=asked.text,
                asked_at=asked.asked_at,
            )
            for asked in one.asked
        ],
    )


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"There is no such {what}.") from error
