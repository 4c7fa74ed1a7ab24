"""Tests made from real answers: kept on a real database without personal data, and played again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml

from bot.evaluation.cases import (
    Case,
    NewCase,
    Turn,
    as_yaml,
    create_case,
    delete_case,
    list_cases,
    read_case,
    stored_tests,
    turn_of_message,
)
from bot.evaluation.scenarios import Expectation, Scenario, run_scenario
from core.errors import InvalidRequest, NotFound
from core.runtime import Runtime
from core.security import Principal
from services.accounts.sessions import issue_visitor_token
from services.conversations.conversations import (
    Conversation,
    NewConversation,
    NewReply,
    add_user_message,
    open_conversation,
    store_reply,
)
from tests.integration.shop import Shop
from tests.product import OpenProduct

pytestmark = pytest.mark.anyio

SAID = (
    "Bonjour, je m'appelle Zoé Marchand, mon adresse est zoe.marchand@orange.fr",
    "ma commande CMD-2026-000101 était pour Customer@example.com, tél. 06 12 34 56 78",
    "et mon ticket TKT-2026-000042 ?",
)
PERSONAL = ("Zoé", "Marchand", "orange.fr", "customer@example.com", "06 12 34 56 78")


@dataclass(frozen=True)
class Talked:
    """A stored conversation and the ids of its messages, asked and answered."""

    conversation_id: UUID
    asked: list[UUID]
    answered: list[UUID]


async def talk(runtime: Runtime, principal: Principal, *said: str) -> Talked:
    """Store a conversation as the engine does; the last answer has opened a ticket."""
    new = NewConversation("session_9", principal.actor, principal.customer_id, "web_chat", "fr", 1)
    asked, answered = [], []
    opened: dict[str, Any] = {"tool": "create_ticket", "result": {"ticket_id": "TKT-2026-000042"}}
    for text in said:
        async with runtime.database.transaction(principal.organization_id) as transaction:
            now = runtime.clock()
            conversation: Conversation = await open_conversation(transaction, new, now)
            id, sequence = await add_user_message(transaction, conversation, text, None, now)
            attachments = {"products": [], "tool_results": [opened], "suggestions": []}
            reply = NewReply(
                conversation=conversation,
                user_message_id=id,
                sequence=sequence,
                content="…",
                language="fr",
                owner="bot",
                intent="order_status",
                confidence=0.9,
                state={},
                attachments=attachments,
            )
            asked.append(id)
            answered.append(await store_reply(transaction, reply, now))
    return Talked(conversation.id, asked, answered)


async def keep(runtime: Runtime, principal: Principal, turn: Turn, **expected: Any) -> Case:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        new = NewCase(turn, Expectation(**expected))
        return await create_case(transaction, new, "user:agent", runtime.clock())


async def test_a_turn_is_kept_with_what_came_before_it(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.visitor, *SAID)
    case = await keep(runtime, shop.agent, Turn(talked.conversation_id, 2), says=["expédiée"])
    assert [turn.say for turn in case.scenario.turns] == [
        "Bonjour, je m'appelle Alix Exemple, mon adresse est client1@example.org",
        "ma commande CMD-2026-000101 était pour {email:CUST123}, tél. 06 39 98 00 00",
    ]
    assert case.scenario.turns[0].expect == Expectation()
    assert case.scenario.turns[1].expect.says == ["expédiée"]
    assert case.scenario.speaker == "visitor"
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert await read_case(transaction, case.id) == case


async def test_no_personal_data_is_kept(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.visitor, *SAID)
    case = await keep(
        runtime,
        shop.agent,
        Turn(talked.conversation_id, 3),
        says=["Nous écrivons à zoe.marchand@orange.fr"],
        never=["customer@example.com"],
    )
    text = as_yaml([case])
    assert not [value for value in PERSONAL if value.casefold() in text.casefold()]
    assert case.scenario.turns[-1].say == "et mon ticket {ticket} ?"
    assert [Scenario.model_validate(item) for item in yaml.safe_load(text)] == [case.scenario]


async def test_a_known_customer_speaks_as_themselves(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.customer, "ici Camille Martin, où est mon canapé ?")
    case = await keep(runtime, shop.agent, Turn(talked.conversation_id, 1), intent="order_status")
    assert case.scenario.speaker == "customer:CUST123"
    assert case.scenario.turns[0].say == "ici Alix Exemple, où est mon canapé ?"


async def test_a_message_and_its_answer_name_the_same_turn(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.visitor, *SAID)
    async with runtime.database.reading(shop.organization_id) as transaction:
        for number, ids in enumerate(zip(talked.asked, talked.answered, strict=True), 1):
            for id in ids:
                assert await turn_of_message(transaction, id) == Turn(
                    talked.conversation_id, number
                )
        with pytest.raises(NotFound):
            await turn_of_message(transaction, uuid4())


@pytest.mark.parametrize("number", [0, -1, 4])
async def test_a_turn_that_is_none_is_not_found(runtime: Runtime, shop: Shop, number: int) -> None:
    talked = await talk(runtime, shop.visitor, *SAID)
    with pytest.raises(NotFound):
        await keep(runtime, shop.agent, Turn(talked.conversation_id, number), says=["a"])


async def test_a_conversation_that_is_too_long_is_refused(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.visitor, *(["bonjour"] * 101))
    with pytest.raises(InvalidRequest):
        await keep(runtime, shop.agent, Turn(talked.conversation_id, 101), says=["a"])


async def test_another_shop_sees_and_removes_nothing(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.visitor, *SAID)
    with pytest.raises(NotFound):
        await keep(runtime, shop.stranger, Turn(talked.conversation_id, 1), says=["a"])
    case = await keep(runtime, shop.agent, Turn(talked.conversation_id, 1), says=["a"])
    async with runtime.database.transaction(shop.other_organization_id) as transaction:
        assert await list_cases(transaction) == ([], 0)
        assert (await stored_tests(transaction)).scenarios == []
        for act in (read_case, delete_case):
            with pytest.raises(NotFound):
                await act(transaction, case.id)
        with pytest.raises(NotFound):
            await turn_of_message(transaction, talked.asked[0])
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert (await delete_case(transaction, case.id)).id == case.id
        assert await list_cases(transaction) == ([], 0)


async def test_cases_are_found_filtered_and_sorted(runtime: Runtime, shop: Shop) -> None:
    talked = await talk(runtime, shop.visitor, "bleu", "amande", "100%_cuir")
    for number in (1, 2, 3):
        await keep(runtime, shop.agent, Turn(talked.conversation_id, number), says=["a"])

    async def names(**filters: Any) -> list[str]:
        async with runtime.database.reading(shop.organization_id) as transaction:
            return [case.name for case in (await list_cases(transaction, **filters))[0]]

    assert await names() == ["100%_cuir", "amande", "bleu"]
    assert await names(sort="created_at") == ["bleu", "amande", "100%_cuir"]
    assert await names(sort="name") == ["100%_cuir", "amande", "bleu"]
    assert await names(sort="-name", limit=1, offset=1) == ["amande"]
    assert await names(name_part="%_C") == ["100%_cuir"]
    assert await names(conversation_id=uuid4()) == []
    assert len(await names(conversation_id=talked.conversation_id)) == 3


def test_a_correction_fails_until_the_answer_is_right(product: OpenProduct) -> None:
    """The turn of a played conversation, kept and played again on the product."""

    async def correct() -> tuple[list[str], list[str]]:
        runtime, organization_id = product.runtime, product.organization_id
        visitor = issue_visitor_token(runtime, organization_id)[1]
        talked = await talk(runtime, visitor, "statut CMD-2026-000123 pour customer@example.com")
        turn = Turn(talked.conversation_id, 1)
        right = await keep(runtime, visitor, turn, says=["livrée"], intent="order_status")
        wrong = await keep(runtime, visitor, turn, says=["annulée"], never=["livrée"])
        outcomes = [
            await run_scenario(runtime, organization_id, case.scenario) for case in (right, wrong)
        ]
        return outcomes[0].failures, outcomes[1].failures

    right, wrong = product.call(correct())
    assert right == []
    assert len(wrong) == 2
