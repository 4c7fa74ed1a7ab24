"""Who is calling: the Principal behind a request's credentials, for every contract.

Credentials are a bearer access token, or an API key in `X-API-Key`, in `api-key` or as bearer; on
chat routes a visitor's token will do, sent as bearer, in `X-Visitor-Token` or in the cookie
`mdf_visitor`. The organization is that of the token, else the one whose public key is in
`X-Public-Key`, else the first active one. Where several are sent, the first named here counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from fastapi.requests import HTTPConnection

from api.admin.envelope import BAD_BEARER, MISSING_BEARER, WRONG_SCHEME, InvalidBearer
from core.errors import NotAuthenticated, ServiceUnavailable
from core.runtime import Runtime
from core.security import VISITOR_TOKEN_SECONDS, Principal
from services.accounts.api_keys import is_api_key, principal_from_api_key
from services.accounts.organizations import recent_organizations
from services.accounts.sessions import (
    issue_visitor_token,
    principal_from_access_token,
    principal_from_any_token,
    principal_from_visitor_token,
)

VISITOR_HEADER = "X-Visitor-Token"
VISITOR_COOKIE = "mdf_visitor"
PUBLIC_KEY_HEADER = "X-Public-Key"
API_KEY_HEADERS = ("X-API-Key", "api-key")
SIGN_IN_FIRST = "Sign in first: send an access token as bearer token."


@dataclass(frozen=True)
class Caller:
    """The caller of a chat route; `new_visitor_token` is set where one was made just now.

    Such a token must be handed to the client (`remember_visitor`): nothing else opens the
    visitor's conversations.
    """

    principal: Principal
    new_visitor_token: str | None = None


async def product_runtime(request: HTTPConnection) -> Runtime:
    """The open product of this process."""
    runtime: Runtime = request.app.state.runtime
    return runtime


CurrentRuntime = Annotated[Runtime, Depends(product_runtime)]


def bearer_token(request: HTTPConnection) -> str | None:
    """The token of `Authorization: Bearer …`; another scheme raises NotAuthenticated."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("The Authorization header must be: Bearer <token>.")
    return token.strip()


def api_key(request: HTTPConnection) -> str | None:
    """The API key of a header of its own; None where there is none."""
    for name in API_KEY_HEADERS:
        key = request.headers.get(name)
        if key is not None:
            return key.strip()
    return None


async def organization_of_public_key(request: HTTPConnection, runtime: Runtime) -> UUID | None:
    """The organization that the request names by its public key; None where it names none."""
    public_key = request.headers.get(PUBLIC_KEY_HEADER)
    if public_key is None:
        return None
    for organization in await recent_organizations(runtime, public_key):
        if organization.public_key == public_key:
            return organization.id
    raise NotAuthenticated("This public key is not known.")


async def organization_of_visit(request: HTTPConnection, runtime: Runtime) -> UUID:
    """The organization that a visitor without credentials talks to."""
    named = await organization_of_public_key(request, runtime)
    if named is not None:
        return named
    organizations = await recent_organizations(runtime)
    if not organizations:
        raise ServiceUnavailable(
            "No shop has been set up yet; run `mdf shop`, or `mdf seed` for the sample shop."
        )
    return organizations[0].id


async def _within_named_organization(
    request: HTTPConnection, runtime: Runtime, principal: Principal
) -> Principal:
    named = await organization_of_public_key(request, runtime)
    if named is not None and named != principal.organization_id:
        raise NotAuthenticated("This token belongs to another shop.")
    return principal


async def _from_token_or_key(runtime: Runtime, credential: str) -> Principal:
    if is_api_key(credential):
        return await principal_from_api_key(runtime, credential)
    return await principal_from_access_token(runtime, credential)


async def signed_in(request: HTTPConnection, runtime: CurrentRuntime) -> Principal:
    """The account behind the access token, or the application behind the API key.

    Raises NotAuthenticated.
    """
    token, key = bearer_token(request), api_key(request)
    if token is not None:
        principal = await _from_token_or_key(runtime, token)
    elif key is not None:
        principal = await principal_from_api_key(runtime, key)
    else:
        raise NotAuthenticated(SIGN_IN_FIRST)
    return await _within_named_organization(request, runtime, principal)


CurrentPrincipal = Annotated[Principal, Depends(signed_in)]


async def _known_caller(request: HTTPConnection, runtime: Runtime) -> Principal | None:
    """The account, application or visitor that the request proves; None where it proves nothing."""
    token, key = bearer_token(request), api_key(request)
    if token is not None and not is_api_key(token):
        return await principal_from_any_token(runtime, token)
    if token is not None or key is not None:
        return await principal_from_api_key(runtime, token or key or "")
    token = request.headers.get(VISITOR_HEADER)
    if token is not None:
        return principal_from_visitor_token(runtime, token)
    token = request.cookies.get(VISITOR_COOKIE)
    if token is not None:
        try:
            return principal_from_visitor_token(runtime, token)
        except NotAuthenticated:
            return None
    return None


async def signed_in_or_visitor(request: HTTPConnection, runtime: CurrentRuntime) -> Caller:
    """The caller of a chat message: an account, an application, a visitor known or made just now.

    Credentials that are sent but bad raise NotAuthenticated; only an old cookie is forgotten.
    """
    principal = await _known_caller(request, runtime)
    if principal is not None:
        return Caller(await _within_named_organization(request, runtime, principal))
    organization_id = await organization_of_visit(request, runtime)
    token, visitor = issue_visitor_token(runtime, organization_id)
    return Caller(visitor, token)


async def signed_in_or_known_visitor(request: HTTPConnection, runtime: CurrentRuntime) -> Caller:
    """The caller who reads what was said; a visitor needs the token of the first answer."""
    principal = await _known_caller(request, runtime)
    if principal is None:
        raise NotAuthenticated(SIGN_IN_FIRST)
    return Caller(await _within_named_organization(request, runtime, principal))


ChatCaller = Annotated[Caller, Depends(signed_in_or_visitor)]
KnownChatCaller = Annotated[Caller, Depends(signed_in_or_known_visitor)]


def remember_visitor(response: Response, caller: Caller, runtime: Runtime) -> None:
    """Give a new visitor their token as a cookie that scripts cannot read, and as a header."""
    if caller.new_visitor_token is None:
        return
    response.headers[VISITOR_HEADER] = caller.new_visitor_token
    response.set_cookie(
        VISITOR_COOKIE,
        caller.new_visitor_token,
        max_age=VISITOR_TOKEN_SECONDS,
        httponly=True,
        samesite="lax",
        secure=runtime.settings.environment == "production",
        path="/api",
    )


async def operator(request: HTTPConnection, runtime: CurrentRuntime) -> Principal:
    """The caller on `/api/v1`, whose refusals are 403 (seed 001)."""
    header, key = request.headers.get("authorization"), api_key(request)
    if header is None and key is None:
        raise InvalidBearer(MISSING_BEARER)
    scheme, _, token = (header or "").partition(" ")
    if header is not None and scheme.lower() != "bearer":
        raise InvalidBearer(WRONG_SCHEME)
    try:
        if header is not None:
            principal = await _from_token_or_key(runtime, token.strip())
        else:
            principal = await principal_from_api_key(runtime, key or "")
        return await _within_named_organization(request, runtime, principal)
    except NotAuthenticated as error:
        raise InvalidBearer(BAD_BEARER) from error


CurrentOperator = Annotated[Principal, Depends(operator)]
