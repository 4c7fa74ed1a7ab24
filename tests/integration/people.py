"""People with accounts in the two small shops, signed in, for the tests of accounts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from core.runtime import Runtime
from core.security import Principal
from services.accounts.sessions import Session, principal_from_access_token, start_session
from services.accounts.users import (
    NewUser,
    add_membership,
    create_user,
    find_account,
    prepare_password,
)

PASSWORD = "password123"


@cache
def password_hash() -> str:
    return asyncio.run(prepare_password(PASSWORD))


@dataclass(frozen=True)
class Person:
    """An account, a session of it, and who it makes of the caller."""

    user_id: UUID
    email: str
    session: Session
    principal: Principal


async def person(
    runtime: Runtime, organization_id: UUID, role: str, hashed: str, email: str | None = None
) -> Person:
    """Make a user with a role and sign them in."""
    email = email or f"{role}@example.com"
    async with runtime.database.transaction(organization_id) as transaction:
        user = await create_user(transaction, NewUser(email, hashed, role), runtime.clock())
        await add_membership(transaction, user.id, role)
        account = await find_account(transaction, user.id)
    assert account is not None
    session = await start_session(runtime, account)
    principal = await principal_from_access_token(runtime, session.access_token)
    return Person(user.id, email, session, principal)
