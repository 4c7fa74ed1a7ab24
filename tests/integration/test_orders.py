"""Orders and the catalogue on a real database: found only by those who may see them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from core.runtime import Runtime
from services.catalogue.products import Product, add_products, find_product, list_products
from services.catalogue.stores import NewStore, add_stores, find_store, list_stores
from services.orders.orders import Order, find_order, list_customer_orders
from tests.integration.shop import OSLO, Shop

pytestmark = pytest.mark.anyio

NUMBER = "CMD-2026-000101"
EMAIL = "customer@example.com"


async def order(runtime: Runtime, shop: Shop, number: str, email: str) -> Order | None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        return await find_order(transaction, number, email)


@pytest.mark.parametrize(
    ("number", "email"),
    [
        (NUMBER, EMAIL),
        ("cmd-2026-000101", "CUSTOMER@example.com "),
        (" CMD 2026 000101 ", "ｃustomer@example.com"),
        ("cmd2026000101", "Customer@Example.Com"),
        ("CMD–2026–000101", EMAIL),
    ],
)
async def test_that_number_and_address_open_an_order(
    runtime: Runtime, shop: Shop, number: str, email: str
) -> None:
    found = await order(runtime, shop, number, email)
    assert found is not None
    assert found.number == NUMBER
    assert found.total_cents == 129_900 + 2 * 2_950
    assert [line.sku for line in found.lines] == ["CANAPÉ-OSLO-3P-GRIS", "COUSSIN-OSLO"]
    assert found.parcels[0].tracking_number == "TM260010417"
    assert found.parcels[0].line_skus == ("CANAPÉ-OSLO-3P-GRIS",)


@pytest.mark.parametrize(
    ("number", "email"),
    [
        (NUMBER, "other@example.com"),
        ("CMD-2026-000102", EMAIL),
        (NUMBER, ""),
        ("", EMAIL),
        (NUMBER, "%"),
        ("%", EMAIL),
        ("CMD-2026-00010", EMAIL),
        (NUMBER * 50, EMAIL),
    ],
)
async def test_that_half_a_match_is_none(
    runtime: Runtime, shop: Shop, number: str, email: str
) -> None:
    assert await order(runtime, shop, number, email) is None


async def test_that_customers_have_their_own_orders(runtime: Runtime, shop: Shop) -> None:
    assert shop.customer.customer_id
    assert shop.other_customer.customer_id
    async with runtime.database.reading(shop.organization_id) as transaction:
        own = await list_customer_orders(transaction, shop.customer.customer_id)
        others = await list_customer_orders(transaction, shop.other_customer.customer_id)
    assert [item.number for item in own] == [NUMBER]
    assert others == []


async def test_that_another_organization_sees_none_of_them(runtime: Runtime, shop: Shop) -> None:
    assert shop.customer.customer_id
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        assert await list_customer_orders(transaction, shop.customer.customer_id) == []


async def test_that_a_product_comes_back_as_it_was_entered(runtime: Runtime, shop: Shop) -> None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        products = await list_products(transaction)
    assert [product.sku for product in products] == [OSLO.sku]
    entered = {name: getattr(OSLO, name) for name in OSLO.__dataclass_fields__}
    assert products == [Product(id=products[0].id, **entered)]


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("CANAPÉ-OSLO-3P", "CANAPÉ-OSLO-3P"),
        ("CANAPE\u0301-OSLO-3P", "CANAPÉ-OSLO-3P"),
        ("canape oslo 3p", "CANAPÉ-OSLO-3P"),
        ("canape-oslo-3p-bleu", "CANAPÉ-OSLO-3P-BLEU"),
    ],
)
async def test_that_a_sku_is_found_however_it_is_typed(
    runtime: Runtime, shop: Shop, typed: str, printed: str
) -> None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        product = await find_product(transaction, typed)
    assert product is not None
    assert product.sku == OSLO.sku
    assert product.sku_as_printed(typed) == printed


@pytest.mark.parametrize("typed", ["", "---", "OSLO", "CANAPÉ-OSLO-3P-VERT", "X" * 10_000])
async def test_that_an_unknown_sku_is_none(runtime: Runtime, shop: Shop, typed: str) -> None:
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert await find_product(transaction, typed) is None


async def test_that_a_sku_is_entered_once(runtime: Runtime, shop: Shop) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        with pytest.raises(IntegrityError):
            await add_products(transaction, [replace(OSLO, sku="canape-oslo-3p")], runtime.clock())
        await transaction.rollback()


async def test_that_stores_are_listed_by_city(runtime: Runtime, shop: Shop) -> None:
    paris = NewStore(
        "PARIS", "Paris Bastille", "Paris", "118 rue …", "75012", "01 99 00 41 20",
        {"monday": "10:00-19:00", "sunday": "closed"}, ("retrait",),
    )  # fmt: skip
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await add_stores(transaction, [paris, replace(paris, code="LYON", city="Lyon")])
    async with runtime.database.reading(shop.organization_id) as transaction:
        assert [store.code for store in await list_stores(transaction)] == ["LYON", "PARIS"]
        found = await find_store(transaction, " paris ")
    assert found is not None
    assert found.opening_hours["sunday"] == "closed"
    assert found.services == ("retrait",)
