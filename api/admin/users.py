"""The organization's users: listed, invited, given roles, disabled and enabled (row W12)."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.admin.envelope import APIResponse, PaginatedResponse, pagination
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from core.errors import NotFound
from core.text import Text
from services.accounts.members import (
    Invitation,
    Member,
    MemberFilters,
    Role,
    Sort,
    change_member,
    find_member,
    invite_member,
    list_members,
)

MAXIMUM_PAGE_NUMBER = 100_000

router = APIRouter(prefix="/api/v1/users", tags=["Users"], route_class=StrictRoute)

UserId = Annotated[str, Path(description="The user's id.", max_length=1_000)]


class InvitationRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Text = Field(min_length=3, max_length=254, examples=["claude@example.com"])
    name: Text = Field(min_length=1, max_length=200, examples=["Claude Durand"])
    role: Role = Field(description="At most your own.", examples=["agent"])
    language: Literal["fr", "en"] = Field("fr", description="Of the message that invites.")


class UserChangeRequest(BaseModel):
    """What to change; a field that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = Field(None, examples=["manager"])
    is_active: bool | None = Field(
        None, strict=True, description="false disables: signed out everywhere within 5 s."
    )

    @model_validator(mode="after")
    def check_something_changes(self) -> Self:
        if self.role is None and self.is_active is None:
            raise ValueError("give role or is_active")
        return self


class UserView(BaseModel):
    id: str
    email: str
    name: str
    role: str = Field(examples=["agent"])
    is_active: bool
    has_password: bool = Field(description="False until the invitation is used.")
    created_at: Moment


@route(router, "GET", "", summary="List users")
async def read_users(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    search: Annotated[
        Text | None, Query(max_length=200, description="Part of the name or the address.")
    ] = None,
    role: Role | None = None,
    is_active: bool | None = None,
    sort: Sort = "email",
) -> PaginatedResponse[UserView]:
    """List who has an account in the organization."""
    operator.require("users:manage")
    filters = MemberFilters(role, is_active, search)
    async with runtime.database.reading(operator.organization_id) as transaction:
        members, total = await list_members(
            transaction, filters, sort, per_page, (page - 1) * per_page
        )
    return PaginatedResponse(
        data=[_view(member) for member in members], pagination=pagination(page, per_page, total)
    )


@route(router, "POST", "", summary="Invite a user", fails=(400, 409), status_code=201)
async def invite_user(
    body: InvitationRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[UserView]:
    """Give somebody an account and write to them; they choose their own password."""
    invitation = Invitation(body.email, body.name, body.role, body.language)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        member = await invite_member(runtime, transaction, invitation, operator)
    return APIResponse(message="The user has been invited.", data=_view(member))


@route(router, "GET", "/{user_id}", summary="Read a user", fails=(404,))
async def read_user(
    user_id: UserId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[UserView]:
    """Read one user of the organization."""
    operator.require("users:manage")
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=_view(await find_member(transaction, _id(user_id))))


@route(router, "PATCH", "/{user_id}", summary="Change a user", fails=(400, 404, 409))
async def change_user(
    user_id: UserId,
    body: UserChangeRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[UserView]:
    """Change a role, disable or enable; nobody above oneself, nor oneself."""
    operator.require("users:manage")
    async with runtime.database.transaction(operator.organization_id) as transaction:
        member = await change_member(
            runtime,
            transaction,
            _id(user_id),
            operator,
            role=body.role,
            is_active=body.is_active,
        )
    return APIResponse(message="The user has been changed.", data=_view(member))


def _id(user_id: str) -> UUID:
    try:
        return UUID(user_id)
    except ValueError as error:
        raise NotFound("There is no such user.") from error


def _view(member: Member) -> UserView:
    return UserView(
        id=str(member.user_id),
        email=member.email,
        name=member.name,
        role=member.role,
        is_active=member.is_active,
        has_password=member.has_password,
        created_at=member.created_at,
    )
