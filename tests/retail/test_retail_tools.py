"""Does each retail action change exactly what its name and arguments say?

The changes are written out by hand; the tools and the rules of `expected` must both make them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from core.errors import Conflict, InvalidRequest, NotFound, SupportError
from tests.retail.conftest import Counter
from tests.retail.desk import RETAIL_TOOLS, new_conversation
from tests.retail.expected import RULES

NEW_ADDRESS = {
    "address1": "8 New Street",
    "address2": "",
    "city": "Boston",
    "state": "MA",
    "country": "USA",
    "zip": "02101",
}


def paid(amount: float, method: str) -> dict[str, Any]:
    return {"transaction_type": "payment", "amount": amount, "payment_method_id": method}


def refunded(amount: float, method: str) -> dict[str, Any]:
    return {"transaction_type": "refund", "amount": amount, "payment_method_id": method}


EFFECTS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "cancel, paid by card": (
        "anna_berg_1",
        "cancel_pending_order",
        {"order_id": "#W1", "reason": "no longer needed"},
        {
            "/orders/#W1/cancel_reason": "no longer needed",
            "/orders/#W1/status": "cancelled",
            "/orders/#W1/payment_history": [
                paid(160.1, "credit_card_1"),
                refunded(160.1, "credit_card_1"),
            ],
        },
    ),
    "cancel, paid by gift card": (
        "ben_cole_2",
        "cancel_pending_order",
        {"order_id": "#W4", "reason": "ordered by mistake"},
        {
            "/orders/#W4/cancel_reason": "ordered by mistake",
            "/orders/#W4/status": "cancelled",
            "/orders/#W4/payment_history": [
                paid(150.0, "gift_card_2"),
                refunded(150.0, "gift_card_2"),
            ],
            "/users/ben_cole_2/payment_methods/gift_card_2/balance": 650.0,
        },
    ),
    "another shipping address": (
        "eva_ford_5",
        "modify_pending_order_address",
        {"order_id": "#W9", **NEW_ADDRESS},
        {
            f"/orders/#W9/address/{field}": value
            for field, value in NEW_ADDRESS.items()
            if field != "country"
        },
    ),
    "another default address": (
        "eva_ford_5",
        "modify_user_address",
        {"user_id": "eva_ford_5", **NEW_ADDRESS},
        {
            f"/users/eva_ford_5/address/{field}": value
            for field, value in NEW_ADDRESS.items()
            if field != "country"
        },
    ),
    "from a card to a gift card": (
        "eva_ford_5",
        "modify_pending_order_payment",
        {"order_id": "#W9", "payment_method_id": "gift_card_5"},
        {
            "/orders/#W9/payment_history": [
                paid(20.2, "credit_card_5"),
                paid(20.2, "gift_card_5"),
                refunded(20.2, "credit_card_5"),
            ],
            "/users/eva_ford_5/payment_methods/gift_card_5/balance": 39.8,
        },
    ),
    "from a gift card to an account": (
        "ben_cole_2",
        "modify_pending_order_payment",
        {"order_id": "#W4", "payment_method_id": "paypal_2"},
        {
            "/orders/#W4/payment_history": [
                paid(150.0, "gift_card_2"),
                paid(150.0, "paypal_2"),
                refunded(150.0, "gift_card_2"),
            ],
            "/users/ben_cole_2/payment_methods/gift_card_2/balance": 650.0,
        },
    ),
    "a dearer item, paid by gift card": (
        "anna_berg_1",
        "modify_pending_order_items",
        {
            "order_id": "#W1",
            "item_ids": ["1001"],
            "new_item_ids": ["1002"],
            "payment_method_id": "gift_card_1",
        },
        {
            "/orders/#W1/items/0/item_id": "1002",
            "/orders/#W1/items/0/options/finish": "black",
            "/orders/#W1/items/0/price": 45.5,
            "/orders/#W1/payment_history": [
                paid(160.1, "credit_card_1"),
                paid(5.5, "gift_card_1"),
            ],
            "/orders/#W1/status": "pending (items modified)",
            "/users/anna_berg_1/payment_methods/gift_card_1/balance": 14.5,
        },
    ),
    "two items that are cheaper together": (
        "anna_berg_1",
        "modify_pending_order_items",
        {
            "order_id": "#W1",
            "item_ids": ["2001", "1001"],
            "new_item_ids": ["2003", "1002"],
            "payment_method_id": "gift_card_1",
        },
        {
            "/orders/#W1/items/0/item_id": "1002",
            "/orders/#W1/items/0/options/finish": "black",
            "/orders/#W1/items/0/price": 45.5,
            "/orders/#W1/items/1/item_id": "2003",
            "/orders/#W1/items/1/options/material": "fabric",
            "/orders/#W1/items/1/price": 99.99,
            "/orders/#W1/payment_history": [
                paid(160.1, "credit_card_1"),
                refunded(14.61, "gift_card_1"),
            ],
            "/orders/#W1/status": "pending (items modified)",
            "/users/anna_berg_1/payment_methods/gift_card_1/balance": 34.61,
        },
    ),
    "an item at the same price": (
        "clara_diaz_3",
        "modify_pending_order_items",
        {
            "order_id": "#W6",
            "item_ids": ["4001"],
            "new_item_ids": ["4002"],
            "payment_method_id": "gift_card_3b",
        },
        {
            "/orders/#W6/items/0/item_id": "4002",
            "/orders/#W6/items/0/options/color": "navy",
            "/orders/#W6/status": "pending (items modified)",
        },
    ),
    "an exchange of an item that was bought twice": (
        "anna_berg_1",
        "exchange_delivered_order_items",
        {
            "order_id": "#W2",
            "item_ids": ["3001", "3001"],
            "new_item_ids": ["3003", "3002"],
            "payment_method_id": "credit_card_1",
        },
        {
            "/orders/#W2/exchange_items": ["3001", "3001"],
            "/orders/#W2/exchange_new_items": ["3002", "3003"],
            "/orders/#W2/exchange_payment_method_id": "credit_card_1",
            "/orders/#W2/exchange_price_difference": 55.05,
            "/orders/#W2/status": "exchange requested",
        },
    ),
    "a return to the original method": (
        "ben_cole_2",
        "return_delivered_order_items",
        {"order_id": "#W5", "item_ids": ["7001", "4001"], "payment_method_id": "paypal_2"},
        {
            "/orders/#W5/return_items": ["4001", "7001"],
            "/orders/#W5/return_payment_method_id": "paypal_2",
            "/orders/#W5/status": "return requested",
        },
    ),
    "a return to a gift card": (
        "ben_cole_2",
        "return_delivered_order_items",
        {"order_id": "#W5", "item_ids": ["7001"], "payment_method_id": "gift_card_2"},
        {
            "/orders/#W5/return_items": ["7001"],
            "/orders/#W5/return_payment_method_id": "gift_card_2",
            "/orders/#W5/status": "return requested",
        },
    ),
}


@pytest.mark.parametrize(
    ("user_id", "name", "arguments", "changed"), EFFECTS.values(), ids=EFFECTS.keys()
)
def test_that_an_action_changes_this_and_nothing_else(
    counter: Counter,
    user_id: str,
    name: str,
    arguments: Mapping[str, Any],
    changed: Mapping[str, Any],
) -> None:
    counter.serve(user_id)
    counter.act(name, arguments)
    assert counter.changed() == changed
    assert counter.expected((name, arguments)) == changed


def test_that_address_payment_and_items_change_one_after_another(counter: Counter) -> None:
    actions: list[tuple[str, dict[str, Any]]] = [
        ("modify_pending_order_address", {"order_id": "#W4", **NEW_ADDRESS}),
        (
            "modify_pending_order_payment",
            {"order_id": "#W4", "payment_method_id": "credit_card_2"},
        ),
        ("modify_pending_order_address", {"order_id": "#W4", **NEW_ADDRESS, "zip": "02102"}),
        ("cancel_pending_order", {"order_id": "#W4", "reason": "no longer needed"}),
    ]
    counter.serve("ben_cole_2")
    for name, arguments in actions:
        counter.act(name, arguments)
    changed = counter.changed()
    assert changed == counter.expected(*actions)
    # Only who still has paid is refunded: the card, not once more the gift card.
    assert changed["/orders/#W4/payment_history"][3:] == [refunded(150.0, "credit_card_2")]
    assert changed["/users/ben_cole_2/payment_methods/gift_card_2/balance"] == 650.0
    assert changed["/orders/#W4/address/zip"] == "02102"


def test_that_every_tool_has_a_rule_and_says_what_it_does() -> None:
    assert RETAIL_TOOLS.keys() == RULES.keys()
    for tool in RETAIL_TOOLS.values():
        assert tool.description
        assert tool.arguments.model_json_schema()["additionalProperties"] is False


def test_that_what_is_read_is_what_is_there(counter: Counter) -> None:
    counter.serve("ben_cole_2")
    shop = counter.before
    assert counter.act("get_user_details", {"user_id": "ben_cole_2"}) == {
        "user": shop["users"]["ben_cole_2"]
    }
    assert counter.act("get_order_details", {"order_id": "#W5"}) == {"order": shop["orders"]["#W5"]}
    lamps = "1000000001"
    assert counter.act("get_product_details", {"product_id": lamps}) == {
        "product": shop["products"][lamps]
    }
    assert counter.act("get_item_details", {"item_id": "1003"}) == {
        "product_id": lamps,
        "name": "Desk Lamp",
        "item": shop["products"][lamps]["variants"]["1003"],
    }
    types = counter.act("list_all_product_types", {})["product_types"]
    assert (len(types), types["Tea Kettle"]) == (8, "1000000003")
    assert counter.changed() == {}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_order_details", {"order_id": "#W99"}),
        ("get_product_details", {"product_id": "1001"}),
        ("get_item_details", {"item_id": "1000000001"}),
    ],
)
def test_that_what_is_not_there_is_not_found(
    counter: Counter, name: str, arguments: dict[str, str]
) -> None:
    counter.serve("ben_cole_2")
    with pytest.raises(NotFound):
        counter.act(name, arguments)


@pytest.mark.parametrize(
    ("first_name", "last_name", "zip_code", "found"),
    [
        ("Clara", "Diaz", "60601", "clara_diaz_3"),
        (" clara ", "DIAZ", " 60601", "clara_diaz_3"),
        ("Clara", "Diaz", "60602", None),
        ("Anna", "Berg", "10001", None),  # two customers
    ],
)
def test_that_name_and_zip_find_one_customer(
    counter: Counter, first_name: str, last_name: str, zip_code: str, found: str | None
) -> None:
    arguments = {"first_name": first_name, "last_name": last_name, "zip": zip_code}
    if found is None:
        with pytest.raises(NotFound):
            counter.act("find_user_id_by_name_zip", arguments)
        return
    assert counter.act("find_user_id_by_name_zip", arguments) == {"user_id": found}


def test_that_email_finds_a_customer_in_any_case(counter: Counter) -> None:
    found = counter.act("find_user_id_by_email", {"email": " A.Berg@Example.com"})
    assert found == {"user_id": "anna_berg_6"}
    with pytest.raises(NotFound):
        counter.act("find_user_id_by_email", {"email": "nobody@example.com"})


@pytest.mark.parametrize(
    ("expression", "value"),
    [("135.24 - 153.23", "-17.99"), ("0.1 + 0.2", "0.30"), ("2 * (3 + 4) / 5", "2.80")],
)
def test_that_sums_are_exact(counter: Counter, expression: str, value: str) -> None:
    assert counter.act("calculate", {"expression": expression}) == {"value": value}


@pytest.mark.parametrize(
    "expression",
    ["", "1 / 0", "0 / 0", "2 ** 9", "__import__('os')", "1e999", "True + 1", "(" * 150, "a"],
)
def test_that_nothing_but_sums_is_worked_out(counter: Counter, expression: str) -> None:
    with pytest.raises(InvalidRequest):
        counter.act("calculate", {"expression": expression})


def test_that_a_repeated_key_acts_once(counter: Counter) -> None:
    counter.serve("ben_cole_2")
    name, arguments = "cancel_pending_order", {"order_id": "#W4", "reason": "no longer needed"}
    first = counter.act(name, arguments, idempotency_key="cancel #W4")
    assert counter.act(name, arguments, idempotency_key="cancel #W4") == first
    assert counter.changed() == counter.expected((name, arguments))


def test_that_of_two_at_once_one_cancels(counter: Counter) -> None:
    counter.serve("ben_cole_2")
    name, arguments = "cancel_pending_order", {"order_id": "#W4", "reason": "no longer needed"}
    desk, conversation_id = counter.desk, counter.conversation_id

    async def both() -> list[Any]:
        pair = (desk.act(conversation_id, name, arguments) for _ in range(2))
        return list(await asyncio.gather(*pair, return_exceptions=True))

    results = counter.call(both())
    assert [isinstance(result, Conflict) for result in results].count(True) == 1
    assert counter.changed() == counter.expected((name, arguments))


def test_that_every_action_leaves_an_audit_row(counter: Counter) -> None:
    before = counter.call(counter.desk.audit_rows())
    counter.serve("ben_cole_2")
    with pytest.raises(SupportError):
        counter.act("get_order_details", {"order_id": "#W1"})
    assert counter.call(counter.desk.audit_rows()) == before + 2


def test_that_conversations_do_not_share_a_customer(counter: Counter) -> None:
    counter.serve("ben_cole_2")
    counter.serve("clara_diaz_3")
    assert counter.act("get_order_details", {"order_id": "#W6"})["order"]["user_id"] == (
        "clara_diaz_3"
    )
    counter.conversation_id = new_conversation()
    with pytest.raises(SupportError):
        counter.act("get_order_details", {"order_id": "#W6"})
