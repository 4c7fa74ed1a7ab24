"""API keys on both databases: what they may do, when they end, and what a look-up costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from core.errors import InvalidRequest, NotAuthenticated, NotFound, PermissionDenied
from core.runtime import Runtime
from core.security import Principal, sealed_token
from core.tools import tool_runs
from services.accounts.api_keys import (
    LIVE_PREFIX,
    ApiKey,
    NewApiKey,
    create_api_key,
    find_api_key,
    known_key,
    principal_from_api_key,
    revoke_api_key,
)
from services.accounts.members import change_member
from services.accounts.recent import RECENT_SECONDS, recent_look_ups
from services.accounts.sessions import (
    end_session,
    issue_visitor_token,
    principal_from_access_token,
    start_session,
    still_valid,
)
from services.accounts.tables import api_keys, memberships
from services.accounts.users import find_account
from tests.integration.people import Person, password_hash, person
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def hashed() -> str:
    return password_hash()


@pytest.fixture
async def admin(runtime: Runtime, shop: Shop, hashed: str) -> Person:
    return await person(runtime, shop.organization_id, "admin", hashed)


@pytest.fixture
async def owner(runtime: Runtime, shop: Shop, hashed: str) -> Person:
    return await person(runtime, shop.organization_id, "owner", hashed)


async def make(
    runtime: Runtime, principal: Principal, permissions: list[str] | None = None, days: int = 365
) -> tuple[ApiKey, str]:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return await create_api_key(
            runtime, transaction, NewApiKey("Test", permissions, days), principal
        )


async def revoke(runtime: Runtime, principal: Principal, key: ApiKey) -> None:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        await revoke_api_key(runtime, transaction, key.id, principal)


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """What is executed within the block, without transactions' own statements."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    engine = runtime.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_that_a_key_is_its_organizations_application(
    runtime: Runtime, shop: Shop, admin: Person
) -> None:
    key, secret = await make(runtime, admin.principal)
    principal = await principal_from_api_key(runtime, secret)
    assert principal.organization_id == shop.organization_id
    assert principal.actor == f"key:{key.id}"
    assert not principal.is_staff
    assert principal.permissions == set(key.permissions)
    assert secret not in repr(principal)


async def test_that_the_database_holds_no_key(runtime: Runtime, admin: Person) -> None:
    _, secret = await make(runtime, admin.principal)
    async with runtime.database.reading(admin.principal.organization_id) as transaction:
        rows = await transaction.all(select(api_keys))
        audit = await transaction.all(select(tool_runs))
    assert secret.removeprefix(LIVE_PREFIX)[:20] not in repr(rows) + repr(audit)
    assert [row.tool for row in audit] == ["api_keys.create"]
    assert audit[0].actor == admin.principal.actor


async def test_that_a_key_gets_no_more_than_its_maker(
    runtime: Runtime, shop: Shop, admin: Person, owner: Person, hashed: str
) -> None:
    agent = await person(runtime, shop.organization_id, "agent", hashed)
    with pytest.raises(PermissionDenied):
        await make(runtime, agent.principal)
    with pytest.raises(PermissionDenied):
        await make(runtime, admin.principal, ["organization:manage"])
    with pytest.raises(InvalidRequest):
        await make(runtime, admin.principal, ["everything:do"])
    _, secret = await make(runtime, owner.principal, ["organization:manage", "keys:manage"])
    application = await principal_from_api_key(runtime, secret)
    assert application.may("organization:manage")
    with pytest.raises(PermissionDenied):
        await make(runtime, application)


async def test_that_a_key_shrinks_and_rests_with_its_maker(
    runtime: Runtime, clock: Clock, admin: Person, owner: Person
) -> None:
    _, secret = await make(runtime, admin.principal, ["knowledge:write", "keys:manage"])
    for role, left in (("manager", {"knowledge:write"}), ("viewer", set())):
        async with runtime.database.transaction(admin.principal.organization_id) as transaction:
            await transaction.execute(
                update(memberships).where(memberships.c.user_id == admin.user_id).values(role=role)
            )
        clock.advance(seconds=RECENT_SECONDS)
        assert (await principal_from_api_key(runtime, secret)).permissions == left
    async with runtime.database.transaction(owner.principal.organization_id) as transaction:
        await change_member(runtime, transaction, admin.user_id, owner.principal, is_active=False)
    assert await known_key(runtime, secret) is None


async def test_that_a_key_expires(runtime: Runtime, clock: Clock, admin: Person) -> None:
    _, secret = await make(runtime, admin.principal, days=1)
    clock.advance(days=1, seconds=-1)
    assert await known_key(runtime, secret) is not None
    clock.advance(seconds=2)
    assert await known_key(runtime, secret) is None


async def test_that_another_process_notices_a_revocation_within_seconds(
    runtime: Runtime, clock: Clock, admin: Person
) -> None:
    """The other process is played by a change that this one's memory is not told of."""
    key, secret = await make(runtime, admin.principal)
    principal = await principal_from_api_key(runtime, secret)
    assert await still_valid(runtime, principal)
    async with runtime.database.transaction(admin.principal.organization_id) as transaction:
        await transaction.execute(
            update(api_keys).where(api_keys.c.id == key.id).values(revoked_at=clock())
        )
    clock.advance(seconds=RECENT_SECONDS)
    assert not await still_valid(runtime, principal)
    with pytest.raises(NotAuthenticated):
        await principal_from_api_key(runtime, secret)


