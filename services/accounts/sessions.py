"""Who is behind a token: signing in, staying signed in, and being told apart as a visitor.

An access token lives 1,800 s. A refresh token is used once: each use gives a new pair of the same
family, and a second use of one token ends the family, because two parties then hold it. The
database keeps only the keyed hash of refresh tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

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
    read_token_of_kinds,
    sign_token,
)
from services.accounts.api_keys import KEY_CREDENTIAL, principal_of_key_hash
from services.accounts.recent import RECENT_SECONDS, recent_look_ups
from services.accounts.tables import refresh_tokens, users
from services.accounts.users import Account, account_of_row, account_query, find_account

SESSION_CREDENTIAL = "session"

# A revoked session or a disabled user is refused this many seconds later at the latest.
PRINCIPAL_CACHE_SECONDS = RECENT_SECONDS


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
        used = await _use(runtime, transaction, refresh_token)
        if used and not await _has_ended(transaction, claims.family):
            account = await find_account(transaction, claims.user_id)
            if account is not None:
                session = await _issue(runtime, transaction, account, claims.family)
        else:
            await _end_family(runtime, transaction, claims.family)
    if session is None:
        recent_look_ups(runtime).forget_all()
        raise NotAuthenticated("The refresh token is no longer valid; sign in again.")
    return session


async def end_session(runtime: Runtime, refresh_token: str) -> None:
    """Sign out: end the family of a refresh token, its access tokens included."""
    await _end(runtime, _claims(runtime, "refresh", refresh_token))


async def end_session_of_access_token(runtime: Runtime, access_token: str) -> None:
    """Sign out with the access token alone: its family ends, refresh tokens included."""
    await _end(runtime, _claims(runtime, "access", access_token))


async def end_sessions(
    runtime: Runtime, transaction: Transaction, user_id: UUID, except_family: str | None = None
) -> None:
    """End all sessions of a user, everywhere, within the caller's transaction."""
    statement = (
        update(refresh_tokens)
        .where(refresh_tokens.c.user_id == user_id)
        .where(refresh_tokens.c.revoked_at.is_(None))
    )
    if except_family is not None:
        statement = statement.where(refresh_tokens.c.family != except_family)
    await transaction.execute(statement.values(revoked_at=runtime.clock()))
    transaction.after_commit.append(recent_look_ups(runtime).forget_all)


async def principal_from_access_token(runtime: Runtime, token: str) -> Principal:
    """The caller behind an access token.

    The role is that of the membership now, not of the moment when the token was issued. Raises
    NotAuthenticated for a bad token, an ended session, a disabled user or a membership that is
    gone.
    """
    claims = read_token(_secret(runtime), "access", token)
    return await _principal_from_claims(runtime, _read_claims(claims))


async def principal_from_any_token(runtime: Runtime, token: str) -> Principal:
    """The caller behind an access token or a visitor's token, whichever it is."""
    kinds = frozenset({"access", "visitor"})
    claims = read_token_of_kinds(_secret(runtime), kinds, token)
    if claims["typ"] == "visitor":
        return _visitor(_uuid(claims.get("org")), _uuid(claims["sub"]))
    return await _principal_from_claims(runtime, _read_claims(claims))


async def still_valid(runtime: Runtime, principal: Principal) -> bool:
    """Whether what proved a caller still holds, with every permission that it gave.

    For connections that outlive a request: asked every 3 s, it ends them within 5 s of a revoked
    key, an ended session, a disabled user or a lesser role. Costs one statement in
    `RECENT_SECONDS` and caller at most. Visitors and the product itself cannot be revoked.
    """
    kind, _, name = (principal.credential or "").partition(":")
    now: Principal | None = principal
    if kind == KEY_CREDENTIAL:
        now = await principal_of_key_hash(runtime, name)
    elif kind == SESSION_CREDENTIAL and principal.user_id is not None:
        claims = _Claims(principal.organization_id, principal.user_id, name)
        now = await _recent_principal(runtime, claims)
    return now is not None and principal.permissions <= now.permissions


async def _principal_from_claims(runtime: Runtime, claims: _Claims) -> Principal:
    principal = await _recent_principal(runtime, claims)
    if principal is None:
        raise NotAuthenticated("This session has ended; sign in again.")
    return principal


async def _recent_principal(runtime: Runtime, claims: _Claims) -> Principal | None:
    key = f"{SESSION_CREDENTIAL}:{claims.organization_id}:{claims.user_id}:{claims.family}"
    return await recent_look_ups(runtime).get(key, lambda: _look_up(runtime, claims))


async def _look_up(runtime: Runtime, claims: _Claims) -> Principal | None:
    """The caller of a session that has not ended, in one statement."""
    ended = refresh_tokens.alias("ended")
    source = users.outerjoin(
        ended, (ended.c.family == claims.family) & ended.c.revoked_at.is_not(None)
    )
    query = account_query(claims.user_id, claims.organization_id, source)
    query = query.add_columns(ended.c.id.label("ended"))
    async with runtime.database.reading(None, every_organization=True) as transaction:
        row = await transaction.first(query)
    if row is None or row.ended is not None:
        return None
    account = account_of_row(row, claims.organization_id)
    credential = f"{SESSION_CREDENTIAL}:{claims.family}"
    return replace(account.principal(), credential=credential) if account is not None else None


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
    return _read_claims(read_token(_secret(runtime), kind, token))


def _read_claims(claims: Mapping[str, Any]) -> _Claims:
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


async def _has_ended(transaction: Transaction, family: str) -> bool:
    """Whether a family has ended; a pair that was issued at that very moment ends with it."""
    row = await transaction.first(
        select(refresh_tokens.c.id)
        .where(refresh_tokens.c.family == family)
        .where(refresh_tokens.c.revoked_at.is_not(None))
        .limit(1)
    )
    return row is not None


async def _end(runtime: Runtime, claims: _Claims) -> None:
    async with runtime.database.transaction(claims.organization_id) as transaction:
        await _end_family(runtime, transaction, claims.family)
    recent_look_ups(runtime).forget_all()


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
