"""Who is asking and what they may do; passwords, tokens and keyed hashes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import jwt

from core.errors import NotAuthenticated, PermissionDenied

ALGORITHM = "HS256"
AUDIENCE = "mdf"
ISSUER = "mdf"
NOT_VALID = "The token is invalid or has expired; sign in again."
ACCESS_TOKEN_SECONDS = 1800
REFRESH_TOKEN_SECONDS = 30 * 24 * 3600
VISITOR_TOKEN_SECONDS = 30 * 24 * 3600
_SEALED_BYTES, _SEAL_BYTES = 24, 12
_SEALED_CHARACTERS = (_SEALED_BYTES + _SEAL_BYTES) * 4 // 3

_CUSTOMER = frozenset({"chat:write", "products:read", "tickets:read", "tickets:write"})
_VIEWER = frozenset(
    {"products:read", "knowledge:read", "conversations:read", "tickets:read", "tickets:read:all"}
)
_AGENT = _CUSTOMER | _VIEWER | {"tickets:manage", "conversations:write"}
_MANAGER = _AGENT | {"knowledge:write", "analytics:read"}
_ADMIN = _MANAGER | {"keys:manage", "users:manage", "monitoring:read", "settings:write"}

# Seed 001 and the roles of the architecture: each role holds the permissions of those before it.
ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "visitor": _CUSTOMER,
    "customer": _CUSTOMER,
    "viewer": _VIEWER,
    "agent": _AGENT,
    "manager": _MANAGER,
    "admin": _ADMIN,
    "owner": _ADMIN | {"organization:manage"},
    "superadmin": _ADMIN | {"organization:manage", "organizations:manage"},
}
APPLICATION_ROLE = "application"
STAFF_ROLES = frozenset({"viewer", "agent", "manager", "admin", "owner", "superadmin"})


@dataclass(frozen=True)
class Principal:
    """The caller of one request, the same for every contract.

    `actor` names the caller in rows and logs: `user:<id>`, `key:<id>`, `visitor:<id>` or `system`.
    `customer_id` is the shop's customer behind the account, `email` a proven address.
    `credential` names what proved the caller, `session:<family>` or `key:<hash>`, so that a long
    connection can ask whether it still holds; None where nothing can be revoked.
    """

    organization_id: UUID
    actor: str
    role: str
    user_id: UUID | None = None
    customer_id: UUID | None = None
    email: str | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    credential: str | None = field(default=None, compare=False, repr=False)

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def is_visitor(self) -> bool:
        return self.role == "visitor"

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise PermissionDenied unless the caller holds the permission."""
        if permission not in self.permissions:
            raise PermissionDenied(
                f"This action needs the permission {permission}.", {"permission": permission}
            )


def principal_for_role(organization_id: UUID, actor: str, role: str, **more: Any) -> Principal:
    """Build the Principal that a role gives."""
    return Principal(organization_id, actor, role, permissions=ROLE_PERMISSIONS[role], **more)


def system_principal(organization_id: UUID) -> Principal:
    """The product itself: seeding, indexing, timers."""
    return principal_for_role(organization_id, "system", "superadmin")


@cache
def _password_hasher() -> Any:
    from pwdlib import PasswordHash

    return PasswordHash.recommended()


@cache
def _unknown_user_hash() -> str:
    return str(_password_hasher().hash(secrets.token_hex(16)))


async def hash_password(password: str) -> str:
    """Hash with Argon2, off the event loop (200 ms)."""
    return str(await asyncio.to_thread(_password_hasher().hash, password))


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Check a password; an unknown user costs the same time as a wrong password."""

    def check() -> bool:
        known = password_hash is not None
        return bool(
            _password_hasher().verify(password, password_hash or _unknown_user_hash()) and known
        )

    return await asyncio.to_thread(check)


def keyed_hash(secret_key: str, value: str) -> str:
    """HMAC-SHA256 in hex: how tokens and keys are found without being stored."""
    return hmac.new(secret_key.encode(), value.encode(), hashlib.sha256).hexdigest()


def sealed_token(secret_key: str, prefix: str) -> str:
    """192 random bits and their seal: `is_sealed` tells ours from made-up ones without a look-up.

    The seal is HMAC-SHA256 cut to 96 bits, over the prefix as well.
    """
    core = secrets.token_bytes(_SEALED_BYTES)
    return prefix + base64.urlsafe_b64encode(core + _seal(secret_key, prefix, core)).decode()


def is_sealed(secret_key: str, prefix: str, token: str) -> bool:
    """Whether a token was made by `sealed_token` with this secret and prefix."""
    encoded = token.removeprefix(prefix)
    if not token.startswith(prefix) or len(encoded) != _SEALED_CHARACTERS or not token.isascii():
        return False
    try:
        whole = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except ValueError:
        return False
    core = whole[:_SEALED_BYTES]
    return hmac.compare_digest(whole[_SEALED_BYTES:], _seal(secret_key, prefix, core))


def _seal(secret_key: str, prefix: str, core: bytes) -> bytes:
    message = b"seal:" + prefix.encode() + core
    return hmac.new(secret_key.encode(), message, hashlib.sha256).digest()[:_SEAL_BYTES]


def random_token(prefix: str = "") -> str:
    """256 random bits, URL-safe."""
    return prefix + secrets.token_urlsafe(32)


def sign_token(
    secret_key: str, kind: str, subject: str, now: datetime, ttl_seconds: int, **claims: Any
) -> str:
    """Sign a token of one kind (`access`, `refresh`, `visitor`)."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": kind,
        "sub": subject,
        "iat": now,
        "nbf": now - timedelta(seconds=5),
        "exp": now + timedelta(seconds=ttl_seconds),
        **claims,
    }
    return jwt.encode(payload, secret_key, algorithm=ALGORITHM)


def read_token(secret_key: str, kind: str, token: str) -> dict[str, Any]:
    """Verify a token of one kind and return its claims; any doubt raises NotAuthenticated."""
    return read_token_of_kinds(secret_key, frozenset({kind}), token)


def read_token_of_kinds(secret_key: str, kinds: frozenset[str], token: str) -> dict[str, Any]:
    """Verify a token of one of several kinds (`typ` in its claims) and return its claims."""
    claims = _verified(secret_key, token)
    if claims["exp"] <= time.time():
        raise NotAuthenticated(NOT_VALID)
    if claims["typ"] not in kinds:
        raise NotAuthenticated("This token is of another kind; sign in again.")
    return dict(claims)


@lru_cache(maxsize=4_096)
def _verified(secret_key: str, token: str) -> Mapping[str, Any]:
    """The claims of a token that was signed here; its caller looks whether it has expired since.

    A signature is checked once: that costs more than the rest of a request's authentication.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret_key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "sub", "typ"]},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise NotAuthenticated(NOT_VALID) from error
    return claims
