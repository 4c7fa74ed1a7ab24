"""Is everything refused that the retail policy forbids, and does a refusal leave nothing?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import Conflict, NotAuthenticated, PermissionDenied, SupportError
from core.tools import ConfirmationRequired
from tests.retail import test_retail_tools
from tests.retail.conftest import Counter
from tests.retail.desk import RETAIL_TOOLS
from tests.retail.forbidden import attempts, refuse, repeated
from tests.retail.replay import Action
from tests.retail.test_retail_tools import EFFECTS, NEW_ADDRESS

RULES = Path(__file__).with_name("policy_rules.yaml")

CANCEL, ADDRESS = "cancel_pending_order", "modify_pending_order_address"
PAYMENT, ITEMS = "modify_pending_order_payment", "modify_pending_order_items"
RETURN, EXCHANGE = "return_delivered_order_items", "exchange_delivered_order_items"


def cancel(order_id: str, reason: str = "no longer needed") -> dict[str, Any]:
    return {"order_id": order_id, "reason": reason}


def pay(order_id: str, method: str) -> dict[str, Any]:
    return {"order_id": order_id, "payment_method_id": method}


def give_back(order_id: str, items: list[str], method: str) -> dict[str, Any]:
    return {**pay(order_id, method), "item_ids": items}


def change(order_id: str, items: list[str], new: list[str], method: str) -> dict[str, Any]:
    return {**give_back(order_id, items, method), "new_item_ids": new}


ANNA, BEN, CLARA, DAN = "anna_berg_1", "ben_cole_2", "clara_diaz_3", "dan_evans_4"
# What is tried, by whom, and the code of the error that it must raise.
FORBIDDEN: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "cancel a delivered order": (ANNA, CANCEL, cancel("#W2"), "conflict"),
    "cancel a processed order": (ANNA, CANCEL, cancel("#W3"), "conflict"),
    "cancel a cancelled order": (CLARA, CANCEL, cancel("#W7"), "conflict"),
    "cancel for another reason": (ANNA, CANCEL, cancel("#W1", "too dear"), "invalid_request"),
    "cancel without a reason": (ANNA, CANCEL, {"order_id": "#W1"}, "invalid_request"),
    "cancel another customer's order": (ANNA, CANCEL, cancel("#W4"), "not_found"),
    "cancel a namesake's order": (ANNA, CANCEL, cancel("#W10"), "not_found"),
    "cancel an unknown order": (ANNA, CANCEL, cancel("#W99"), "not_found"),
    "readdress a delivered order": (ANNA, ADDRESS, {"order_id": "#W2", **NEW_ADDRESS}, "conflict"),
    "readdress a processed order": (ANNA, ADDRESS, {"order_id": "#W3", **NEW_ADDRESS}, "conflict"),
    "readdress another's order": (ANNA, ADDRESS, {"order_id": "#W4", **NEW_ADDRESS}, "not_found"),
    "readdress with half an address": (
        ANNA, ADDRESS, {"order_id": "#W1", "city": "Boston"}, "invalid_request",
    ),
    "modify anything else of an order": (
        ANNA, ADDRESS, {"order_id": "#W1", **NEW_ADDRESS, "status": "delivered"},
        "invalid_request",
    ),
    "repay a processed order": (ANNA, PAYMENT, pay("#W3", "gift_card_1"), "conflict"),
    "repay with the same method": (ANNA, PAYMENT, pay("#W1", "credit_card_1"), "invalid_request"),
    "repay with a gift card below the total": (
        ANNA, PAYMENT, pay("#W1", "gift_card_1"), "conflict",
    ),
    "repay with another's method": (ANNA, PAYMENT, pay("#W1", "paypal_2"), "not_found"),
    "modify items of a delivered order": (
        ANNA, ITEMS, change("#W2", ["3001"], ["3002"], "credit_card_1"), "conflict",
    ),
    "modify items of a processed order": (
        ANNA, ITEMS, change("#W3", ["8001"], ["8002"], "credit_card_1"), "conflict",
    ),
    "modify to another product": (
        ANNA, ITEMS, change("#W1", ["1001"], ["2002"], "credit_card_1"), "invalid_request",
    ),
    "modify to an unknown item": (
        ANNA, ITEMS, change("#W1", ["1001"], ["9999"], "credit_card_1"), "invalid_request",
    ),
    "modify to the same item": (
        ANNA, ITEMS, change("#W1", ["1001"], ["1001"], "credit_card_1"), "invalid_request",
    ),
    "modify to an unavailable item": (
        ANNA, ITEMS, change("#W1", ["1001"], ["1003"], "credit_card_1"), "conflict",
    ),
    "modify an item that was not ordered": (
        ANNA, ITEMS, change("#W1", ["3001"], ["3002"], "credit_card_1"), "invalid_request",
    ),
    "modify one item twice": (
        ANNA, ITEMS, change("#W1", ["1001", "1001"], ["1002", "1002"], "credit_card_1"),
        "invalid_request",
    ),
    "modify with too few new items": (
        ANNA, ITEMS, change("#W1", ["1001", "2001"], ["1002"], "credit_card_1"),
        "invalid_request",
    ),
    "modify no item": (ANNA, ITEMS, change("#W1", [], [], "credit_card_1"), "invalid_request"),
    "modify, the second item being forbidden": (
        ANNA, ITEMS, change("#W1", ["2001", "1001"], ["2003", "1003"], "credit_card_1"),
        "conflict",
    ),
    "modify with another's method": (
        ANNA, ITEMS, change("#W1", ["1001"], ["1002"], "paypal_2"), "not_found",
    ),
    "modify without a method": (
        ANNA, ITEMS, {"order_id": "#W1", "item_ids": ["1001"], "new_item_ids": ["1002"]},
        "invalid_request",
    ),
    "modify with a gift card below the difference": (
        ANNA, ITEMS, change("#W1", ["2001"], ["2002"], "gift_card_1"), "conflict",
    ),
    "return a pending order": (
        ANNA, RETURN, give_back("#W1", ["1001"], "credit_card_1"), "conflict",
    ),
    "return a processed order": (
        ANNA, RETURN, give_back("#W3", ["8001"], "credit_card_1"), "conflict",
    ),
    "return another's order": (
        ANNA, RETURN, give_back("#W5", ["4001"], "credit_card_1"), "not_found",
    ),
    "return an item that was not ordered": (
        BEN, RETURN, give_back("#W5", ["8001"], "paypal_2"), "invalid_request",
    ),
    "return one item twice": (
        BEN, RETURN, give_back("#W5", ["4001", "4001"], "paypal_2"), "invalid_request",
    ),
    "return nothing": (BEN, RETURN, give_back("#W5", [], "paypal_2"), "invalid_request"),
    "return to a third method": (
        BEN, RETURN, give_back("#W5", ["4001"], "credit_card_2"), "invalid_request",
    ),
    "return to another's gift card": (
        BEN, RETURN, give_back("#W5", ["4001"], "gift_card_1"), "not_found",
    ),
    "exchange a pending order": (
        ANNA, EXCHANGE, change("#W1", ["1001"], ["1002"], "credit_card_1"), "conflict",
    ),
    "exchange another's order": (
        ANNA, EXCHANGE, change("#W8", ["8001"], ["8002"], "credit_card_1"), "not_found",
    ),
    "exchange for another product": (
        DAN, EXCHANGE, change("#W8", ["8001"], ["7001"], "paypal_4"), "invalid_request",
    ),
    "exchange for the same item": (
        DAN, EXCHANGE, change("#W8", ["8001"], ["8001"], "paypal_4"), "invalid_request",
    ),
    "exchange with a gift card below the difference": (
        ANNA, EXCHANGE, change("#W2", ["3001", "3001"], ["3002", "3003"], "gift_card_1"),
        "conflict",
    ),
    "exchange with another's method": (
        DAN, EXCHANGE, change("#W8", ["8001"], ["8002"], "paypal_2"), "not_found",
    ),
    "readdress another customer": (
        ANNA, "modify_user_address", {"user_id": BEN, **NEW_ADDRESS}, "forbidden",
    ),
    "read another's profile": (ANNA, "get_user_details", {"user_id": BEN}, "forbidden"),
    "read another's order": (ANNA, "get_order_details", {"order_id": "#W4"}, "not_found"),
    "find a second customer": (
        ANNA, "find_user_id_by_email", {"email": "ben.cole@example.com"}, "forbidden",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("user_id", "name", "arguments", "code"), FORBIDDEN.values(), ids=FORBIDDEN.keys()
)
def test_that_it_is_refused_and_leaves_nothing(
    counter: Counter, user_id: str, name: str, arguments: Mapping[str, Any], code: str
) -> None:
    counter.serve(user_id)
    with pytest.raises(SupportError) as refusal:
        counter.act(name, arguments)
    assert refusal.value.code == code
    assert counter.changed() == {}


@pytest.mark.parametrize(("user_id", "name", "arguments"), [row[:3] for row in EFFECTS.values()])
def test_that_nothing_changes_without_a_yes(
    counter: Counter, user_id: str, name: str, arguments: Mapping[str, Any]
) -> None:
    counter.serve(user_id)
    with pytest.raises(ConfirmationRequired):
        counter.act(name, arguments, confirmed=False)
    assert counter.changed() == {}


@pytest.mark.parametrize(("user_id", "name", "arguments"), [row[:3] for row in EFFECTS.values()])
def test_that_no_customer_is_believed_before_being_found(
    counter: Counter, user_id: str, name: str, arguments: Mapping[str, Any]
) -> None:
    with pytest.raises(NotAuthenticated):
        counter.act(name, arguments)
    assert counter.changed() == {}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_user_details", {"user_id": ANNA}),
        ("get_order_details", {"order_id": "#W1"}),
        ("get_product_details", {"product_id": "1000000001"}),
        ("get_item_details", {"item_id": "1001"}),
        ("list_all_product_types", {}),
    ],
)
def test_that_nothing_is_told_before_a_customer_is_found(
    counter: Counter, name: str, arguments: Mapping[str, Any]
) -> None:
    with pytest.raises(NotAuthenticated):
        counter.act(name, arguments)


@pytest.mark.parametrize(
    ("user_id", "name", "first", "second"),
    [
        (ANNA, CANCEL, cancel("#W1"), cancel("#W1")),
        (
            ANNA,
            ITEMS,
            change("#W1", ["1001"], ["1002"], "credit_card_1"),
            change("#W1", ["2001"], ["2002"], "credit_card_1"),
        ),
        (BEN, PAYMENT, pay("#W4", "paypal_2"), pay("#W4", "credit_card_2")),
        (
            BEN,
            EXCHANGE,
            change("#W5", ["4001"], ["4002"], "paypal_2"),
            change("#W5", ["7001"], ["7002"], "paypal_2"),
        ),
        (
            BEN,
            RETURN,
            give_back("#W5", ["4001"], "paypal_2"),
            give_back("#W5", ["7001"], "paypal_2"),
        ),
    ],
)
def test_that_an_order_is_changed_once(
    counter: Counter,
    user_id: str,
    name: str,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
) -> None:
    counter.serve(user_id)
    counter.act(name, first)
    with pytest.raises(Conflict):
        counter.act(name, second)
    assert counter.changed() == counter.expected((name, first))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (CANCEL, cancel("#W1")),
        (ADDRESS, {"order_id": "#W1", **NEW_ADDRESS}),
        (PAYMENT, pay("#W1", "gift_card_1")),
    ],
)
def test_that_an_order_with_modified_items_stays_as_it_is(
    counter: Counter, name: str, arguments: Mapping[str, Any]
) -> None:
    counter.serve(ANNA)
    counter.act(ITEMS, change("#W1", ["1001"], ["1002"], "credit_card_1"))
    changed = counter.changed()
    with pytest.raises(Conflict):
        counter.act(name, arguments)
    assert counter.changed() == changed


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            (RETURN, give_back("#W5", ["4001"], "paypal_2")),
            (EXCHANGE, change("#W5", ["7001"], ["7002"], "paypal_2")),
        ),
        (
            (EXCHANGE, change("#W5", ["7001"], ["7002"], "paypal_2")),
            (RETURN, give_back("#W5", ["4001"], "paypal_2")),
        ),
    ],
)
def test_that_an_order_is_returned_or_exchanged(
    counter: Counter, first: tuple[str, dict[str, Any]], second: tuple[str, dict[str, Any]]
) -> None:
    counter.serve(BEN)
    counter.act(*first)
    with pytest.raises(Conflict):
        counter.act(*second)
    assert counter.changed() == counter.expected(first)


@pytest.mark.parametrize("known", [True, False])
def test_that_no_tool_acts_after_the_transfer(counter: Counter, known: bool) -> None:
    if known:
        counter.serve(ANNA)
    summary = {"summary": "wants a refund without returning the item"}
    assert counter.act("transfer_to_human_agents", summary) == {"transferred": True}
    later: list[tuple[str, dict[str, Any]]] = [
        ("transfer_to_human_agents", summary),
        ("find_user_id_by_email", {"email": "anna.berg@example.com"}),
        ("get_order_details", {"order_id": "#W1"}),
        ("calculate", {"expression": "1 + 1"}),
        (CANCEL, cancel("#W1")),
    ]
    for name, arguments in later:
        with pytest.raises(Conflict):
            counter.act(name, arguments)
    assert counter.changed() == {}


def test_that_a_conversation_is_not_taken_over(counter: Counter) -> None:
    counter.serve(ANNA)
    stranger = replace(counter.desk.principal, actor="visitor:2")
    for name, arguments in (
        ("get_order_details", {"order_id": "#W1"}),
        (CANCEL, cancel("#W1")),
        ("find_user_id_by_email", {"email": "anna.berg@example.com"}),
    ):
        with pytest.raises(PermissionDenied):
            counter.act(name, arguments, principal=stranger)
    assert counter.changed() == {}


@pytest.mark.parametrize(
    ("user_id", "name", "arguments"), [row[:3] for row in EFFECTS.values()], ids=EFFECTS.keys()
)
def test_that_whatever_is_made_wrong_with_an_action_is_refused(
    counter: Counter, user_id: str, name: str, arguments: Mapping[str, Any]
) -> None:
    counter.serve(user_id)
    action, conversation_id = Action(name, arguments), counter.conversation_id
    tried = list(attempts(counter.before, action, user_id))
    problems = [counter.call(refuse(counter.desk, conversation_id, each)) for each in tried]
    assert [problem for problem in problems if problem] == []
    assert len(tried) >= 4
    assert counter.changed() == {}
    counter.act(name, arguments)
    for each in repeated(action):
        assert counter.call(refuse(counter.desk, conversation_id, each)) is None
    assert counter.changed() == counter.expected((name, arguments))


def test_that_every_rule_of_the_policy_names_its_test() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    tests = {name for name in (*globals(), *vars(test_retail_tools)) if name.startswith("test_")}
    cases = FORBIDDEN.keys() | EFFECTS.keys()
    named = {test for rule in rules for test in rule.get("tests", [])}
    assert named - tests - cases == set()
    assert FORBIDDEN.keys() - named == set()
    for rule in rules:
        assert ("tests" in rule) != ("dialogue" in rule), rule["rule"]


def test_that_every_change_asks_first() -> None:
    changing = {name for _, name, _, _ in EFFECTS.values()}
    assert {name for name, tool in RETAIL_TOOLS.items() if tool.confirmed} == changing
