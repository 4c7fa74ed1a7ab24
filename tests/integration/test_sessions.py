"""Signing in and staying signed in: tokens that rotate, end, and cannot be taken for another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache

import jwt
import pytest
from sqlalchemy import select, update

from core.errors import Conflict, InvalidRequest, NotAuthenticated
from core.runtime import Runtime
from core.security import ACCESS_TOKEN_SECONDS, sign_token
from services.accounts.customers import find_customer_by_reference, link_customer_to_user
from services.accounts.sessions import (
    PRINCIPAL_CACHE_SECONDS,
    Session,
    end_session,
    issue_visitor_token,
    principal_from_access_token,
    principal_from_visitor_token,
    refresh_session,
    start_session,
)
from services.accounts.tables import memberships, refresh_tokens, users
from services.accounts.users import (
    Account,
    NewUser,
    add_membership,
    authenticate,
    create_user,
    prepare_password,
)
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio

EMAIL = "customer@example.com"
PASSWORD = "password123"


@cache
def password_hash() -> str:
    return asyncio.run(prepare_password(PASSWORD))


@dataclass(frozen=True)
class SignedIn:
    account: Account
    session: Session


@pytest.fixture(scope="session")
def hashed_password() -> str:
    return password_hash()


@pytest.fixture
async def signed_in(runtime: Runtime, shop: Shop, hashed_password: str) -> SignedIn:
    """The customer CUST123 with an account, just signed in."""
    async with runtime.database.transaction(shop.organization_id) as transaction:
        user = await create_user(
            transaction, NewUser(EMAIL, hashed_password, "Camille Martin"), runtime.clock()
        )
        await add_membership(transaction, user.id, "customer")
        customer = await find_customer_by_reference(transaction, "CUST123")
        assert customer is not None
        await link_customer_to_user(transaction, customer.id, user.id)
    account = await authenticate(runtime.database, EMAIL, PASSWORD)
    return SignedIn(account, await start_session(runtime, account))


async def test_that_signing_in_names_the_customer(
    runtime: Runtime, shop: Shop, signed_in: SignedIn
) -> None:
    assert signed_in.account.customer_reference == "CUST123"
    assert signed_in.session.expires_in_seconds == 1800
    principal = await principal_from_access_token(runtime, signed_in.session.access_token)
    assert principal == signed_in.account.principal()
    assert principal == await principal_from_access_token(runtime, signed_in.session.access_token)
    assert principal.organization_id == shop.organization_id
    assert principal.customer_id == shop.customer.customer_id
    assert principal.may("tickets:write")
    assert not principal.may("tickets:manage")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "password124"),
        ("nobody@example.com", PASSWORD),
        (EMAIL, ""),
        ("", PASSWORD),
        (EMAIL, PASSWORD + "\ud800"),
        (EMAIL, "x" * 100_000),
        ("customer@example.com\x00", PASSWORD),
        ("сustomer@example.com", PASSWORD),
    ],
)
async def test_that_a_wrong_pair_is_refused_without_saying_which(
    runtime: Runtime, signed_in: SignedIn, email: str, password: str
) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        await authenticate(runtime.database, email, password)
    assert refused.value.message == "The e-mail address or the password is wrong."


async def test_that_an_account_is_nothing_in_another_organization(
    runtime: Runtime, shop: Shop, signed_in: SignedIn
) -> None:
    with pytest.raises(NotAuthenticated):
        await authenticate(runtime.database, EMAIL, PASSWORD, shop.other_organization_id)


async def test_that_no_second_account_looks_the_same(
    runtime: Runtime, shop: Shop, signed_in: SignedIn
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        for email in ("Customer@Example.com", "ｃｕｓｔｏｍｅｒ@example.com"):
            with pytest.raises(Conflict):
                await create_user(transaction, NewUser(email, "-", "-"), runtime.clock())


@pytest.mark.parametrize("password", ["short", "x" * 1_001, "password\ud800"])
async def test_that_a_bad_password_is_not_taken(password: str) -> None:
    with pytest.raises(InvalidRequest):
        await prepare_password(password)


async def test_that_a_refresh_gives_a_new_pair(runtime: Runtime, signed_in: SignedIn) -> None:
    first = signed_in.session
    second = await refresh_session(runtime, first.refresh_token)
    assert second.refresh_token != first.refresh_token
    third = await refresh_session(runtime, second.refresh_token)
    assert await principal_from_access_token(runtime, third.access_token)


async def test_that_a_reused_token_ends_its_family(runtime: Runtime, signed_in: SignedIn) -> None:
    first = signed_in.session
    second = await refresh_session(runtime, first.refresh_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, first.refresh_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, second.refresh_token)
    for access_token in (first.access_token, second.access_token):
        with pytest.raises(NotAuthenticated):
            await principal_from_access_token(runtime, access_token)


async def test_that_another_sign_in_is_another_family(
    runtime: Runtime, signed_in: SignedIn
) -> None:
    other = await start_session(runtime, signed_in.account)
    await refresh_session(runtime, signed_in.session.refresh_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, signed_in.session.refresh_token)
    assert await refresh_session(runtime, other.refresh_token)


async def test_that_of_ten_refreshes_at_once_one_wins(
    runtime: Runtime, signed_in: SignedIn
) -> None:
    outcomes = await asyncio.gather(
        *(refresh_session(runtime, signed_in.session.refresh_token) for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Session) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, NotAuthenticated) for outcome in outcomes) == 9


async def test_that_signing_out_ends_every_token(runtime: Runtime, signed_in: SignedIn) -> None:
    assert await principal_from_access_token(runtime, signed_in.session.access_token)
    await end_session(runtime, signed_in.session.refresh_token)
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, signed_in.session.access_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, signed_in.session.refresh_token)


async def test_that_the_database_holds_no_token(runtime: Runtime, signed_in: SignedIn) -> None:
    async with runtime.database.reading(signed_in.account.organization_id) as transaction:
        rows = await transaction.all(select(refresh_tokens))
    stored = repr(rows)
    assert len(rows) == 1
    assert signed_in.session.refresh_token not in stored
    assert signed_in.session.refresh_token.rsplit(".", 1)[1] not in stored


async def test_that_tokens_of_another_kind_or_key_are_refused(
    runtime: Runtime, shop: Shop, signed_in: SignedIn
) -> None:
    session, now = signed_in.session, runtime.clock()
    visitor_token, _ = issue_visitor_token(runtime, shop.organization_id)
    user = str(signed_in.account.user.id)
    claims = {"org": str(shop.organization_id), "family": "x"}
    forged = sign_token("another-key-of-more-than-32-characters", "access", user, now, 60, **claims)
    unsigned = jwt.encode(
        jwt.decode(session.access_token, options={"verify_signature": False}), "", "none"
    )
    for token in (session.refresh_token, visitor_token, forged, unsigned, "", "a.b.c"):
        with pytest.raises(NotAuthenticated):
            await principal_from_access_token(runtime, token)
    for token in (session.access_token, visitor_token):
        with pytest.raises(NotAuthenticated):
            await refresh_session(runtime, token)


async def test_that_an_access_token_expires(
    runtime: Runtime, clock: Clock, signed_in: SignedIn
) -> None:
    clock.advance(seconds=-ACCESS_TOKEN_SECONDS - 60)
    expired = await start_session(runtime, signed_in.account)
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, expired.access_token)


async def test_that_a_disabled_user_is_out_within_seconds(
    runtime: Runtime, clock: Clock, signed_in: SignedIn
) -> None:
    session = signed_in.session
    assert await principal_from_access_token(runtime, session.access_token)
    async with runtime.database.transaction(None) as transaction:
        await transaction.execute(update(users).values(is_active=False))
    clock.advance(seconds=PRINCIPAL_CACHE_SECONDS)
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, session.access_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, session.refresh_token)
    with pytest.raises(NotAuthenticated):
        await authenticate(runtime.database, EMAIL, PASSWORD)


async def test_that_a_role_counts_as_it_is_now(
    runtime: Runtime, clock: Clock, signed_in: SignedIn
) -> None:
    token = signed_in.session.access_token
    assert not (await principal_from_access_token(runtime, token)).is_staff
    async with runtime.database.transaction(signed_in.account.organization_id) as transaction:
        await transaction.execute(update(memberships).values(role="agent"))
    clock.advance(seconds=PRINCIPAL_CACHE_SECONDS)
    assert (await principal_from_access_token(runtime, token)).may("tickets:manage")


async def test_that_a_visitor_is_known_by_token_alone(runtime: Runtime, shop: Shop) -> None:
    token, visitor = issue_visitor_token(runtime, shop.organization_id)
    another, _ = issue_visitor_token(runtime, shop.organization_id)
    assert principal_from_visitor_token(runtime, token) == visitor
    assert principal_from_visitor_token(runtime, another).actor != visitor.actor
    assert visitor.is_visitor
    assert visitor.organization_id == shop.organization_id
    for wrong in ("", token[:-4] + "AAAA", "visitor"):
        with pytest.raises(NotAuthenticated):
            principal_from_visitor_token(runtime, wrong)
