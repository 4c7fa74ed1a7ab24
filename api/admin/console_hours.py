"""When people answer, and what a shop promises: service hours and the SLA policy (row X09)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, FailFast, Field

from api.admin.envelope import APIResponse, SchemaViolation
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from services.conversations.service_hours import SETTING as HOURS_SETTING
from services.conversations.service_hours import service_hours
from services.tickets.calendar import Calendar, calendar_as_json, calendar_from_json
from services.tickets.sla import SETTING as SLA_SETTING
from services.tickets.sla import policy_from_json, sla_policy
from services.tickets.sla_settings import store_setting

WORK, SET_UP = "conversations:write", "settings:write"

router = APIRouter(prefix="/api/v1/console", tags=["Console"], route_class=StrictRoute)

Times = Annotated[
    list[Annotated[str, Field(max_length=13, examples=["09:00-12:30"])]],
    Field(max_length=12),
    FailFast(),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CalendarBody(_Body):
    """Hours in local time; a weekday that is left out is closed."""

    time_zone: str = Field("Europe/Paris", max_length=60)
    weekly: dict[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        Times,
    ] = Field(examples=[{"monday": ["09:00-12:00", "14:00-18:00"], "saturday": ["10:00-12:00"]}])
    holidays: Literal["FR", "FR-ALSACE-MOSELLE"] | None = None
    exceptions: dict[Annotated[str, Field(max_length=10)], Times] = Field(
        default_factory=dict, max_length=500, examples=[{"2026-12-24": ["09:00-12:00"]}]
    )


class EscalationBody(_Body):
    after_share: float = Field(gt=0, le=100, description="Of the time; 1 is the deadline.")
    notify: Literal["assignee", "managers"]
    raise_priority: bool = Field(False, strict=True)


class SlaBody(_Body):
    """A promise; without a calendar it runs around the clock."""

    calendar: CalendarBody | None = None
    response_hours: dict[
        Literal["urgent", "high", "medium", "low"], Annotated[float, Field(gt=0, le=1440)]
    ] = Field(default_factory=dict)
    escalation: Annotated[list[EscalationBody], Field(max_length=10)] | None = None


@route(router, "GET", "/sla", summary="Read the SLA policy")
async def read_sla(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[dict[str, Any]]:
    """The hours that count, the time for a first answer by priority, and the escalation."""
    operator.require(WORK)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=(await sla_policy(transaction)).as_json())


@route(router, "PUT", "/sla", summary="Set the SLA policy")
async def set_sla(
    body: SlaBody, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[dict[str, Any]]:
    """New tickets follow it; deadlines that were promised stay."""
    operator.require(SET_UP)
    try:
        policy = policy_from_json(body.model_dump(exclude_none=True))
    except ValueError as error:
        raise _violation("calendar", error) from error
    async with runtime.database.transaction(operator.organization_id) as transaction:
        await store_setting(transaction, SLA_SETTING, policy.as_json(), runtime.clock())
    return APIResponse(message="The policy is set.", data=policy.as_json())


@route(router, "GET", "/service_hours", summary="Read the service hours")
async def read_hours(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[dict[str, Any]]:
    """When people answer: what waiting customers are told, and what their wait is measured in."""
    operator.require(WORK)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=calendar_as_json(await service_hours(transaction)))


@route(router, "PUT", "/service_hours", summary="Set the service hours")
async def set_hours(
    body: CalendarBody, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[dict[str, Any]]:
    """Several intervals a day, public holidays, and days that are exceptions."""
    operator.require(SET_UP)
    try:
        calendar: Calendar = calendar_from_json(body.model_dump())
    except ValueError as error:
        raise _violation("weekly", error) from error
    stored = calendar_as_json(calendar)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        await store_setting(transaction, HOURS_SETTING, stored, runtime.clock())
    return APIResponse(message="The hours are set.", data=stored)


def _violation(field: str, error: ValueError) -> SchemaViolation:
    problem = {"loc": ["body", field], "msg": str(error), "type": "value_error"}
    return SchemaViolation("Validation failed", {"errors": [problem]})
