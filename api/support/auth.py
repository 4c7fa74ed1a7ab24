"""Signing in with e-mail and password, staying signed in, and signing out (rows M01 and M02)."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.requests import HTTPConnection
from pydantic import BaseModel, Field

from api.dependencies import SIGN_IN_FIRST, CurrentPrincipal, CurrentRuntime, bearer_token
from api.json_body import StrictRoute
from api.support.envelope import Answer, Request, failures
from core.errors import NotAuthenticated
from core.text import Text
from services.accounts.organizations import recent_organizations
from services.accounts.sessions import (
    Session,
    end_session,
    end_session_of_access_token,
    refresh_session,
    start_session,
)
from services.accounts.users import authenticate, find_account

MAXIMUM_TOKEN_LENGTH = 4_000

router = APIRouter(prefix="/api/auth", tags=["Authentication"], route_class=StrictRoute)


class LoginRequest(Request):
    email: Text = Field(min_length=3, max_length=254, examples=["customer@example.com"])
    password: str = Field(min_length=1, max_length=1_000, examples=["password123"])


class RefreshRequest(Request):
    refresh_token: str = Field(
        min_length=1, max_length=MAXIMUM_TOKEN_LENGTH, examples=["eyJhbGci..."]
    )


class LogoutRequest(Request):
    refresh_token: str | None = Field(
        None,
        min_length=1,
        max_length=MAXIMUM_TOKEN_LENGTH,
        description="Names the session where no access token is at hand.",
        examples=["eyJhbGci..."],
    )


class Tokens(Answer):
    """A pair of tokens: send the first as bearer token, exchange the second before it expires."""

    access_token: str = Field(examples=["eyJhbGci..."])
    refresh_token: str = Field(examples=["eyJhbGci..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds that the access token lives.", examples=[1800])


class CallerView(BaseModel):
    """Who calls; an application has neither id nor e-mail address."""

    id: str | None
    name: str = Field(examples=["Alex Bernard"])
    email: str | None = Field(examples=["agent@example.com"])
    role: str = Field(examples=["agent"])
    permissions: list[str] = Field(examples=[["chat:write", "conversations:write"]])
    shop: str = Field(description="The organization's name.", examples=["Meuble de France"])


class CallerAnswer(Answer):
    caller: CallerView


def _tokens(session: Session, response: Response) -> Tokens:
    response.headers["cache-control"] = "no-store"
    return Tokens(
        access_token=session.access_token,
        refresh_token=session.refresh_token,
        expires_in=session.expires_in_seconds,
    )


@router.post("/login", summary="Sign in", responses=failures(401))
async def login(body: LoginRequest, runtime: CurrentRuntime, response: Response) -> Tokens:
    """Exchange an e-mail address and a password for tokens.

    Five attempts a minute and address are allowed. An unknown address and a wrong password get
    the same answer in the same time.
    """
    account = await authenticate(runtime.database, body.email, body.password)
    return _tokens(await start_session(runtime, account), response)


@router.post("/refresh", summary="Renew the tokens", responses=failures(401))
async def refresh(body: RefreshRequest, runtime: CurrentRuntime, response: Response) -> Tokens:
    """Exchange a refresh token, once, for a new pair.

    Using one twice ends the whole session: two parties then hold it.
    """
    return _tokens(await refresh_session(runtime, body.refresh_token), response)


@router.post("/logout", summary="Sign out", responses=failures(401))
async def logout(
    request: HTTPConnection, runtime: CurrentRuntime, body: LogoutRequest | None = None
) -> Answer:
    """End the session of the access token, or of the refresh token in the body.

    All its tokens end, access tokens within five seconds on every process.
    """
    access_token = bearer_token(request)
    if body is not None and body.refresh_token is not None:
        await end_session(runtime, body.refresh_token)
    elif access_token is not None:
        await end_session_of_access_token(runtime, access_token)
    else:
        raise NotAuthenticated(SIGN_IN_FIRST)
    return Answer()


@router.get("/me", summary="Who am I", responses=failures(401))
async def read_caller(principal: CurrentPrincipal, runtime: CurrentRuntime) -> CallerAnswer:
    """The caller's name, role and permissions: what a page needs to show what they may do."""
    account = None
    if principal.user_id is not None:
        async with runtime.database.reading(principal.organization_id) as transaction:
            account = await find_account(transaction, principal.user_id)
    shops = {one.id: one.name for one in await recent_organizations(runtime)}
    return CallerAnswer(
        caller=CallerView(
            id=str(account.user.id) if account else None,
            name=account.user.name if account else principal.role,
            email=account.user.email if account else None,
            role=principal.role,
            permissions=sorted(principal.permissions),
            shop=shops.get(principal.organization_id, ""),
        )
    )
