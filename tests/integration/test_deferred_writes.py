"""Writes that wait for their transaction's end: all or none of them, on both databases."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from core.database import Transaction
from core.postgresql_writes import NothingChanged
from core.runtime import Runtime
from services.conversations.conversations import (
    Conversation,
    NewConversation,
    add_user_message,
    open_conversation,
)
from services.conversations.tables import conversations, messages
from tests.integration.shop import Shop

pytestmark = pytest.mark.anyio

WRITERS = 12
BY_ID = update(conversations).where(conversations.c.id == bindparam("of_id"))
LOOK = select(conversations).where(conversations.c.session_id == bindparam("of_session"))


def _new(shop: Shop, session_id: str = "session") -> NewConversation:
    return NewConversation(session_id, shop.visitor.actor, None, "web_chat", "fr", 1)


async def _opened(runtime: Runtime, shop: Shop) -> Conversation:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await open_conversation(transaction, _new(shop), runtime.clock())


async def _language(runtime: Runtime, shop: Shop) -> str | None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        found: str | None = await transaction.scalar(select(conversations.c.language))
        return found


async def _count(runtime: Runtime, shop: Shop) -> int:
    async with runtime.database.reading(shop.organization_id) as transaction:
        return int(await transaction.scalar(select(func.count()).select_from(messages)))


async def _say(transaction: Transaction, runtime: Runtime, conversation: Conversation) -> None:
    await add_user_message(transaction, conversation, "Bonjour", None, runtime.clock())


async def test_that_deferred_writes_are_committed_together(runtime: Runtime, shop: Shop) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        opened = await open_conversation(transaction, _new(shop), runtime.clock())
        await _say(transaction, runtime, opened)
        await transaction.later(BY_ID, {"of_id": opened.id, "language": "de"}, must_change=True)
    assert await _language(runtime, shop) == "de"
    assert await _count(runtime, shop) == 1


async def test_that_a_write_that_changes_nothing_undoes_the_others(
    runtime: Runtime, shop: Shop
) -> None:
    opened = await _opened(runtime, shop)
    missing = {"of_id": UUID(int=7), "language": "de"}
    with pytest.raises(NothingChanged):  # noqa: PT012  the block is the matter
        async with runtime.database.transaction(shop.organization_id) as transaction:
            await _say(transaction, runtime, opened)
            await transaction.later(BY_ID, missing, must_change=True)
    assert await _count(runtime, shop) == 0
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await transaction.later(BY_ID, missing)


async def test_that_what_follows_sees_what_was_put_off(runtime: Runtime, shop: Shop) -> None:
    with pytest.raises(RuntimeError, match="half-way"):  # noqa: PT012  the block is the matter
        async with runtime.database.transaction(shop.organization_id) as transaction:
            opened = await open_conversation(transaction, _new(shop), runtime.clock())
            found = await transaction.peek(LOOK, {"of_session": "session"})
            assert found is not None
            assert found.id == opened.id
            raise RuntimeError("half-way")
    assert await _language(runtime, shop) is None, "written before the end, and undone"


async def test_that_errors_of_a_deferred_write_are_told(runtime: Runtime, shop: Shop) -> None:
    opened = await _opened(runtime, shop)
    values = {"conversation_id": opened.id, "role": "user", "content": "", "sources": []}
    row = {**values, "sequence": 1, "attachments": {}, "created_at": runtime.clock()}
    with pytest.raises(IntegrityError):  # noqa: PT012  the block is the matter
        async with runtime.database.transaction(shop.organization_id) as transaction:
            await transaction.insert_later(messages, row)
            await transaction.insert_later(messages, row)
    assert await _count(runtime, shop) == 0


async def test_that_deferred_writes_stay_in_their_organization(
    runtime: Runtime, shop: Shop
) -> None:
    opened = await _opened(runtime, shop)
    with pytest.raises(NothingChanged):  # noqa: PT012  the block is the matter
        async with runtime.database.transaction(shop.other_organization_id) as transaction:
            assert await transaction.peek(LOOK, {"of_session": "session"}) is None
            changed = {"of_id": opened.id, "language": "de"}
            await transaction.later(BY_ID, changed, must_change=True)
    assert await _language(runtime, shop) == "fr"


async def test_that_numbers_are_given_once_however_many_write(runtime: Runtime, shop: Shop) -> None:
    await _opened(runtime, shop)

    async def write() -> None:
        while True:
            try:
                async with runtime.database.transaction(shop.organization_id) as transaction:
                    found = await open_conversation(transaction, _new(shop), runtime.clock())
                    await asyncio.sleep(0)
                    await _say(transaction, runtime, found)
            except (NothingChanged, IntegrityError):
                continue
            return

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    async with runtime.database.reading(shop.organization_id) as transaction:
        rows = await transaction.all(select(messages.c.sequence).order_by(messages.c.sequence))
    assert [row.sequence for row in rows] == [3 + 2 * number for number in range(WRITERS)]
