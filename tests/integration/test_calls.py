"""Rows of calls: what is kept of them, what is cut, what goes when a person is erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from core.database import Transaction
from core.errors import NotFound
from core.runtime import Runtime
from services.conversations import calls as store
from services.conversations.calls import NewCall, TurnTimes
from services.conversations.conversations import (
    NewConversation,
    NewReply,
    add_user_message,
    open_conversation,
    store_reply,
)
from services.conversations.recordings import link_to_recording, open_recording
from services.conversations.tables import conversations, messages
from services.privacy.own import erase_own_data
from services.privacy.retention import remove_old_rows
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio

REPLY = "Un article en stock est livré en dix jours. Un autre en six semaines."


async def converse(transaction: Transaction, runtime: Runtime, shop: Shop) -> tuple[UUID, UUID]:
    """A conversation of one question and its reply; returns its id and the reply's."""
    new = NewConversation(f"call-{uuid4()}", shop.visitor.actor, None, "voice", "fr", 1)
    now = runtime.clock()
    conversation = await open_conversation(transaction, new, now)
    said = await add_user_message(transaction, conversation, "Quels délais ?", None, now)
    reply = NewReply(conversation, *said, REPLY, "fr", "bot", "delivery_question", 0.9, {})
    return conversation.id, await store_reply(transaction, reply, now)


async def record(runtime: Runtime, transaction: Transaction, call_id: UUID, actor: str) -> UUID:
    key = f"calls/{uuid4().hex}.wav"
    await runtime.storage.write(key, b"sound")
    values = {
        "storage_key": key,
        "media_type": "audio/wav",
        "size_bytes": 5,
        "duration_seconds": 1.5,
    }
    return await store.keep_recording(transaction, call_id, actor, values, runtime.clock())


async def count(transaction: Transaction, *tables: str) -> Sequence[int]:
    known = {"calls": store.calls, "turns": store.call_turns, "recordings": store.call_recordings}
    return [
        int(await transaction.scalar(select(func.count()).select_from(known[name])))
        for name in tables
    ]


async def test_that_a_call_is_read_beside_its_conversation(runtime: Runtime, shop: Shop) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        conversation_id, reply_id = await converse(transaction, runtime, shop)
        new = NewCall(shop.visitor.actor, "twilio", "fr", "CA1")
        call_id = await store.open_call(transaction, new, runtime.clock())
        await store.change_call(
            transaction, call_id, conversation_id=conversation_id, ticket_number="TKT-2026-000001"
        )
        times = TurnTimes(1, 1_500, 700, 720, 800, 180, True, reply_id, 4_200)
        await store.add_turn(transaction, call_id, times, runtime.clock())
        await record(runtime, transaction, call_id, shop.visitor.actor)
        assert await store.end_reason_of(transaction, "CA1") is None
        await store.change_call(
            transaction, call_id, ended_at=runtime.clock(), end_reason="transferred"
        )
    async with runtime.database.reading(shop.organization_id) as transaction:
        (call,) = await store.calls_of_conversation(transaction, conversation_id)
        assert (call.carrier, call.end_reason, call.turns) == ("twilio", "transferred", [times])
        assert call.recording is not None
        assert await store.end_reason_of(transaction, "CA1") == "transferred"
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        assert await store.calls_of_conversation(transaction, conversation_id) == []
        assert await store.end_reason_of(transaction, "CA1") is None
        assert (await store.ledger_times(transaction, runtime.clock() - timedelta(1)))[0] == 0


async def test_that_a_reply_is_cut_once_where_it_was_heard(runtime: Runtime, shop: Shop) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        conversation_id, reply_id = await converse(transaction, runtime, shop)
        await store.cut_reply(transaction, reply_id, "Un article en stock")
        await store.cut_reply(transaction, reply_id, "Un")
        await store.cut_reply(transaction, uuid4(), "Nobody said this")
        assert await store.transcript(transaction, conversation_id) == [
            ("user", "Quels délais ?"),
            ("assistant", "Un article en stock …"),
        ]
        row = await transaction.first(select(messages).where(messages.c.id == reply_id))
    assert row is not None
    assert row.attachments["interrupted"] is True
    assert row.attachments["unheard_reply"] == REPLY


