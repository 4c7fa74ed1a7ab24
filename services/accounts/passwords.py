"""Choosing a password: by whoever knows the old one, or by a code that was sent by e-mail.

A code names a row of `password_resets` and seals it with the secret key, so the database holds
nothing that would open an account. It is used once, and ends every session of its user.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update

from core.database import Transaction
from core.errors import InvalidRequest, PermissionDenied, RateLimitExceeded
from core.providers.email import EmailRefused, require_email
from core.runtime import Runtime
from core.security import Principal, keyed_hash, verify_password
from core.telemetry import logger
from services.accounts.audit import record_change
from services.accounts.mails import Kind, Language, Letter, write_mail
from services.accounts.sessions import SESSION_CREDENTIAL, end_sessions
from services.accounts.tables import organizations, password_resets, users
from services.accounts.users import (
    MAXIMUM_PASSWORD_LENGTH,
    find_user_or_none,
    first_organization,
    prepare_password,
)

PASSWORD_MAIL_TOPIC = "accounts.password_mail"  # noqa: S105
LIFE = {
    "reset": timedelta(hours=1),
    "invitation": timedelta(days=7),
    "membership": timedelta(hours=1),
}
KEPT_AFTER_EXPIRY = timedelta(days=1)
MAILS_AN_HOUR = 3
MAXIMUM_WRONG_PASSWORDS = 5
WRONG_PASSWORD_SECONDS = 15 * 60
_BAD_CODE = "This code is not valid, has expired or was used already; ask for a new one."

_log = logger("services.accounts.passwords")


async def change_password(
    runtime: Runtime, principal: Principal, current_password: str, new_password: str
) -> None:
    """Set a new password by the old one; every other session of the user ends.

    Raises PermissionDenied for a wrong password or an application, RateLimitExceeded after five
    wrong ones, and InvalidRequest for a new one that is too short.
    """
    user_id = principal.user_id
    if user_id is None:
        raise PermissionDenied("Only a person has a password; sign in.")
    await _check_current_password(runtime, user_id, current_password)
    password_hash = await prepare_password(new_password)
    kind, _, family = (principal.credential or "").partition(":")
    kept = family if kind == SESSION_CREDENTIAL else None
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        await _set_password(runtime, transaction, user_id, password_hash, except_family=kept)
        await record_change(runtime, transaction, principal, "password.change", {})


async def _check_current_password(runtime: Runtime, user_id: UUID, password: str) -> None:
    """Raise unless this is the user's password; wrong ones are counted, whoever holds the token."""
    key = f"wrong-passwords:{user_id}"
    wrong = int(await runtime.cache.get(key) or b"0")
    if wrong >= MAXIMUM_WRONG_PASSWORDS:
        raise RateLimitExceeded("Too many wrong passwords; wait.", WRONG_PASSWORD_SECONDS)
    async with runtime.database.reading(None) as transaction:
        row = await transaction.first(select(users.c.password_hash).where(users.c.id == user_id))
    known = row.password_hash if row is not None else None
    usable = password if len(password) <= MAXIMUM_PASSWORD_LENGTH else ""
    if not await verify_password(usable, known):
        await runtime.cache.increment(key, WRONG_PASSWORD_SECONDS)
        raise PermissionDenied("The current password is wrong.", {"field": "current_password"})


async def request_password_reset(
    runtime: Runtime, organization_id: UUID, email: str, language: Language
) -> None:
    """Let a code be sent to an address, if an account has it.

    An unknown address does and costs the same here; what differs happens in the background.
    Raises ServiceUnavailable where no e-mail is set up.
    """
    require_email(runtime.email)
    async with runtime.database.transaction(organization_id) as transaction:
        user = await find_user_or_none(transaction, email)
        usable = user.id if user is not None and user.is_active else None
        await request_password_mail(runtime, transaction, usable, "reset", language)


async def request_password_mail(
    runtime: Runtime,
    transaction: Transaction,
    user_id: UUID | None,
    kind: Kind,
    language: Language,
) -> None:
    """Write down that a user is to get a mail; it is sent after the commit."""
    now = runtime.clock()
    reset_id = await transaction.insert(
        password_resets,
        {
            "user_id": user_id,
            "kind": kind,
            "language": language,
            "created_at": now,
            "expires_at": now + LIFE[kind],
        },
    )
    await runtime.outbox.add(transaction, PASSWORD_MAIL_TOPIC, {"reset_id": str(reset_id)})


