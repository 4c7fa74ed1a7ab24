"""Who talks to customers: skills, availability, and what they have open."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.admin.envelope import APIResponse
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from channels.desk import agent_of
from core.database import Transaction
from core.errors import NotFound
from core.security import Principal
from core.text import Text
from services.conversations.agents import (
    MAXIMUM_SKILL_LENGTH,
    MAXIMUM_SKILLS,
    Agent,
    choose_agent,
    list_agents,
    require_agent,
    set_profile,
)

WORK = "conversations:write"

router = APIRouter(prefix="/api/v1/console", tags=["Console"], route_class=StrictRoute)

Skill = Annotated[Text, Field(min_length=1, max_length=MAXIMUM_SKILL_LENGTH)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProfileRequest(_Body):
    """What to change; a field that is left out stays as it is."""

    skills: list[Skill] | None = Field(None, max_length=MAXIMUM_SKILLS, examples=[["montage"]])
    is_available: bool | None = Field(None, strict=True)


class AssignmentRequest(_Body):
    """To whom: an agent, or by `round_robin` among those available, or by a `skill` of theirs."""

    to: Text = Field(
        max_length=40, description="A user's id, `me`, `round_robin` or `skill`.", examples=["me"]
    )
    skill: Text | None = Field(None, max_length=MAXIMUM_SKILL_LENGTH, examples=["montage"])


class AgentRow(BaseModel):
    id: str
    name: str
    role: str
    skills: list[str]
    is_available: bool
    open_conversations: int


@route(router, "GET", "/agents", summary="List agents")
async def read_agents(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[AgentRow]]:
    """Who talks to customers, with skills and what they have open."""
    operator.require(WORK)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=[_agent_row(one) for one in await list_agents(transaction)])


@route(router, "PATCH", "/agents/{user_id}", summary="Set an agent's profile", fails=(400, 404))
async def change_profile(
    user_id: Annotated[str, Path(max_length=1_000, description="A user's id, or `me`.")],
    body: ProfileRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[AgentRow]:
    """Skills and availability: one's own, or anybody's for administrators."""
    me = agent_of(operator)
    wanted = me if user_id == "me" else _id(user_id, "user")
    if wanted != me:
        operator.require("users:manage")
    async with runtime.database.transaction(operator.organization_id) as transaction:
        await require_agent(transaction, wanted)
        agent = await set_profile(transaction, wanted, body.skills, body.is_available)
    return APIResponse(message="The profile has been changed.", data=_agent_row(agent))


async def chosen_agent(
    transaction: Transaction, body: AssignmentRequest, operator: Principal, now: datetime
) -> UUID:
    """Who is given the work; raises Conflict where nobody is free, InvalidRequest for no agent."""
    if body.to in ("round_robin", "skill"):
        skill = body.skill if body.to == "skill" else None
        return await choose_agent(transaction, skill, now)
    wanted = agent_of(operator) if body.to == "me" else _id(body.to, "user")
    return await require_agent(transaction, wanted)


def _agent_row(agent: Agent) -> AgentRow:
    return AgentRow(
        id=str(agent.user_id),
        name=agent.name,
        role=agent.role,
        skills=list(agent.skills),
        is_available=agent.is_available,
        open_conversations=agent.open_conversations,
    )


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"There is no such {what}.") from error
