"""Agents at their desk on a real database: taking, answering, handing back, timers and queues."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from channels import desk
from channels.desk import Reply, run_timers
from channels.frames import Frame, channel_of
from channels.order import ConversationLocks
from core.errors import Conflict, NotFound, PermissionDenied
from core.outbox import outbox
from core.runtime import Runtime
from core.security import Principal, principal_for_role
from services.accounts.users import NewUser, add_membership, create_user
from services.conversations.agents import choose_agent, list_agents, set_profile
from services.conversations.conversations import (
    Conversation,
    NewConversation,
    add_user_message,
    open_conversation,
)
from services.conversations.desk import count_queues, thread_messages
from services.conversations.handoff import (
    customer_wrote,
    expected_wait_minutes,
    request_handoff,
)
from services.conversations.handoff_states import TakenByAnother
from services.conversations.search import Filters, find_conversations
from services.conversations.tables import conversations
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio
MONDAY = datetime(2026, 1, 12, 9, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


@pytest.fixture
async def agents(runtime: Runtime, shop: Shop) -> tuple[Principal, Principal]:
    """Two agents of the shop, with accounts."""
    runtime.parts[ConversationLocks] = ConversationLocks()
    found = []
    for name in ("Alice Bernard", "Bruno Petit"):
        async with runtime.database.transaction(shop.organization_id) as transaction:
            new = NewUser(f"{name.split()[0]}@example.com", None, name)
            user = await create_user(transaction, new, runtime.clock())
            await add_membership(transaction, user.id, "agent")
        actor = f"user:{user.id}"
        found.append(principal_for_role(shop.organization_id, actor, "agent", user_id=user.id))
    return found[0], found[1]


async def chat(
    runtime: Runtime, principal: Principal, session_id: str = "one", text: str = "Bonjour"
) -> Conversation:
    """A conversation in which the customer has written."""
    new = NewConversation(session_id, principal.actor, principal.customer_id, "web_chat", "fr", 1)
    async with runtime.database.transaction(principal.organization_id) as transaction:
        conversation = await open_conversation(transaction, new, runtime.clock())
        await add_user_message(transaction, conversation, text, None, runtime.clock())
    return conversation


async def ask_for_person(runtime: Runtime, organization_id: UUID, id: UUID) -> int | None:
    async with runtime.database.transaction(organization_id) as transaction:
        asked = await request_handoff(transaction, runtime.outbox, id, "requested", runtime.clock())
    return asked.expected_wait_minutes


async def owner_of(runtime: Runtime, organization_id: UUID, id: UUID) -> str:
    async with runtime.database.reading(organization_id) as transaction:
        found = await transaction.scalar(
            select(conversations.c.owner).where(conversations.c.id == id)
        )
    return str(found)


async def said(runtime: Runtime, organization_id: UUID, id: UUID) -> list[tuple[str, str]]:
    async with runtime.database.reading(organization_id) as transaction:
        found = await thread_messages(transaction, id)
    return [(one.role, one.content) for one in found]


async def test_of_two_agents_exactly_one_takes_a_conversation(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal]
) -> None:
    for number in range(5):
        conversation = await chat(runtime, shop.customer, f"session {number}")
        await ask_for_person(runtime, shop.organization_id, conversation.id)
        results = await asyncio.gather(
            *(desk.take(runtime, agent, conversation.id) for agent in agents),
            return_exceptions=True,
        )
        refused = [one for one in results if isinstance(one, TakenByAnother)]
        assert len(refused) == 1, results
        assert await owner_of(runtime, shop.organization_id, conversation.id) == "human"
        joined = [
            text
            for role, text in await said(runtime, shop.organization_id, conversation.id)
            if role == "system"
        ]
        assert len(joined) == 1


async def test_the_customer_reads_everything_in_one_order(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal]
) -> None:
    alice = agents[0]
    conversation = await chat(runtime, shop.customer)
    received: list[Frame] = []
    channel = channel_of(shop.organization_id, shop.customer.actor, "one")

    def receive(items: object) -> None:
        received.extend(Frame.from_bytes(item) for item in items or ())  # type: ignore[attr-defined]

    await runtime.broadcast.listen(channel, receive)
    await desk.take(runtime, alice, conversation.id)
    await desk.agent_types(runtime, alice, conversation.id)
    await desk.reply(runtime, alice, conversation.id, Reply("Je regarde.", "1"))
    await desk.hand_back(runtime, alice, conversation.id)
    assert [one.type for one in received] == [
        "handoff",
        "message",
        "typing",
        "message",
        "handoff",
        "message",
    ]
    numbers = [one.sequence for one in received if one.type != "typing"]
    assert numbers == sorted(set(numbers))
    assert '"owner":"human"' in received[0].text
    assert "Alice" in received[1].text
    assert '"role":"agent"' in received[3].text


async def test_a_reply_sent_twice_is_said_once(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal]
) -> None:
    alice, bruno = agents
    conversation = await chat(runtime, shop.customer)
    with pytest.raises(Conflict):
        await desk.reply(runtime, alice, conversation.id, Reply("Bonjour", "1"))
    await desk.take(runtime, alice, conversation.id)
    first = await desk.reply(runtime, alice, conversation.id, Reply("Bonjour", "1"))
    again = await desk.reply(runtime, alice, conversation.id, Reply("Bonjour", "1"))
    assert first.message is not None
    assert again.message is not None
    assert again.message.id == first.message.id
    with pytest.raises(TakenByAnother):
        await desk.reply(runtime, bruno, conversation.id, Reply("Moi aussi", "1"))
    roles = [role for role, _ in await said(runtime, shop.organization_id, conversation.id)]
    assert roles == ["user", "system", "agent"]


async def test_only_people_of_the_shop_act(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal]
) -> None:
    conversation = await chat(runtime, shop.customer)
    application = replace(agents[0], user_id=None)
    with pytest.raises(PermissionDenied):
        await desk.take(runtime, application, conversation.id)
    with pytest.raises(PermissionDenied):
        await desk.take(runtime, shop.customer, conversation.id)
    other = replace(agents[0], organization_id=shop.other_organization_id)
    with pytest.raises(NotFound):
        await desk.take(runtime, other, conversation.id)


async def test_timers_tell_the_customer_and_bring_a_silent_agent_s_conversation_back(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal], clock: Clock
) -> None:
    conversation = await chat(runtime, shop.customer)
    id = conversation.id
    await ask_for_person(runtime, shop.organization_id, id)
    assert await run_timers(runtime, clock()) == 0
    clock.advance(minutes=10)
    assert await run_timers(runtime, clock()) == 1
    assert await run_timers(runtime, clock()) == 0
    told = (await said(runtime, shop.organization_id, id))[-1]
    assert told[0] == "system"
    assert "ticket" in told[1]
    await desk.take(runtime, agents[0], id)
    await desk.reply(runtime, agents[0], id, Reply("J’arrive.", "1"))
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert await customer_wrote(transaction, id, clock()) == ("human", "human")
        assert await customer_wrote(transaction, id, clock()) == ("human", "quiet")
    clock.advance(minutes=11)
    assert await run_timers(runtime, clock()) == 1
    assert await owner_of(runtime, shop.organization_id, id) == "waiting"
    for _ in range(20):
        clock.advance(hours=3)
        await run_timers(runtime, clock())
    assert await owner_of(runtime, shop.organization_id, id) == "bot"
    spoken = await said(runtime, shop.organization_id, id)
    assert len([role for role, _ in spoken if role == "system"]) <= 7
    # A message to a closed conversation opens it again.
    await desk.close(runtime, agents[0], id)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert await customer_wrote(transaction, id, clock()) == ("bot", "bot")


async def test_the_expected_wait_follows_recent_takes(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal], clock: Clock
) -> None:
    organization_id = shop.organization_id
    for number in range(4):
        conversation = await chat(runtime, shop.customer, f"session {number}")
        promised = await ask_for_person(runtime, organization_id, conversation.id)
        assert promised == (5 if number == 0 else 12)
        clock.advance(minutes=12)
        await desk.take(runtime, agents[0], conversation.id)
    async with runtime.database.reading(organization_id) as transaction:
        assert await expected_wait_minutes(transaction, clock(), clock()) == 12
    for number in range(2):
        conversation = await chat(runtime, shop.other_customer, f"session {number}")
        clock.advance(seconds=1)
        promised = await ask_for_person(runtime, organization_id, conversation.id)
        assert promised == 12 * (number + 1)


async def test_an_answer_after_the_end_is_also_sent_by_email(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal]
) -> None:
    alice = agents[0]
    conversation = await chat(runtime, shop.customer)
    await desk.take(runtime, alice, conversation.id)
    await desk.reply(runtime, alice, conversation.id, Reply("Bonjour.", "1"))
    await desk.close(runtime, alice, conversation.id)
    await desk.reply(runtime, alice, conversation.id, Reply("Votre colis est parti.", "2"))
    assert await owner_of(runtime, shop.organization_id, conversation.id) == "human"
    async with runtime.database.reading(shop.organization_id) as transaction:
        rows = await transaction.all(select(outbox.c.topic))
    assert [row.topic for row in rows].count("conversation.answered_by_email") == 1


async def test_queues_and_search_find_what_they_should(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal], clock: Clock
) -> None:
    alice, bruno = agents
    mine = await chat(runtime, shop.customer, "mine", "Mon canapé grince")
    waits = await chat(runtime, shop.other_customer, "waits", "La table est rayée")
    await chat(runtime, shop.visitor, "quiet", "Merci 100 % satisfait")
    await desk.take(runtime, alice, mine.id)
    await ask_for_person(runtime, shop.organization_id, waits.id)
    clock.advance(minutes=6)
    async with runtime.database.reading(shop.organization_id) as transaction:

        async def find(agent: Principal = alice, **filters: object) -> list[UUID]:
            rows, _ = await find_conversations(
                transaction,
                Filters(**filters),  # type: ignore[arg-type]
                agent.user_id,
                10,
                None,
                clock(),
            )
            return [row.id for row in rows]

        assert await count_queues(transaction, alice.user_id, clock()) == {
            "mine": 1,
            "unassigned": 1,
            "waiting": 1,
            "breaching": 1,
        }
        assert await find(queue="mine") == [mine.id]
        assert await find(bruno, queue="mine") == []
        assert await find(queue="unassigned") == [waits.id]
        assert await find(text="canapé grince") == [mine.id]
        assert await find(text="canapé rayée") == []
        assert await find(text="moreau") == [waits.id]
        assert await find(text="CUST123") == [mine.id]
        assert await find(text="%") != await find()
        assert len(await find()) == 3


async def test_pages_follow_one_another_without_gap_or_repeat(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal], clock: Clock
) -> None:
    for number in range(7):
        conversation = await chat(runtime, shop.visitor, f"session {number}")
        await ask_for_person(runtime, shop.organization_id, conversation.id)
        if number % 3 == 0:
            clock.advance(seconds=1)
    for queue in ("unassigned", "all"):
        seen: list[UUID] = []
        cursor: str | None = None
        async with runtime.database.reading(shop.organization_id) as transaction:
            while True:
                filters = Filters(queue=queue)
                rows, cursor = await find_conversations(
                    transaction, filters, None, 3, cursor, clock()
                )
                seen += [row.id for row in rows]
                if cursor is None:
                    break
        assert len(seen) == len(set(seen)) == 7


async def test_work_is_given_in_turn_and_by_skill(
    runtime: Runtime, shop: Shop, agents: tuple[Principal, Principal], clock: Clock
) -> None:
    alice, bruno = agents
    assert alice.user_id is not None
    assert bruno.user_id is not None
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert {agent.user_id for agent in await list_agents(transaction)} == {
            alice.user_id,
            bruno.user_id,
        }
        chosen = []
        for _ in range(4):
            chosen.append(await choose_agent(transaction, None, clock()))
            clock.advance(seconds=1)
        assert chosen[0] != chosen[1]
        assert chosen[:2] == chosen[2:]
        await set_profile(transaction, bruno.user_id, ["Montage"], None)
        assert await choose_agent(transaction, "montage", clock()) == bruno.user_id
        await set_profile(transaction, bruno.user_id, None, False)
        with pytest.raises(Conflict):
            await choose_agent(transaction, "montage", clock())
        assert await choose_agent(transaction, None, clock()) == alice.user_id
    assert timedelta(seconds=4) == clock() - MONDAY