async def send_password_mail(
    runtime: Runtime, organization_id: UUID, payload: Mapping[str, Any]
) -> None:
    """Send the mail of one row, if anybody is to get it; the outbox's handler.

    Whatever the mail server answers for now is raised, and tried again later.
    """
    reset_id = UUID(str(payload["reset_id"]))
    row = await _mail_to_send(runtime, reset_id)
    if row is None:
        return
    kind, language = cast(Kind, row.kind), cast(Language, row.language)
    name = await _organization_name(runtime, organization_id, row.user_id, kind)
    code = password_code(runtime, reset_id)
    page = runtime.settings.password_reset_url
    link = f"{page}#code={quote(code)}" if page else ""
    letter = Letter(kind, language, name, code=code, link=link)
    try:
        await runtime.email.send(write_mail(letter, str(reset_id), row.email))
    except EmailRefused as error:
        _log.warning("password_mail_refused", reset_id=str(reset_id), reason=str(error))


async def _mail_to_send(runtime: Runtime, reset_id: UUID) -> Row[Any] | None:
    """The row and its user's address; None where nobody is to be written to. Old rows go."""
    now = runtime.clock()
    async with runtime.database.transaction(None) as transaction:
        await transaction.execute(
            delete(password_resets).where(password_resets.c.expires_at < now - KEPT_AFTER_EXPIRY)
        )
        row = await transaction.first(
            select(password_resets, users.c.email)
            .select_from(password_resets.join(users, users.c.id == password_resets.c.user_id))
            .where(password_resets.c.id == reset_id, password_resets.c.used_at.is_(None))
            .where(password_resets.c.expires_at > now, users.c.is_active)
        )
        if row is None:
            return None
        earlier = await transaction.scalar(
            select(func.count())
            .select_from(password_resets)
            .where(password_resets.c.user_id == row.user_id, password_resets.c.kind == row.kind)
            .where(password_resets.c.created_at > row.created_at - timedelta(hours=1))
            .where(password_resets.c.id < reset_id)
        )
    return row if int(earlier or 0) < MAILS_AN_HOUR else None


async def _organization_name(
    runtime: Runtime, organization_id: UUID, user_id: UUID, kind: Kind
) -> str:
    """The shop that the mail speaks of: who invites, else the user's own."""
    if kind == "reset":
        organization_id = (await first_organization(runtime.database, user_id)) or organization_id
    async with runtime.database.reading(None) as transaction:
        row = await transaction.first(
            select(organizations.c.name).where(organizations.c.id == organization_id)
        )
    return str(row.name) if row is not None else ""


def password_code(runtime: Runtime, reset_id: UUID) -> str:
    """The code of a row, as its mail shows it."""
    return f"{reset_id.hex}.{_seal(runtime, reset_id)}"


def _seal(runtime: Runtime, reset_id: UUID) -> str:
    secret_key = runtime.settings.secret_key.get_secret_value()
    return keyed_hash(secret_key, f"password-reset:{reset_id.hex}")


async def reset_password(runtime: Runtime, code: str, new_password: str) -> None:
    """Set a new password by a code; every session of the user ends.

    Raises InvalidRequest for a code that is unknown, used or expired, or a bad password, which
    leaves the code good.
    """
    reset_id = _reset_id(runtime, code)
    password_hash = await prepare_password(new_password)
    now = runtime.clock()
    usable = (
        (password_resets.c.id == reset_id)
        & password_resets.c.used_at.is_(None)
        & password_resets.c.user_id.is_not(None)
        & (password_resets.c.kind != "membership")
        & (password_resets.c.expires_at > now)
    )
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        used = await transaction.execute(
            update(password_resets)
            .where(usable)
            .values(used_at=now)
            .returning(password_resets.c.user_id)
        )
        user_id = used.scalar()
        if user_id is None or not await _is_active(transaction, user_id):
            raise InvalidRequest(_BAD_CODE, {"field": "code"})
        await _set_password(runtime, transaction, user_id, password_hash)
    await runtime.cache.delete(f"wrong-passwords:{user_id}")


def _reset_id(runtime: Runtime, code: str) -> UUID:
    """The row that a code names; its seal is checked before anything is looked up or hashed."""
    name, _, seal = code.strip().partition(".")
    try:
        reset_id = UUID(hex=name)
    except ValueError:
        raise InvalidRequest(_BAD_CODE, {"field": "code"}) from None
    if not hmac.compare_digest(seal.encode(), _seal(runtime, reset_id).encode()):
        raise InvalidRequest(_BAD_CODE, {"field": "code"})
    return reset_id


async def _is_active(transaction: Transaction, user_id: UUID) -> bool:
    row = await transaction.first(select(users.c.is_active).where(users.c.id == user_id))
    return row is not None and bool(row.is_active)


async def _set_password(
    runtime: Runtime,
    transaction: Transaction,
    user_id: UUID,
    password_hash: str,
    except_family: str | None = None,
) -> None:
    """Store a password, end sessions, and spoil the codes that are still about."""
    await transaction.execute(
        update(users).where(users.c.id == user_id).values(password_hash=password_hash)
    )
    await transaction.execute(
        update(password_resets)
        .where(password_resets.c.user_id == user_id, password_resets.c.used_at.is_(None))
        .values(used_at=runtime.clock())
    )
    await end_sessions(runtime, transaction, user_id, except_family)
