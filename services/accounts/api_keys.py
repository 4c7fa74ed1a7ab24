"""Keys by which applications call the product without a person signing in (rows M03 and M04).

A key is shown once; the database keeps its keyed hash. It acts for the organization within its
own permissions and never beyond those that its maker has now: a disabled maker's keys rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, update

from core.database import Transaction
from core.errors import InvalidRequest, NotAuthenticated, NotFound, PermissionDenied, SupportError
from core.runtime import Runtime
from core.security import (
    APPLICATION_ROLE,
    ROLE_PERMISSIONS,
    Principal,
    is_sealed,
    keyed_hash,
    sealed_token,
)
from core.telemetry import logger
from services.accounts.audit import record_change
from services.accounts.recent import recent_look_ups
from services.accounts.tables import api_keys, users
from services.accounts.users import account_of_row, account_query

# The prefix tells the contract that a key was made for; each works in all of them.
LIVE_PREFIX = "mdf_live_"
PREFIXES = (LIVE_PREFIX,)
PUBLIC_ID_PREFIX = "api_key_"
# Row M03: what a key gets that asks for nothing.
DEFAULT_PERMISSIONS = ("chat:write", "products:read", "tickets:read", "tickets:write")
DEFAULT_LIFE_DAYS = 365
LAST_USE_SECONDS = 60
KEY_CREDENTIAL = "key"

_log = logger("services.accounts.api_keys")


@dataclass(frozen=True)
class NewApiKey:
    """A key as it is asked for; `permissions` None: the default ones."""

    name: str
    permissions: Sequence[str] | None = None
    life_days: int = DEFAULT_LIFE_DAYS


@dataclass(frozen=True)
class ApiKey:
    """A key as it is listed: everything but the key itself."""

    id: UUID
    name: str
    prefix: str
    last_characters: str
    permissions: tuple[str, ...]
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def public_id(self) -> str:
        return f"{PUBLIC_ID_PREFIX}{self.id.hex}"


_COLUMNS = tuple(ApiKey.__dataclass_fields__)


async def create_api_key(
    runtime: Runtime, transaction: Transaction, new: NewApiKey, principal: Principal
) -> tuple[ApiKey, str]:
    """Make a key; returns it with the only showing of its secret.

    Raises PermissionDenied for who may not manage keys or asks for more than they have, and for
    an application: a key cannot make keys that would outlive it.
    """
    principal.require("keys:manage")
    if principal.user_id is None:
        raise PermissionDenied("Only a person can make an API key; sign in.")
    permissions = _permissions(new.permissions, principal)
    now = runtime.clock()
    secret = sealed_token(_secret_key(runtime), LIVE_PREFIX)
    id = await transaction.insert(
        api_keys,
        {
            "name": new.name,
            "prefix": LIVE_PREFIX,
            "last_characters": secret[-4:],
            "key_hash": keyed_hash(_secret_key(runtime), secret),
            "permissions": permissions,
            "created_by": principal.user_id,
            "created_at": now,
            "expires_at": now + timedelta(days=new.life_days),
        },
    )
    key = await find_api_key(transaction, id)
    await record_change(
        runtime,
        transaction,
        principal,
        "api_keys.create",
        {"key_id": key.public_id, "permissions": permissions},
    )
    return key, secret


async def list_api_keys(
    transaction: Transaction, limit: int, offset: int
) -> tuple[list[ApiKey], int]:
    """The organization's keys, newest first, revoked and expired ones included; and how many."""
    total = await transaction.scalar(select(func.count()).select_from(api_keys))
    rows = await transaction.all(
        select(api_keys).order_by(api_keys.c.id.desc()).limit(limit).offset(offset)
    )
    return [_api_key(row) for row in rows], int(total or 0)


async def find_api_key(transaction: Transaction, id: UUID) -> ApiKey:
    """A key of the organization; raises NotFound."""
    row = await transaction.first(select(api_keys).where(api_keys.c.id == id))
    if row is None:
        raise NotFound("There is no such API key.")
    return _api_key(row)


