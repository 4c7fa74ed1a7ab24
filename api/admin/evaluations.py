"""Tests made from real answers: a correction of an answer is kept and played again (row W16)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from api.admin.envelope import APIResponse, PaginatedResponse, failures, pagination
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from bot.evaluation.cases import (
    MAXIMUM_TURNS,
    Case,
    NewCase,
    Sort,
    Turn,
    as_yaml,
    create_case,
    delete_case,
    list_cases,
    read_case,
    turn_of_message,
)
from bot.evaluation.scenarios import Expectation
from core.errors import NotFound
from core.text import Text

MAXIMUM_PAGE_NUMBER = 100_000
YAML = "application/yaml"

Format = Annotated[
    Literal["json", "yaml"], Query(description="`yaml`: a file that `mdf eval` plays.")
]
CaseId = Annotated[str, Path(description="The case's id.", max_length=1_000)]
Texts = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=1_000)]],
    Field(max_length=20),
    FailFast(),
]

router = APIRouter(prefix="/api/v1/evaluations", tags=["Evaluations"], route_class=StrictRoute)


class Correction(BaseModel):
    """What the answer must be; at least one of these."""

    model_config = ConfigDict(extra="forbid")

    says: Texts = Field(
        default_factory=list,
        description="Each must be in the answer; case does not count.",
        examples=[["149 €"]],
    )
    never: Texts = Field(default_factory=list, description="None may be in the answer.")
    sources: Texts = Field(default_factory=list, description="Titles that must be cited.")
    intent: Annotated[Text, Field(min_length=1, max_length=40, pattern="^[a-z_]+$")] | None = Field(
        None, description="What the message must be understood as.", examples=["delivery_question"]
    )

    @model_validator(mode="after")
    def check_something_is_corrected(self) -> Self:
        if not (self.says or self.never or self.sources or self.intent):
            raise ValueError("give at least one of says, never, sources and intent")
        return self


class NewCaseRequest(BaseModel):
    """A turn, by `message_id` or by `conversation_id` and `turn`, and its correction."""

    model_config = ConfigDict(extra="forbid")

    message_id: UUID | None = Field(None, description="The customer's message, or its answer.")
    conversation_id: UUID | None = None
    turn: int | None = Field(
        None, ge=1, le=MAXIMUM_TURNS, description="Which of the customer's messages, from 1."
    )
    name: Annotated[Text, Field(min_length=1, max_length=120)] | None = Field(
        None, description="Taken from the message if left out."
    )
    correction: Correction

    @model_validator(mode="after")
    def check_one_turn_is_named(self) -> Self:
        by_turn = self.conversation_id is not None and self.turn is not None
        one_part = (self.conversation_id is None) != (self.turn is None)
        if one_part or by_turn == (self.message_id is not None):
            raise ValueError("give either message_id, or conversation_id and turn")
        return self


class CaseSummary(BaseModel):
    id: str
    name: str


class CaseView(CaseSummary):
    speaker: str = Field(description="`visitor`, or `customer:<reference>`.")
    conversation_id: str | None = Field(description="None once the conversation is deleted.")
    turn: int
    created_by: str
    created_at: Moment
    scenario: dict[str, Any] = Field(description="The test as `mdf eval` plays it.")


_WITH_YAML: dict[int | str, dict[str, Any]] = {200: {"content": {YAML: {"schema": {}}}}}


@route(
    router,
    "POST",
    "/cases",
    summary="Make a test of a corrected answer",
    fails=(400, 404),
    status_code=201,
)
async def add_case(
    new: NewCaseRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[CaseView]:
    """Keep a turn, the customer's messages before it, and what the answer must be from now on.

    E-mail addresses, phone and card numbers and names are replaced by fakes. `mdf eval --stored`
    plays all that are kept.
    """
    operator.require("conversations:write")
    expect = Expectation(**new.correction.model_dump())
    async with runtime.database.transaction(operator.organization_id) as transaction:
        if new.message_id is not None:
            turn = await turn_of_message(transaction, new.message_id)
        else:
            turn = Turn(new.conversation_id or UUID(int=0), new.turn or 0)
        case = await create_case(
            transaction, NewCase(turn, expect, new.name), operator.actor, runtime.clock()
        )
    return APIResponse(message="The correction is kept as a test.", data=_view(case))


@route(
    router,
    "GET",
    "/cases",
    summary="List kept tests",
    response_model=PaginatedResponse[CaseView],
    responses={**failures(), **_WITH_YAML},
)
async def read_cases(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    name_part: Annotated[
        Text | None, Query(alias="search", max_length=200, description="Part of the name.")
    ] = None,
    conversation_id: UUID | None = None,
    sort: Sort = "-created_at",
    format: Format = "json",
) -> Any:
    """List kept tests, newest first; with `format=yaml` the page is a file of tests."""
    operator.require("conversations:read")
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await list_cases(
            transaction, per_page, (page - 1) * per_page, name_part, conversation_id, sort
        )
    if format == "yaml":
        return Response(as_yaml(found), media_type=YAML)
    return PaginatedResponse(
        data=[_view(case) for case in found], pagination=pagination(page, per_page, total)
    )


@route(
    router,
    "GET",
    "/cases/{case_id}",
    summary="Read a kept test",
    response_model=APIResponse[CaseView],
    responses={**failures(404), **_WITH_YAML},
)
async def read_one_case(
    case_id: CaseId, operator: CurrentOperator, runtime: CurrentRuntime, format: Format = "json"
) -> Any:
    """Read a kept test, as JSON or as a file that `mdf eval` plays."""
    operator.require("conversations:read")
    async with runtime.database.reading(operator.organization_id) as transaction:
        case = await read_case(transaction, _id(case_id))
    if format == "yaml":
        return Response(as_yaml([case]), media_type=YAML)
    return APIResponse(data=_view(case))


@route(router, "DELETE", "/cases/{case_id}", summary="Remove a kept test", fails=(404,))
async def remove_case(
    case_id: CaseId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[CaseSummary]:
    """Remove a kept test."""
    operator.require("conversations:write")
    async with runtime.database.transaction(operator.organization_id) as transaction:
        case = await delete_case(transaction, _id(case_id))
    return APIResponse(
        message="The test has been removed.", data=CaseSummary(id=str(case.id), name=case.name)
    )


def _id(case_id: str) -> UUID:
    try:
        return UUID(case_id)
    except ValueError as error:
        raise NotFound("There is no such case.") from error


def _view(case: Case) -> CaseView:
    return CaseView(
        id=str(case.id),
        name=case.name,
        speaker=case.scenario.speaker,
        conversation_id=str(case.conversation_id) if case.conversation_id else None,
        turn=case.turn,
        created_by=case.created_by,
        created_at=case.created_at,
        scenario=case.scenario.model_dump(mode="json", exclude_defaults=True),
    )
