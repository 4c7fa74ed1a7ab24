"""Members on both databases: invited, promoted, disabled, and never above who does it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.errors import Conflict, NotAuthenticated, NotFound, PermissionDenied
from core.runtime import Runtime
from core.security import ROLE_PERMISSIONS, Principal
from core.tools import tool_runs
from services.accounts.members import (
    ROLES,
    Invitation,
    Member,
    MemberFilters,
    Role,
    change_member,
    find_member,
    invite_member,
    list_members,
)
from services.accounts.passwords import password_code, reset_password
from services.accounts.sessions import principal_from_access_token, refresh_session
from services.accounts.tables import password_resets
from services.accounts.users import authenticate
from tests.integration.people import PASSWORD, Person, password_hash, person
from tests.integration.shop import Shop

pytestmark = pytest.mark.anyio

EMAIL = "claude@example.com"


@pytest.fixture(scope="session")
def hashed() -> str:
    return password_hash()


@pytest.fixture
async def admin(runtime: Runtime, shop: Shop, hashed: str) -> Person:
    return await person(runtime, shop.organization_id, "admin", hashed)


@pytest.fixture
async def owner(runtime: Runtime, shop: Shop, hashed: str) -> Person:
    return await person(runtime, shop.organization_id, "owner", hashed)


async def invite(runtime: Runtime, principal: Principal, role: Role = "agent") -> Member:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        invitation = Invitation(EMAIL, "Claude", role)
        return await invite_member(runtime, transaction, invitation, principal)


async def change(
    runtime: Runtime,
    principal: Principal,
    user_id: UUID,
    role: Role | None = None,
    is_active: bool | None = None,
) -> Member:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return await change_member(
            runtime, transaction, user_id, principal, role=role, is_active=is_active
        )


async def test_that_an_invitation_opens_an_account(
    runtime: Runtime, shop: Shop, admin: Person
) -> None:
    member = await invite(runtime, admin.principal)
    assert (member.role, member.is_active, member.has_password) == ("agent", True, False)
    with pytest.raises(NotAuthenticated):
        await authenticate(runtime.database, EMAIL, PASSWORD)
    async with runtime.database.reading(None) as transaction:
        (reset,) = await transaction.all(select(password_resets))
    assert reset.kind == "invitation"
    await reset_password(runtime, password_code(runtime, reset.id), PASSWORD)
    assert (await authenticate(runtime.database, EMAIL, PASSWORD)).role == "agent"
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert (await find_member(transaction, member.user_id)).has_password
        audit = await transaction.all(select(tool_runs))
    assert [row.tool for row in audit] == ["users.invite"]
    assert EMAIL not in repr(audit)


async def test_that_somebody_elses_account_is_joined_and_not_taken_over(
    runtime: Runtime, shop: Shop, admin: Person, hashed: str
) -> None:
    elsewhere = await person(runtime, shop.other_organization_id, "owner", hashed, EMAIL)
    member = await invite(runtime, admin.principal)
    assert member.user_id == elsewhere.user_id
    account = await authenticate(runtime.database, EMAIL, PASSWORD, shop.organization_id)
    assert account.role == "agent"
    async with runtime.database.reading(None) as transaction:
        (reset,) = await transaction.all(select(password_resets))
    assert reset.kind == "membership"
    with pytest.raises(Exception, match="not valid"):
        await reset_password(runtime, password_code(runtime, reset.id), "a new password")
    # Disabled here, they go on elsewhere.
    await change(runtime, admin.principal, member.user_id, is_active=False)
    principal = await principal_from_access_token(runtime, elsewhere.session.access_token)
    assert principal.role == "owner"
    with pytest.raises(NotAuthenticated):
        await authenticate(runtime.database, EMAIL, PASSWORD, shop.organization_id)


async def test_that_a_member_is_invited_once(runtime: Runtime, admin: Person) -> None:
    await invite(runtime, admin.principal)
    with pytest.raises(Conflict):
        await invite(runtime, admin.principal)


async def test_that_two_invitations_at_once_make_one_account(
    runtime: Runtime, admin: Person
) -> None:
    outcomes = await asyncio.gather(
        *(invite(runtime, admin.principal) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Member) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3


async def test_that_a_disabled_member_is_out_and_stays_out_of_old_sessions(
    runtime: Runtime, shop: Shop, admin: Person, hashed: str
) -> None:
    agent = await person(runtime, shop.organization_id, "agent", hashed)
    member = await change(runtime, admin.principal, agent.user_id, is_active=False)
    assert not member.is_active
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, agent.session.access_token)
    with pytest.raises(NotAuthenticated):
        await authenticate(runtime.database, agent.email, PASSWORD)
    await change(runtime, admin.principal, agent.user_id, is_active=True)
    await authenticate(runtime.database, agent.email, PASSWORD)
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, agent.session.access_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, agent.session.refresh_token)


async def test_that_nobody_reaches_above_themselves(
    runtime: Runtime, shop: Shop, admin: Person, owner: Person, hashed: str
) -> None:
    agent = await person(runtime, shop.organization_id, "agent", hashed)
    with pytest.raises(PermissionDenied):
        await invite(runtime, admin.principal, "owner")
    with pytest.raises(PermissionDenied):
        await change(runtime, admin.principal, agent.user_id, role="owner")
    with pytest.raises(PermissionDenied):
        await change(runtime, admin.principal, owner.user_id, role="customer")
    with pytest.raises(PermissionDenied):
        await change(runtime, agent.principal, admin.user_id, is_active=False)
    with pytest.raises(Conflict):
        await change(runtime, owner.principal, owner.user_id, role="admin")
    assert (await change(runtime, owner.principal, agent.user_id, role="owner")).role == "owner"


async def test_that_two_owners_cannot_remove_each_other(
    runtime: Runtime, shop: Shop, owner: Person, hashed: str
) -> None:
    second = await person(
        runtime, shop.organization_id, "owner", hashed, email="second@example.com"
    )
    outcomes = await asyncio.gather(
        change(runtime, owner.principal, second.user_id, role="agent"),
        change(runtime, second.principal, owner.user_id, is_active=False),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Member) for outcome in outcomes) == 1


async def test_that_another_organizations_users_do_not_exist(
    runtime: Runtime, shop: Shop, admin: Person, hashed: str
) -> None:
    stranger = await person(runtime, shop.other_organization_id, "agent", hashed)
    with pytest.raises(NotFound):
        await change(runtime, admin.principal, stranger.user_id, is_active=False)
    async with runtime.database.reading(shop.organization_id) as transaction:
        members, total = await list_members(transaction, MemberFilters(), "email", 10, 0)
    assert [member.user_id for member in members] == [admin.user_id]
    assert total == 1


async def test_that_members_are_filtered_and_sorted(
    runtime: Runtime, shop: Shop, admin: Person, owner: Person, hashed: str
) -> None:
    agent = await person(runtime, shop.organization_id, "agent", hashed)
    await change(runtime, admin.principal, agent.user_id, is_active=False)

    async def emails(filters: MemberFilters) -> list[str]:
        async with runtime.database.reading(shop.organization_id) as transaction:
            members, total = await list_members(transaction, filters, "-email", 10, 0)
        assert total == len(members)
        return [member.email for member in members]

    assert await emails(MemberFilters()) == [owner.email, agent.email, admin.email]
    assert await emails(MemberFilters(role="agent")) == [agent.email]
    assert await emails(MemberFilters(is_active=True)) == [owner.email, admin.email]
    assert await emails(MemberFilters(search="OWN")) == [owner.email]
    assert await emails(MemberFilters(search="%")) == []


@given(st.sampled_from(ROLES), st.sampled_from(ROLES))
def test_that_staff_roles_hold_each_other_in_order(first: Role, second: Role) -> None:
    """Who may grant a role is told by what it holds, so of two roles one holds the other."""
    lower, higher = sorted((first, second), key=ROLES.index)
    if lower != "customer" or higher != "viewer":
        assert ROLE_PERMISSIONS[lower] <= ROLE_PERMISSIONS[higher]