async def test_that_the_ledger_holds_the_times_of_its_days(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        new = NewCall(shop.visitor.actor, "browser", "fr")
        call_id = await store.open_call(transaction, new, clock())
        await store.add_turn(transaction, call_id, TurnTimes(1, 900, 9_999), clock())
        clock.advance(days=8)
        for position, (audio, barge_in) in enumerate([(800, None), (900, 200)]):
            times = TurnTimes(position, 900, 600, 700, audio, barge_in)
            await store.add_turn(transaction, call_id, times, clock())
    async with runtime.database.reading(shop.organization_id) as transaction:
        turns, found = await store.ledger_times(transaction, clock() - timedelta(days=7))
    assert turns == 2
    assert sorted(found["first_audio"]) == [800, 900]
    assert found["barge_in"] == [200]
    assert found["transcript"] == [600, 600]


async def test_that_a_link_opens_one_recording_for_an_hour(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        call_id = await store.open_call(transaction, NewCall("visitor:1", "browser", "fr"), clock())
        id = await record(runtime, transaction, call_id, "visitor:1")
        recording = await store.find_recording(transaction, id)
    assert recording is not None
    link = link_to_recording(runtime, recording, "https://shop.example/")
    assert link.startswith(f"https://shop.example/api/voice/recordings/{id}?")
    query = dict(part.split("=") for part in link.partition("?")[2].split("&"))
    expires, signature = int(query["expires"]), query["signature"]
    assert (await open_recording(runtime, id, expires, signature)).recording == recording
    for wrong in ((uuid4(), expires, signature), (id, expires + 1, signature), (id, expires, "")):
        with pytest.raises(NotFound):
            await open_recording(runtime, *wrong)
    clock.advance(hours=2)
    with pytest.raises(NotFound):
        await open_recording(runtime, id, expires, signature)


async def test_that_an_erased_person_leaves_no_call_and_no_sound(
    runtime: Runtime, shop: Shop
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        conversation_id, reply_id = await converse(transaction, runtime, shop)
        new = NewCall(shop.visitor.actor, "browser", "fr")
        call_id = await store.open_call(transaction, new, runtime.clock())
        await store.change_call(transaction, call_id, conversation_id=conversation_id)
        await store.add_turn(
            transaction, call_id, TurnTimes(1, 1, 1, message_id=reply_id), runtime.clock()
        )
        id = await record(runtime, transaction, call_id, shop.visitor.actor)
        recording = await store.find_recording(transaction, id)
    assert recording is not None
    receipt = await erase_own_data(runtime, shop.visitor)
    assert receipt["files"] == {"deleted": 1}
    with pytest.raises(FileNotFoundError):
        await runtime.storage.read(recording.storage_key)
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert await count(transaction, "calls", "turns", "recordings") == [0, 0, 0]


async def test_that_recordings_go_after_six_months_and_calls_stay(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        conversation_id, _ = await converse(transaction, runtime, shop)
        call_id = await store.open_call(transaction, NewCall("visitor:1", "browser", "fr"), clock())
        await store.change_call(transaction, call_id, conversation_id=conversation_id)
        id = await record(runtime, transaction, call_id, "visitor:1")
        recording = await store.find_recording(transaction, id)
    assert recording is not None
    clock.advance(days=179)
    await remove_old_rows(runtime, shop.organization_id)
    await runtime.storage.read(recording.storage_key)
    clock.advance(days=2)
    removed = await remove_old_rows(runtime, shop.organization_id)
    assert removed["call_recordings"] == 1
    with pytest.raises(FileNotFoundError):
        await runtime.storage.read(recording.storage_key)
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert await count(transaction, "calls") == [1]


async def test_that_a_deleted_conversation_leaves_its_recording_to_be_removed(
    runtime: Runtime, shop: Shop
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        conversation_id, _ = await converse(transaction, runtime, shop)
        new = NewCall(shop.visitor.actor, "browser", "fr")
        call_id = await store.open_call(transaction, new, runtime.clock())
        await store.change_call(transaction, call_id, conversation_id=conversation_id)
        await record(runtime, transaction, call_id, shop.visitor.actor)
        await transaction.execute(
            conversations.delete().where(conversations.c.id == conversation_id)
        )
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert await count(transaction, "calls", "recordings") == [0, 1]
        keys = await store.forget_recordings_of(transaction, shop.visitor.actor)
        assert len(keys) == 1
        assert await count(transaction, "recordings") == [0]
