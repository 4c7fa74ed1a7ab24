"""Loading the sample shop: complete, repeatable, and never in production."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from api.seed import SAMPLE_SHOP, demo_accounts_exist, seed
from core.errors import PermissionDenied
from core.runtime import Runtime
from core.settings import Settings
from knowledge.tables import documents
from services.accounts.organizations import active_organizations
from services.accounts.users import authenticate
from services.catalogue.products import find_product, list_products
from services.catalogue.stores import list_stores
from services.conversations.conversations import NewConversation, open_conversation
from services.conversations.handoff import request_handoff
from services.orders.orders import find_order_by_number, list_customer_orders
from tests.integration.shop import Clock

pytestmark = pytest.mark.anyio


async def test_that_the_sample_shop_is_complete(runtime: Runtime) -> None:
    report = await seed(runtime, SAMPLE_SHOP)
    assert report.products >= 120
    assert report.orders >= 40
    organization = (await active_organizations(runtime.database))[0]
    async with runtime.database.reading(organization.id) as transaction:
        products = await list_products(transaction)
        oslo = await find_product(transaction, "CANAPÉ-OSLO-3P")
        articles = await transaction.all(select(documents.c.language))
        stores = await list_stores(transaction)
    assert len({product.category for product in products}) == 8
    assert oslo is not None
    assert (oslo.name, oslo.category, oslo.price_cents) == (
        "Canapé Oslo 3 places",
        "salon",
        129_900,
    )
    languages = Counter(row.language for row in articles)
    assert languages["fr"] >= 70
    assert languages["en"] >= 30
    assert len(stores) == report.stores


@pytest.mark.parametrize(
    ("asked_at", "opens_at"),
    [
        ("2026-12-25T10:00Z", "2026-12-26T08:00Z"),
        # The 14th of July 2026 is a Tuesday.
        ("2026-07-13T17:30Z", "2026-07-15T07:00Z"),
        ("2026-12-24T10:00Z", None),
    ],
)
async def test_that_nobody_is_promised_an_answer_on_a_public_holiday(
    runtime: Runtime, asked_at: str, opens_at: str | None
) -> None:
    """As the shop's own article says."""
    await seed(runtime, SAMPLE_SHOP)
    (shop,) = await active_organizations(runtime.database)
    moment = datetime.fromisoformat(asked_at)
    async with runtime.database.transaction(shop.id) as transaction:
        new = NewConversation("s", "visitor:1", None, "web_chat", "fr", 1)
        conversation = await open_conversation(transaction, new, moment)
        told = await request_handoff(transaction, runtime.outbox, conversation.id, None, moment)
    assert told.is_open is (opens_at is None)
    assert told.opens_at == (datetime.fromisoformat(opens_at) if opens_at else None)
    assert (told.expected_wait_minutes is None) is (opens_at is not None)


async def test_that_loading_again_adds_nothing(runtime: Runtime, clock: Clock) -> None:
    await seed(runtime, SAMPLE_SHOP)
    clock.advance(days=3)
    stages: list[str] = []
    again = await seed(runtime, SAMPLE_SHOP, lambda stage, done, total: stages.append(stage))
    assert set(vars(again).values()) == {0}
    assert "products" in stages


async def test_that_the_demo_accounts_work_and_are_known_as_such(runtime: Runtime) -> None:
    assert not await demo_accounts_exist(runtime.database)
    await seed(runtime, SAMPLE_SHOP)
    assert await demo_accounts_exist(runtime.database)
    customer = await authenticate(runtime.database, "customer@example.com", "password123")
    agent = await authenticate(runtime.database, "agent@example.com", "password123")
    admin = await authenticate(runtime.database, "admin@example.com", "password123")
    assert (customer.role, customer.customer_reference) == ("customer", "CUST123")
    assert (agent.role, admin.role) == ("agent", "admin")


async def test_that_days_are_counted_from_the_clock(runtime: Runtime, clock: Clock) -> None:
    await seed(runtime, SAMPLE_SHOP)
    customer = await authenticate(runtime.database, "customer@example.com", "password123")
    async with runtime.database.reading(customer.organization_id) as transaction:
        order = await find_order_by_number(transaction, "CMD-2026-000103")
        assert customer.customer_id is not None
        own = await list_customer_orders(transaction, customer.customer_id)
    assert order is not None
    assert order in own
    assert order.email == "customer@example.com"
    assert order.ordered_at == clock.now - timedelta(days=187)
    assert order.parcels[0].expected_on == clock.now.date() - timedelta(days=174)
    assert order.lines[1].quantity == 6
    assert order.lines[1].unit_price_cents > 0


async def test_that_production_takes_no_sample_shop(runtime: Runtime) -> None:
    settings = Settings(environment="production", secret_key="x" * 40)
    object.__setattr__(runtime, "settings", settings)
    with pytest.raises(PermissionDenied):
        await seed(runtime, SAMPLE_SHOP)
    assert await active_organizations(runtime.database) == []