async def test_that_a_revocation_counts_here_at_once(runtime: Runtime, admin: Person) -> None:
    key, secret = await make(runtime, admin.principal)
    assert await known_key(runtime, secret) is not None
    await revoke(runtime, admin.principal, key)
    assert await known_key(runtime, secret) is None


async def test_that_another_organization_cannot_touch_a_key(
    runtime: Runtime, shop: Shop, admin: Person, hashed: str
) -> None:
    key, secret = await make(runtime, admin.principal)
    other = await person(
        runtime, shop.other_organization_id, "owner", hashed, "other-owner@example.com"
    )
    with pytest.raises(NotFound):
        await revoke(runtime, other.principal, key)
    assert await known_key(runtime, secret) is not None


async def test_that_the_last_use_is_written_once_a_minute(
    runtime: Runtime, clock: Clock, admin: Person
) -> None:
    key, secret = await make(runtime, admin.principal)
    moments = []
    for _ in range(4):
        await known_key(runtime, secret)
        async with runtime.database.reading(key_organization(admin)) as transaction:
            moments.append((await find_api_key(transaction, key.id)).last_used_at)
        clock.advance(seconds=25)
    first = moments[0]
    assert first is not None
    assert moments == [first, first, first, first + timedelta(seconds=75)]


def key_organization(admin: Person) -> Any:
    return admin.principal.organization_id


async def test_that_a_burst_costs_one_statement(
    runtime: Runtime, clock: Clock, admin: Person
) -> None:
    _, secret = await make(runtime, admin.principal)
    assert await known_key(runtime, secret)
    token = admin.session.access_token
    clock.advance(seconds=RECENT_SECONDS)
    with statements(runtime) as seen:
        await asyncio.gather(*(known_key(runtime, secret) for _ in range(50)))
        await known_key(runtime, secret)
    assert len([text for text in seen if "SELECT" in text]) == 1
    with statements(runtime) as seen:
        await asyncio.gather(*(principal_from_access_token(runtime, token) for _ in range(50)))
        for _ in range(50):
            await still_valid(runtime, admin.principal)
    assert len([text for text in seen if "SELECT" in text]) == 1


async def test_that_made_up_keys_cost_no_statement(runtime: Runtime, admin: Person) -> None:
    _, secret = await make(runtime, admin.principal)
    forged = sealed_token("another-key-of-more-than-32-characters", LIVE_PREFIX)
    wrong = [forged, "", "mdf_live_", secret[:-1], secret + "=", secret.upper(), "mdf_live_é" * 5]
    with statements(runtime) as seen:
        assert [await known_key(runtime, token) for token in wrong] == [None] * len(wrong)
    assert seen == []


async def test_that_what_is_remembered_is_bounded(runtime: Runtime) -> None:
    look_ups = recent_look_ups(runtime)

    async def nothing() -> None:
        return None

    for number in range(12_000):
        await look_ups.get(f"key:{number}", nothing)
    assert len(look_ups._entries) <= 10_000


async def test_that_a_failed_look_up_is_not_remembered(runtime: Runtime) -> None:
    async def fail() -> str:
        raise NotFound("for now")

    async def succeed() -> str:
        return "there"

    look_ups = recent_look_ups(runtime)
    with pytest.raises(NotFound):
        await look_ups.get("key", fail)
    await asyncio.sleep(0)
    assert await look_ups.get("key", succeed) == "there"


async def test_that_one_who_gives_up_does_not_end_the_look_up(runtime: Runtime) -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "there"

    look_ups = recent_look_ups(runtime)
    impatient = asyncio.create_task(look_ups.get("key", wait))
    patient = asyncio.create_task(look_ups.get("key", wait))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await patient == "there"


async def test_that_a_clock_set_back_keeps_nothing_alive(
    runtime: Runtime, clock: Clock, admin: Person
) -> None:
    key, secret = await make(runtime, admin.principal)
    assert await known_key(runtime, secret)
    async with runtime.database.transaction(admin.principal.organization_id) as transaction:
        await transaction.execute(
            update(api_keys).where(api_keys.c.id == key.id).values(revoked_at=clock())
        )
    clock.advance(minutes=-10)
    assert await known_key(runtime, secret) is None


async def test_that_a_connection_ends_with_its_session(
    runtime: Runtime, shop: Shop, admin: Person
) -> None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        account = await find_account(transaction, admin.user_id)
    assert account is not None
    other = await start_session(runtime, account)
    other_principal = await principal_from_access_token(runtime, other.access_token)
    await end_session(runtime, admin.session.refresh_token)
    assert not await still_valid(runtime, admin.principal)
    assert await still_valid(runtime, other_principal)
    _, visitor = issue_visitor_token(runtime, shop.organization_id)
    assert await still_valid(runtime, visitor)


async def test_that_a_connection_ends_when_its_caller_may_less(
    runtime: Runtime, admin: Person, owner: Person
) -> None:
    async with runtime.database.transaction(owner.principal.organization_id) as transaction:
        await change_member(runtime, transaction, admin.user_id, owner.principal, role="agent")
    assert not await still_valid(runtime, admin.principal)
    again = await principal_from_access_token(runtime, admin.session.access_token)
    assert again.role == "agent"
    assert await still_valid(runtime, again)
