"""Who is behind a token: signing in, staying signed in, and being told apart as a visitor.

An access token lives 1,800 s. A refresh token is used once: each use gives a new pair of the same
family, and a second use of one token ends the family, because two parties then hold it. The
database keeps only the keyed hash of refresh tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update

from core.database import Transaction, new_id
from core.errors import NotAuthenticated
from core.runtime import Runtime
from core.security import (
    ACCESS_TOKEN_SECONDS,
    REFRESH_TOKEN_SECONDS,
    VISITOR_TOKEN_SECONDS,
    Principal,
    keyed_hash,
    principal_for_role,
    random_token,
    read_token,
    sign_token,
)
from services.accounts.tables import refresh_tokens
from services.accounts.users import Account, find_account

# A revoked session or a disabled user is refused this many seconds later at the latest.
PRINCIPAL_CACHE_SECONDS = 4


@dataclass(frozen=True)
class Session:
    """What a sign-in or a refresh gives."""

    access_token: str
    refresh_token: str
    expires_in_seconds: int
    account: Account


async def start_session(runtime: Runtime, account: Account) -> Session:
    """Begin a new family of tokens for an account that has just proved who it is."""
    async with runtime.database.transaction(account.organization_id) as transaction:
        return await _issue(runtime, transaction, account, random_token("family_"))


async def refresh_session(runtime: Runtime, refresh_token: str) -> Session:
    """Exchange a refresh token for a new pair.

    Raises NotAuthenticated for a token that is unknown, expired, revoked or already used; in the
    last case the whole family ends, access tokens included.
    """
    claims = _claims(runtime, "refresh", refresh_token)
    session: Session | None = None
    async with runtime.database.transaction(claims.organization_id) as transaction:
        if await _use(runtime, transaction, refresh_token):
            account = await find_account(transaction, claims.user_id)
            if account is not None:
                session = await _issue(runtime, transaction, account, claims.family)
        else:
            await _end_family(runtime, transaction, claims.family)
    if session is None:
        await runtime.cache.delete(_cache_key(claims.family))
        raise NotAuthenticated("The refresh token is no longer valid; sign in again.")
    return session


async def end_session(runtime: Runtime, refresh_token: str) -> None:
    """Sign out: end the family of a refresh token, its access tokens included."""
    claims = _claims(runtime, "refresh", refresh_token)
    async with runtime.database.transaction(claims.organization_id) as transaction:
        await _end_family(runtime, transaction, claims.family)
    await runtime.cache.delete(_cache_key(claims.family))


async def principal_from_access_token(runtime: Runtime, token: str) -> Principal:
    """The caller behind an access token.

    The role is that of the membership now, not of the moment when the token was issued. Raises
    NotAuthenticated for a bad token, an ended session, a disabled user or a membership that is
    gone.
    """
    claims = _claims(runtime, "access", token)
    key = _cache_key(claims.family)
    cached = await runtime.cache.get(key)
    if cached is not None:
        known = _principal_from_json(orjson.loads(cached))
        if (known.organization_id, known.user_id) == (claims.organization_id, claims.user_id):
            return known
    async with runtime.database.reading(claims.organization_id) as transaction:
        ended = await transaction.first(
            select(refresh_tokens.c.id)
            .where(refresh_tokens.c.family == claims.family)
            .where(refresh_tokens.c.revoked_at.is_not(None))
            .limit(1)
        )
        account = await find_account(transaction, claims.user_id) if ended is None else None
    if account is None:
        raise NotAuthenticated("This session has ended; sign in again.")
    principal = account.principal()
    await runtime.cache.set(key, _principal_as_json(principal), PRINCIPAL_CACHE_SECONDS)
    return principal


def issue_visitor_token(runtime: Runtime, organization_id: UUID) -> tuple[str, Principal]:
    """A signed token for a visitor without an account, and the Principal that it stands for."""
    visitor_id = new_id()
    token = sign_token(
        _secret(runtime),
        "visitor",
        str(visitor_id),
        runtime.clock(),
        VISITOR_TOKEN_SECONDS,
        org=str(organization_id),
    )
    return token, _visitor(organization_id, visitor_id)


def principal_from_visitor_token(runtime: Runtime, token: str) -> Principal:
    """The visitor behind a token; raises NotAuthenticated for a bad one."""
    claims = read_token(_secret(runtime), "visitor", token)
    return _visitor(_uuid(claims.get("org")), _uuid(claims["sub"]))


@dataclass(frozen=True)
class _Claims:
    organization_id: UUID
    user_id: UUID
    family: str


def _claims(runtime: Runtime, kind: str, token: str) -> _Claims:
    claims = read_token(_secret(runtime), kind, token)
    return _Claims(_uuid(claims.get("org")), _uuid(claims["sub"]), str(claims.get("family", "")))


async def _issue(
    runtime: Runtime, transaction: Transaction, account: Account, family: str
) -> Session:
    now = runtime.clock()
    subject = str(account.user.id)
    shared = {"org": str(account.organization_id), "family": family}
    refresh_token = sign_token(
        _secret(runtime),
        "refresh",
        subject,
        now,
        REFRESH_TOKEN_SECONDS,
        jti=random_token(),
        **shared,
    )
    access_token = sign_token(
        _secret(runtime), "access", subject, now, ACCESS_TOKEN_SECONDS, **shared
    )
    await transaction.insert(
        refresh_tokens,
        {
            "user_id": account.user.id,
            "organization_id": account.organization_id,
            "family": family,
            "token_hash": keyed_hash(_secret(runtime), refresh_token),
            "created_at": now,
            "expires_at": now + timedelta(seconds=REFRESH_TOKEN_SECONDS),
        },
    )
    return Session(access_token, refresh_token, ACCESS_TOKEN_SECONDS, account)


async def _use(runtime: Runtime, transaction: Transaction, refresh_token: str) -> bool:
    """Mark a token as used; only one of two simultaneous callers is told True."""
    now = runtime.clock()
    used = await transaction.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.token_hash == keyed_hash(_secret(runtime), refresh_token))
        .where(refresh_tokens.c.used_at.is_(None))
        .where(refresh_tokens.c.revoked_at.is_(None))
        .where(refresh_tokens.c.expires_at > now)
        .values(used_at=now)
    )
    return used.rowcount == 1


async def _end_family(runtime: Runtime, transaction: Transaction, family: str) -> None:
    await transaction.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.family == family)
        .where(refresh_tokens.c.revoked_at.is_(None))
        .values(revoked_at=runtime.clock())
    )


def _visitor(organization_id: UUID, visitor_id: UUID) -> Principal:
    return principal_for_role(organization_id, f"visitor:{visitor_id}", "visitor")


def _secret(runtime: Runtime) -> str:
    return runtime.settings.secret_key.get_secret_value()


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise NotAuthenticated("The token is invalid or has expired; sign in again.") from error


def _cache_key(family: str) -> str:
    return f"principal:{family}"


def _principal_as_json(principal: Principal) -> bytes:
    return orjson.dumps(
        {
            "organization_id": principal.organization_id,
            "actor": principal.actor,
            "role": principal.role,
            "user_id": principal.user_id,
            "customer_id": principal.customer_id,
            "email": principal.email,
        },
        # asyncpg's own subclass of UUID.
        default=str,
    )


def _principal_from_json(values: dict[str, Any]) -> Principal:
    return principal_for_role(
        UUID(values["organization_id"]),
        values["actor"],
        values["role"],
        user_id=UUID(values["user_id"]),
        customer_id=UUID(values["customer_id"]) if values["customer_id"] else None,
        email=values["email"],
    )
