"""Choosing a password on both databases, with the mail through a real SMTP server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from core.errors import InvalidRequest, NotAuthenticated, PermissionDenied, RateLimitExceeded
from core.outbox import outbox
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from services.accounts.api_keys import NewApiKey, create_api_key, principal_from_api_key
from services.accounts.passwords import (
    PASSWORD_MAIL_TOPIC,
    change_password,
    request_password_reset,
    reset_password,
    send_password_mail,
)
from services.accounts.sessions import (
    principal_from_access_token,
    refresh_session,
    start_session,
)
from services.accounts.tables import password_resets
from services.accounts.users import authenticate, find_account
from tests.integration.people import PASSWORD, Person, password_hash, person
from tests.integration.shop import Clock, Shop, open_shop
from tests.mail_server import Mailbox, mail_server

pytestmark = pytest.mark.anyio

NEW = "correct horse battery staple"
CODE = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{64}")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
async def runtime(
    database_url: str, tmp_path: Path, clock: Clock, mailbox: Mailbox
) -> AsyncIterator[Runtime]:
    settings = Settings(
        database_url=database_url, data_dir=tmp_path / "data", smtp_url=SecretStr(mailbox.url)
    )
    async with open_runtime(settings, {}, clock) as opened:
        opened.outbox.on(PASSWORD_MAIL_TOPIC, partial(send_password_mail, opened))
        yield opened


@pytest.fixture(scope="session")
def hashed() -> str:
    return password_hash()


@pytest.fixture
async def shop(runtime: Runtime) -> Shop:
    return await open_shop(runtime)


@pytest.fixture
async def customer(runtime: Runtime, shop: Shop, hashed: str) -> Person:
    return await person(runtime, shop.organization_id, "customer", hashed)


async def forget(runtime: Runtime, shop: Shop, email: str) -> None:
    await request_password_reset(runtime, shop.organization_id, email, "fr")
    while await runtime.outbox.drain():
        pass


def code_in(mailbox: Mailbox) -> str:
    found = CODE.search(str(mailbox.messages[-1].get_content()))
    assert found is not None
    return found.group()


async def test_that_a_forgotten_password_is_chosen_anew(
    runtime: Runtime, shop: Shop, customer: Person, mailbox: Mailbox
) -> None:
    await forget(runtime, shop, " Customer@EXAMPLE.com ")
    (message,) = mailbox.messages
    assert message["to"] == customer.email
    assert message["subject"] == "Meuble de France : choisir un nouveau mot de passe"
    await reset_password(runtime, code_in(mailbox), NEW)
    assert (await authenticate(runtime.database, customer.email, NEW)).user.id == customer.user_id
    with pytest.raises(NotAuthenticated):
        await authenticate(runtime.database, customer.email, PASSWORD)
    # Whoever was signed in is out.
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, customer.session.access_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, customer.session.refresh_token)


async def test_that_a_code_serves_once_and_spoils_the_others(
    runtime: Runtime, shop: Shop, customer: Person, mailbox: Mailbox
) -> None:
    await forget(runtime, shop, customer.email)
    first = code_in(mailbox)
    await forget(runtime, shop, customer.email)
    second = code_in(mailbox)
    assert first != second
    await reset_password(runtime, second, NEW)
    for spent in (first, second):
        with pytest.raises(InvalidRequest, match="not valid"):
            await reset_password(runtime, spent, "another password")


async def test_that_a_code_lives_an_hour(
    runtime: Runtime, shop: Shop, clock: Clock, customer: Person, mailbox: Mailbox
) -> None:
    await forget(runtime, shop, customer.email)
    code = code_in(mailbox)
    clock.advance(minutes=59, seconds=59)
    with pytest.raises(InvalidRequest, match="characters"):
        await reset_password(runtime, code, "short")
    clock.advance(seconds=2)
    with pytest.raises(InvalidRequest, match="not valid"):
        await reset_password(runtime, code, NEW)


async def test_that_made_up_codes_are_refused(
    runtime: Runtime, shop: Shop, customer: Person, mailbox: Mailbox
) -> None:
    await forget(runtime, shop, customer.email)
    code = code_in(mailbox)
    wrong = [code[:-1], code[::-1], "", ".", "é.é", "0" * 32 + code[32:], code + "0"]
    for made_up in wrong:
        with pytest.raises(InvalidRequest, match="not valid"):
            await reset_password(runtime, made_up, NEW)
    await reset_password(runtime, f" {code}\n", NEW)


async def test_that_an_unknown_address_leaves_the_same_traces_and_gets_no_mail(
    runtime: Runtime, shop: Shop, customer: Person, mailbox: Mailbox
) -> None:
    for email in ("nobody@example.com", "no address", customer.email):
        await request_password_reset(runtime, shop.organization_id, email, "fr")
    async with runtime.database.reading(None, every_organization=True) as transaction:
        asked = await transaction.all(select(password_resets.c.user_id))
        rows = await transaction.all(select(outbox.c.payload))
    assert sorted(row.user_id is None for row in asked) == [False, True, True]
    assert all(set(row.payload) == {"reset_id"} for row in rows)
    while await runtime.outbox.drain():
        pass
    assert [message["to"] for message in mailbox.messages] == [customer.email]


async def test_that_nobody_is_flooded(
    runtime: Runtime, shop: Shop, clock: Clock, customer: Person, mailbox: Mailbox
) -> None:
    for _ in range(6):
        await forget(runtime, shop, customer.email)
    assert len(mailbox.messages) == 3
    clock.advance(minutes=61)
    await forget(runtime, shop, customer.email)
    assert len(mailbox.messages) == 4


async def test_that_a_mail_that_is_put_off_is_sent_later(
    runtime: Runtime, shop: Shop, clock: Clock, customer: Person, mailbox: Mailbox
) -> None:
    mailbox.answer = "451 later"
    await forget(runtime, shop, customer.email)
    assert mailbox.messages == []
    mailbox.answer = "250 OK"
    clock.advance(seconds=10)
    assert await runtime.outbox.drain() == 1
    assert len(mailbox.messages) == 1
    async with runtime.database.reading(None, every_organization=True) as transaction:
        (row,) = await transaction.all(select(outbox))
    assert row.done_at is not None
    assert "@" not in str(row.last_error)


async def test_that_a_mail_that_is_refused_is_not_tried_again(
    runtime: Runtime, shop: Shop, clock: Clock, customer: Person, mailbox: Mailbox
) -> None:
    mailbox.answer = "550 never"
    await forget(runtime, shop, customer.email)
    mailbox.answer = "250 OK"
    clock.advance(minutes=10)
    assert await runtime.outbox.drain() == 0
    assert mailbox.messages == []


async def test_that_changing_keeps_this_session_and_ends_the_others(
    runtime: Runtime, shop: Shop, customer: Person
) -> None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        account = await find_account(transaction, customer.user_id)
    assert account is not None
    other = await start_session(runtime, account)
    await change_password(runtime, customer.principal, PASSWORD, NEW)
    await authenticate(runtime.database, customer.email, NEW)
    await principal_from_access_token(runtime, customer.session.access_token)
    await refresh_session(runtime, customer.session.refresh_token)
    with pytest.raises(NotAuthenticated):
        await principal_from_access_token(runtime, other.access_token)
    with pytest.raises(NotAuthenticated):
        await refresh_session(runtime, other.refresh_token)


async def test_that_guessing_the_current_password_is_locked(
    runtime: Runtime, customer: Person
) -> None:
    for _ in range(5):
        with pytest.raises(PermissionDenied):
            await change_password(runtime, customer.principal, "wrong password", NEW)
    with pytest.raises(RateLimitExceeded):
        await change_password(runtime, customer.principal, PASSWORD, NEW)


async def test_that_a_bad_new_password_is_refused(runtime: Runtime, customer: Person) -> None:
    for bad in ("short", "x" * 1001, "lone\ud800surrogate"):
        with pytest.raises(InvalidRequest):
            await change_password(runtime, customer.principal, PASSWORD, bad)


async def test_that_an_application_has_no_password(
    runtime: Runtime, shop: Shop, hashed: str
) -> None:
    admin = await person(runtime, shop.organization_id, "admin", hashed)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        _, secret = await create_api_key(runtime, transaction, NewApiKey("Test"), admin.principal)
    application = await principal_from_api_key(runtime, secret)
    with pytest.raises(PermissionDenied):
        await change_password(runtime, application, PASSWORD, NEW)
