"""Keys for applications: made, listed and revoked by administrators (rows M03 and M04)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.dependencies import CurrentPrincipal, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Answer, Moment, Request, failures
from core.errors import NotFound
from core.security import ROLE_PERMISSIONS
from core.text import Text
from services.accounts.api_keys import (
    DEFAULT_LIFE_DAYS,
    PUBLIC_ID_PREFIX,
    ApiKey,
    NewApiKey,
    create_api_key,
    list_api_keys,
    revoke_api_key,
)

MAXIMUM_LIFE_DAYS = 3_650
MAXIMUM_PAGE = 100
MAXIMUM_OFFSET = 1_000_000

router = APIRouter(prefix="/api/auth/api-keys", tags=["Authentication"], route_class=StrictRoute)

# For the document alone: the service says which permissions there are when it refuses others.
KNOWN_PERMISSIONS = sorted(frozenset().union(*ROLE_PERMISSIONS.values()))
KeyId = Annotated[str, Path(description="Such as api_key_123.", max_length=1_000)]


class NewApiKeyRequest(Request):
    name: Text = Field(min_length=1, max_length=100, examples=["Application Mobile"])
    expires_in_days: int = Field(
        DEFAULT_LIFE_DAYS, ge=1, le=MAXIMUM_LIFE_DAYS, strict=True, examples=[365]
    )
    permissions: (
        Annotated[
            list[
                Annotated[
                    Text,
                    Field(
                        min_length=1, max_length=60, json_schema_extra={"enum": KNOWN_PERMISSIONS}
                    ),
                ]
            ],
            Field(max_length=50),
        ]
        | None
    ) = Field(
        None,
        description="At most your own; left out: chat:write, products:read, tickets:read and "
        "tickets:write.",
        examples=[["products:read", "chat:write"]],
    )


class NewApiKeyAnswer(Answer):
    """A new key; `api_key` is shown here and never again."""

    api_key: str = Field(examples=["mdf_live_abc123..."])
    key_id: str = Field(examples=["api_key_123"])
    name: str = Field(examples=["Application Mobile"])
    expires_at: Moment | None = Field(examples=["2025-01-09T12:00:00Z"])


class ApiKeyView(BaseModel):
    key_id: str = Field(examples=["api_key_123"])
    name: str = Field(examples=["Application Mobile"])
    hint: str = Field(description="How the key begins and ends.", examples=["mdf_live_…c123"])
    permissions: list[str] = Field(examples=[["chat:write", "products:read"]])
    created_by: str = Field(description="The id of the user who made it.")
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None = Field(description="To the minute.")
    revoked_at: Moment | None


class ApiKeyListAnswer(Answer):
    api_keys: list[ApiKeyView]
    total: int
    limit: int
    offset: int


class RevokedKeyAnswer(Answer):
    key_id: str = Field(examples=["api_key_123"])
    revoked_at: Moment | None


@router.post("", status_code=201, summary="Make an API key", responses=failures(401, 403))
async def make_key(
    body: NewApiKeyRequest,
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
    response: Response,
) -> NewApiKeyAnswer:
    """Make a key for an application; for administrators, signed in.

    Send it as `X-API-Key`. It never does more than its maker may do at that moment.
    """
    new = NewApiKey(body.name, body.permissions, body.expires_in_days)
    async with runtime.database.transaction(principal.organization_id) as transaction:
        key, secret = await create_api_key(runtime, transaction, new, principal)
    response.headers["cache-control"] = "no-store"
    return NewApiKeyAnswer(
        api_key=secret, key_id=key.public_id, name=key.name, expires_at=key.expires_at
    )


@router.get("", summary="List API keys", responses=failures(401, 403))
async def read_keys(
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
    limit: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE)] = 20,
    offset: Annotated[int, Query(ge=0, le=MAXIMUM_OFFSET)] = 0,
) -> ApiKeyListAnswer:
    """List the organization's keys, newest first, revoked and expired ones included."""
    principal.require("keys:manage")
    async with runtime.database.reading(principal.organization_id) as transaction:
        keys, total = await list_api_keys(transaction, limit, offset)
    views = [_view(key) for key in keys]
    return ApiKeyListAnswer(api_keys=views, total=total, limit=limit, offset=offset)


@router.delete("/{key_id}", summary="Revoke an API key", responses=failures(401, 403, 404))
async def revoke_key(
    key_id: KeyId, principal: CurrentPrincipal, runtime: CurrentRuntime
) -> RevokedKeyAnswer:
    """Revoke a key for good; it is refused everywhere within five seconds."""
    principal.require("keys:manage")
    async with runtime.database.transaction(principal.organization_id) as transaction:
        key = await revoke_api_key(runtime, transaction, _id(key_id), principal)
    return RevokedKeyAnswer(key_id=key.public_id, revoked_at=key.revoked_at)


def _id(key_id: str) -> UUID:
    try:
        return UUID(hex=key_id.removeprefix(PUBLIC_ID_PREFIX))
    except ValueError as error:
        raise NotFound("There is no such API key.") from error


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        key_id=key.public_id,
        name=key.name,
        hint=f"{key.prefix}…{key.last_characters}",
        permissions=list(key.permissions),
        created_by=str(key.created_by),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
