"""The tools that act on orders, tickets and conversations, run through their single door."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.tools import BUILT_IN_TOOLS
from bot.tools.create_ticket import CreateTicketResult
from bot.tools.handoff import HandoffResult
from bot.tools.knowledge_search import KnowledgeSearchResult
from bot.tools.lookups import LOCK_SECONDS, MAXIMUM_FAILURES
from bot.tools.order_status import OrderStatusResult
from bot.tools.product_search import ProductSearchResult
from bot.tools.ticket_status import TicketStatusResult
from core.errors import InvalidRequest, PermissionDenied
from core.outbox import outbox
from core.runtime import Runtime
from core.security import Principal
from core.tools import ConfirmationRequired, run_tool, tool_runs
from knowledge.documents import NewDocument, create_document
from knowledge.index import Knowledge, open_knowledge
from knowledge.product_search import Catalogues
from services.conversations.tables import conversations
from services.tickets.tables import tickets
from tests.integration.shop import Clock, Shop, open_chat

pytestmark = pytest.mark.anyio

ORDER = {"order_number": "cmd 2026-000101", "email": "Customer@example.com"}
WRONG = {"order_number": "CMD-2026-000101", "email": "other@example.com"}
TICKET = {
    "problem_category": "defaut fabrication",
    "problem_severity": "medium",
    "description": "Déchirure sur l'accoudoir gauche",
    "product_sku": "CANAPÉ-OSLO-3P",
}


async def run(
    runtime: Runtime, principal: Principal, tool: str, arguments: dict[str, Any], **more: Any
) -> Any:
    return await run_tool(runtime, principal, BUILT_IN_TOOLS[tool], arguments, **more)


async def order(runtime: Runtime, principal: Principal, **arguments: Any) -> OrderStatusResult:
    result: OrderStatusResult = await run(runtime, principal, "order_status", arguments)
    return result


async def ticket(
    runtime: Runtime, principal: Principal, number: str | None = None, **more: Any
) -> TicketStatusResult:
    conversation_id = more.pop("conversation_id", None)
    result: TicketStatusResult = await run(
        runtime,
        principal,
        "ticket_status",
        {"ticket_number": number, **more},
        conversation_id=conversation_id,
    )
    return result


async def file(runtime: Runtime, principal: Principal, **more: Any) -> CreateTicketResult:
    result: CreateTicketResult = await run(
        runtime, principal, "create_ticket", {**TICKET, **more.pop("arguments", {})},
        confirmed=True, **more,
    )  # fmt: skip
    return result


async def count(runtime: Runtime, shop: Shop, table: Any) -> int:
    async with runtime.database.reading(shop.organization_id) as transaction:
        return int(await transaction.scalar(select(func.count()).select_from(table)))


@pytest.mark.parametrize("name", sorted(BUILT_IN_TOOLS))
def test_that_every_tool_says_what_it_does(name: str) -> None:
    tool = BUILT_IN_TOOLS[name]
    assert tool.description
    assert tool.arguments.model_json_schema()["additionalProperties"] is False


async def test_that_a_visitor_with_number_and_address_sees_the_order(
    runtime: Runtime, shop: Shop
) -> None:
    found = (await order(runtime, shop.visitor, **ORDER)).order
    assert found is not None
    assert (found.order_number, found.status, found.total) == ("CMD-2026-000101", "shipped", 1358.0)
    assert found.parcels[0].carrier == "TransMeuble"


async def test_that_signed_in_customers_see_only_their_own(runtime: Runtime, shop: Shop) -> None:
    assert (await order(runtime, shop.customer, order_number="CMD-2026-000101")).found
    assert len((await order(runtime, shop.customer)).orders) == 1
    assert not (await order(runtime, shop.other_customer, order_number="CMD-2026-000101")).found
    assert (await order(runtime, shop.other_customer)).orders == []


async def test_that_staff_needs_no_address(runtime: Runtime, shop: Shop) -> None:
    assert (await order(runtime, shop.agent, order_number="CMD-2026-000101")).found


async def test_that_nothing_is_looked_up_without_proof(runtime: Runtime, shop: Shop) -> None:
    for _ in range(MAXIMUM_FAILURES):
        without = await order(runtime, shop.visitor, order_number="CMD-2026-000101")
        assert (without.found, without.locked, without.missing) == (False, False, ["email"])
    assert (await order(runtime, shop.visitor)).missing == ["order_number"]


async def test_that_a_failure_does_not_say_which_half_was_wrong(
    runtime: Runtime, shop: Shop
) -> None:
    wrong_address = await order(runtime, shop.visitor, **WRONG)
    wrong_number = await order(runtime, shop.visitor, **{**ORDER, "order_number": "CMD-1"})
    assert wrong_address == wrong_number == OrderStatusResult(found=False)


async def test_that_five_failures_lock_for_half_an_hour(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    failed = [await order(runtime, shop.visitor, **WRONG) for _ in range(MAXIMUM_FAILURES)]
    assert [result.locked for result in failed] == [False] * 4 + [True]
    assert await order(runtime, shop.visitor, **ORDER) == OrderStatusResult(
        found=False, locked=True
    )
    other_visitor = replace(shop.visitor, actor="visitor:2")
    assert (await order(runtime, other_visitor, **ORDER)).found
    clock.advance(seconds=LOCK_SECONDS)
    assert (await order(runtime, shop.visitor, **ORDER)).found


async def test_that_a_new_conversation_does_not_unlock(runtime: Runtime, shop: Shop) -> None:
    for _ in range(MAXIMUM_FAILURES):
        await order(runtime, shop.visitor, **WRONG)
    chat = await open_chat(runtime, shop.visitor)
    again = await run(runtime, shop.visitor, "order_status", ORDER, conversation_id=chat)
    assert again.locked
    guessed = await ticket(runtime, shop.visitor, "TKT-2026-000001", email="customer@example.com")
    assert guessed.locked


async def test_that_a_ticket_needs_a_yes_first(runtime: Runtime, shop: Shop) -> None:
    with pytest.raises(ConfirmationRequired):
        await run(runtime, shop.customer, "create_ticket", TICKET)
    assert await count(runtime, shop, tickets) == 0


async def test_that_a_ticket_is_filed_once_with_its_outbox_row(
    runtime: Runtime, shop: Shop
) -> None:
    first = await file(runtime, shop.customer, idempotency_key="key")
    again = await file(runtime, shop.customer, idempotency_key="key")
    assert again == first
    assert (first.status, first.priority) == ("open", "medium")
    assert (first.problem_category, first.problem_severity) == ("défaut_fabrication", "moyen")
    assert await count(runtime, shop, tickets) == 1
    assert await count(runtime, shop, outbox) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"problem_category": "météo"},
        {"problem_severity": None},
        {"description": ""},
        {"description": "a\x00b"},
        {"description": "a\ud800b"},
        {"organization_id": "x"},
        {"product_sku": "INCONNU"},
    ],
)
async def test_that_bad_arguments_file_nothing(
    runtime: Runtime, shop: Shop, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest):
        await file(runtime, shop.customer, arguments=arguments)
    assert await count(runtime, shop, tickets) == 0


async def test_that_nobody_files_for_another(runtime: Runtime, shop: Shop) -> None:
    for principal in (shop.other_customer, shop.visitor):
        with pytest.raises(PermissionDenied):
            await file(runtime, principal, arguments={"customer_id": "CUST123"})
    async with runtime.database.reading(shop.organization_id) as transaction:
        rows = await transaction.all(select(tool_runs.c.outcome))
    assert [row.outcome for row in rows] == ["forbidden", "forbidden"]


async def test_that_a_ticket_is_followed_by_those_who_may(runtime: Runtime, shop: Shop) -> None:
    chat = await open_chat(runtime, shop.visitor)
    number = (await file(runtime, shop.visitor, conversation_id=chat)).ticket_id
    assert (await ticket(runtime, shop.visitor, number)).found
    assert [item.ticket_id for item in (await ticket(runtime, shop.visitor)).tickets] == [number]
    # The visitor has signed in and goes on in the same conversation.
    assert (await ticket(runtime, shop.customer, number, conversation_id=chat)).found
    assert not (await ticket(runtime, shop.customer, number)).found
    assert not (await ticket(runtime, shop.stranger, number)).found


async def test_that_number_and_address_open_a_ticket(runtime: Runtime, shop: Shop) -> None:
    number = (await file(runtime, shop.customer)).ticket_id
    found = await ticket(runtime, shop.visitor, number.lower(), email="CUSTOMER@example.com")
    assert found.ticket is not None
    assert (found.ticket.status, found.ticket.sla_state) == ("open", "ok")
    assert not (await ticket(runtime, shop.visitor, number, email="other@example.com")).found


async def test_that_a_handoff_waits_and_is_announced_once(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    chat = await open_chat(runtime, shop.visitor)
    clock.now = clock.now.replace(year=2026, month=1, day=12, hour=10)  # a Monday
    for _ in range(2):
        result: HandoffResult = await run(
            runtime, shop.visitor, "handoff", {"reason": "requested"}, conversation_id=chat
        )
        assert (result.owner, result.is_open) == ("waiting", True)
        assert result.expected_wait_minutes == 5
    async with runtime.database.reading(shop.organization_id) as transaction:
        owner = await transaction.scalar(select(conversations.c.owner))
        topics = await transaction.all(select(outbox.c.topic))
    assert owner == "waiting"
    assert [row.topic for row in topics] == ["conversation.handoff_requested"]


async def test_that_a_handoff_by_night_says_when_it_opens(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    chat = await open_chat(runtime, shop.visitor)
    clock.now = clock.now.replace(year=2026, month=1, day=10, hour=20)  # a Saturday
    result: HandoffResult = await run(runtime, shop.visitor, "handoff", {}, conversation_id=chat)
    assert (result.is_open, result.expected_wait_minutes) == (False, None)
    assert result.opens_at is not None
    assert result.opens_at.isoformat() == "2026-01-12T08:00:00+00:00"


async def test_that_only_a_conversation_of_the_shop_is_handed_over(
    runtime: Runtime, shop: Shop
) -> None:
    with pytest.raises(InvalidRequest):
        await run(runtime, shop.visitor, "handoff", {})
    chat = await open_chat(runtime, shop.visitor)
    with pytest.raises(InvalidRequest):
        await run(runtime, shop.visitor, "handoff", {"reason": "x" * 101}, conversation_id=chat)
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert await transaction.scalar(select(conversations.c.owner)) == "bot"


async def products(runtime: Runtime, principal: Principal, **arguments: Any) -> list[str]:
    runtime.parts.setdefault(Catalogues, Catalogues(runtime))
    found: ProductSearchResult = await run(runtime, principal, "product_search", arguments)
    await runtime.part(Catalogues).settle()
    assert found.total == len(found.products)
    return [product.sku for product in found.products if found.exact]


async def test_that_products_are_found_by_words_and_filters(runtime: Runtime, shop: Shop) -> None:
    sofa = ["CANAPÉ-OSLO-3P"]
    assert await products(runtime, shop.visitor, query="canape gris") == sofa
    assert await products(runtime, shop.visitor, types=["canapé"], price_max_cents=130_000) == sofa
    assert await products(runtime, shop.visitor, query="canapé", price_max_cents=50_000) == []
    assert await products(runtime, shop.visitor, types=["canapé"], in_stock_only=True) == sofa
    assert await products(runtime, shop.visitor, excluded_materials=["tissu"]) == []


async def test_that_a_product_is_shown_as_on_the_api(runtime: Runtime, shop: Shop) -> None:
    runtime.parts[Catalogues] = Catalogues(runtime)
    found: ProductSearchResult = await run(runtime, shop.visitor, "product_search", {})
    await runtime.part(Catalogues).settle()
    assert found.products[0].model_dump() == {
        "sku": "CANAPÉ-OSLO-3P",
        "name": "Canapé Oslo 3 places",
        "category": "salon",
        "price": 1299.0,
        "in_stock": True,
        "images": [],
        "delivery_days": 10,
        "colours": ["gris", "bleu"],
    }


@pytest.mark.parametrize(
    "arguments",
    [{"limit": 0}, {"offset": -1}, {"width_max_cm": float("nan")}, {"query": "x" * 501}],
)
async def test_that_a_search_without_bounds_is_refused(
    runtime: Runtime, shop: Shop, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest):
        await run(runtime, shop.visitor, "product_search", arguments)


async def test_that_knowledge_is_quoted_from_the_shops_own_documents(
    runtime: Runtime, shop: Shop
) -> None:
    knowledge = await open_knowledge(runtime)
    runtime.parts[Knowledge] = knowledge
    text = "Nous livrons en dix jours ouvrés partout en France métropolitaine."
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await create_document(
            transaction, runtime.outbox, NewDocument("Délais de livraison", text), runtime.clock()
        )
    while await runtime.outbox.drain():
        pass
    question = {"question": "Quels sont vos délais de livraison ?"}
    found: KnowledgeSearchResult = await run(runtime, shop.visitor, "knowledge_search", question)
    assert found.passages[0].title == "Délais de livraison"
    assert found.passages[0].quote in text
    elsewhere: KnowledgeSearchResult = await run(
        runtime, shop.stranger, "knowledge_search", question
    )
    assert elsewhere.passages == []