async def revoke_api_key(
    runtime: Runtime, transaction: Transaction, id: UUID, principal: Principal
) -> ApiKey:
    """End a key everywhere within 5 s; revoking it again changes nothing."""
    principal.require("keys:manage")
    key = await find_api_key(transaction, id)
    if key.revoked_at is not None:
        return key
    await transaction.execute(
        update(api_keys).where(api_keys.c.id == id).values(revoked_at=runtime.clock())
    )
    transaction.after_commit.append(recent_look_ups(runtime).forget_all)
    changed = {"key_id": key.public_id}
    await record_change(runtime, transaction, principal, "api_keys.revoke", changed)
    return await find_api_key(transaction, id)


def is_api_key(token: str) -> bool:
    """Whether a credential has the form of a key of ours; says nothing of its validity."""
    return token.startswith(PREFIXES)


async def known_key(runtime: Runtime, token: str) -> Principal | None:
    """The application behind a key, or None; `actor` (`key:<id>`) names it in counters and rows.

    A made-up key is told by its seal, without a look-up; a real one costs one statement in
    `RECENT_SECONDS` and process. Raises ServiceUnavailable when the database cannot be reached.
    """
    secret_key = _secret_key(runtime)
    if not any(is_sealed(secret_key, prefix, token) for prefix in PREFIXES):
        return None
    return await principal_of_key_hash(runtime, keyed_hash(secret_key, token))


async def principal_from_api_key(runtime: Runtime, token: str) -> Principal:
    """The application behind a key; raises NotAuthenticated."""
    principal = await known_key(runtime, token)
    if principal is None:
        raise NotAuthenticated("The API key is unknown, revoked or has expired.")
    return principal


async def principal_of_key_hash(runtime: Runtime, key_hash: str) -> Principal | None:
    """The application behind the hash of a key, or None, looked up a moment ago or now."""
    return await recent_look_ups(runtime).get(
        f"{KEY_CREDENTIAL}:{key_hash}", lambda: _look_up(runtime, key_hash)
    )


async def _look_up(runtime: Runtime, key_hash: str) -> Principal | None:
    now = runtime.clock()
    source = api_keys.join(users, users.c.id == api_keys.c.created_by)
    query = account_query(api_keys.c.created_by, api_keys.c.organization_id, source).add_columns(
        *(column.label(f"key_{column.name}") for column in api_keys.c)
    )
    async with runtime.database.reading(None, every_organization=True) as transaction:
        row = await transaction.first(query.where(api_keys.c.key_hash == key_hash))
    if row is None or row.key_revoked_at is not None:
        return None
    maker = account_of_row(row, row.key_organization_id)
    if maker is None or (row.key_expires_at is not None and row.key_expires_at <= now):
        return None
    await _note_use(runtime, row, now)
    return Principal(
        row.key_organization_id,
        f"key:{row.key_id}",
        APPLICATION_ROLE,
        permissions=frozenset(row.key_permissions) & ROLE_PERMISSIONS[maker.role],
        credential=f"{KEY_CREDENTIAL}:{key_hash}",
    )


async def _note_use(runtime: Runtime, row: Row[Any], now: datetime) -> None:
    """Write when a key was last used, at most once a minute; not being able to is no refusal."""
    long_ago = now - timedelta(seconds=LAST_USE_SECONDS)
    if row.key_last_used_at is not None and row.key_last_used_at > long_ago:
        return
    unnoted = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= long_ago)
    try:
        async with runtime.database.transaction(row.key_organization_id) as transaction:
            await transaction.execute(
                update(api_keys)
                .where(api_keys.c.id == row.key_id, unnoted)
                .values(last_used_at=now)
            )
    except SupportError:
        _log.warning("api_key_use_not_noted", key_id=str(row.key_id))


def _permissions(wanted: Sequence[str] | None, principal: Principal) -> list[str]:
    if wanted is None:
        return sorted(set(DEFAULT_PERMISSIONS) & principal.permissions)
    known = frozenset().union(*ROLE_PERMISSIONS.values())
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise InvalidRequest(
            f"There is no such permission; there are: {', '.join(sorted(known))}.",
            {"field": "permissions"},
        )
    beyond = sorted(set(wanted) - principal.permissions)
    if beyond:
        raise PermissionDenied(
            f"A key cannot do more than its maker: {', '.join(beyond)}.", {"permissions": beyond}
        )
    return sorted(set(wanted))


def _api_key(row: Row[Any]) -> ApiKey:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return ApiKey(**{**values, "permissions": tuple(row.permissions)})


def _secret_key(runtime: Runtime) -> str:
    return runtime.settings.secret_key.get_secret_value()
