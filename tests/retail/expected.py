"""What must a retail database hold after an action, by its name and arguments alone?

Written apart from the tools and sharing nothing with them: plain documents, whole cents, the
standard library. `expect` changes a state in place, as follows, and says what must be answered.

    action                          effect
    find_*, get_*, list_*, calculate, transfer_*   none
    cancel_pending_order            status "cancelled", `cancel_reason`; what each method has paid
                                    comes back as a refund row, to a gift card's balance at once
    modify_pending_order_address    the order's address, whole
    modify_pending_order_payment    a payment row of the new method, a refund row of the old one,
                                    each of the whole total; gift card balances follow
    modify_pending_order_items      id, price and options of each item; status "pending (items
                                    modified)"; one row with the price difference (none if it is
                                    zero); a gift card's balance follows
    return_delivered_order_items    status "return requested", `return_items` in sorted order,
                                    `return_payment_method_id`; no money moves yet
    exchange_delivered_order_items  status "exchange requested", `exchange_items` and
                                    `exchange_new_items` in sorted order, the payment method and
                                    the price difference; no money moves yet
    modify_user_address             the profile's address, whole

A reference action that cannot be allowed has no effect: one that names what does not exist, or
that makes a gift card pay more than its balance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

State = dict[str, dict[str, dict[str, Any]]]
ADDRESS = ("address1", "address2", "city", "state", "country", "zip")


@dataclass(frozen=True)
class Expectation:
    """The answer as plain values, or the code of the error that it must be refused with."""

    answer: Any = None
    refused: str | None = None


NOT_FOUND = Expectation(refused="not_found")
CONFLICT = Expectation(refused="conflict")


def expect(state: State, name: str, arguments: Mapping[str, Any]) -> Expectation:
    """Apply an action to a state in place; raises KeyError for an action without a rule."""
    return RULES[name](state, arguments)


def cents(amount: float) -> int:
    return round(amount * 100)


def _order_answer(state: State, order_id: str) -> Expectation:
    order = state["orders"].get(order_id)
    return Expectation({"order": order}) if order else NOT_FOUND


def _method(state: State, order: Mapping[str, Any], method_id: str) -> dict[str, Any]:
    found: dict[str, Any] = state["users"][order["user_id"]]["payment_methods"][method_id]
    return found


def _add_to_gift_card(method: dict[str, Any], amount_cents: int) -> None:
    if method["source"] == "gift_card":
        method["balance"] = (cents(method["balance"]) + amount_cents) / 100


def _row(kind: str, amount_cents: int, method_id: str) -> dict[str, Any]:
    return {
        "transaction_type": kind,
        "amount": amount_cents / 100,
        "payment_method_id": method_id,
    }


def _cancel(state: State, arguments: Mapping[str, Any]) -> Expectation:
    order = state["orders"][arguments["order_id"]]
    paid_cents: dict[str, int] = {}
    for row in order["payment_history"]:
        sign = {"payment": 1, "refund": -1}[row["transaction_type"]]
        method_id = row["payment_method_id"]
        paid_cents[method_id] = paid_cents.get(method_id, 0) + sign * cents(row["amount"])
    for method_id, amount in paid_cents.items():
        if amount > 0:
            order["payment_history"].append(_row("refund", amount, method_id))
            _add_to_gift_card(_method(state, order, method_id), amount)
    order["status"] = "cancelled"
    order["cancel_reason"] = arguments["reason"]
    return _order_answer(state, arguments["order_id"])


def _order_address(state: State, arguments: Mapping[str, Any]) -> Expectation:
    order = state["orders"][arguments["order_id"]]
    order["address"] = {field: arguments[field] for field in ADDRESS}
    return _order_answer(state, arguments["order_id"])


def _user_address(state: State, arguments: Mapping[str, Any]) -> Expectation:
    user = state["users"][arguments["user_id"]]
    user["address"] = {field: arguments[field] for field in ADDRESS}
    return Expectation({"user": user})


def _payment(state: State, arguments: Mapping[str, Any]) -> Expectation:
    order = state["orders"][arguments["order_id"]]
    old, new_id = order["payment_history"][0], arguments["payment_method_id"]
    total_cents = cents(old["amount"])
    new = _method(state, order, new_id)
    if new["source"] == "gift_card" and cents(new["balance"]) < total_cents:
        return CONFLICT
    _add_to_gift_card(new, -total_cents)
    _add_to_gift_card(_method(state, order, old["payment_method_id"]), total_cents)
    order["payment_history"] += [
        _row("payment", total_cents, new_id),
        _row("refund", total_cents, old["payment_method_id"]),
    ]
    return _order_answer(state, arguments["order_id"])


def _changes(
    state: State, order: Mapping[str, Any], arguments: Mapping[str, Any]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each item of the order beside the variant that replaces it; items bought twice in turn."""
    left = list(order["items"])
    pairs = []
    for item_id, new_id in zip(arguments["item_ids"], arguments["new_item_ids"], strict=True):
        item = next(item for item in left if item["item_id"] == item_id)
        left = [other for other in left if other is not item]
        pairs.append((item, state["products"][item["product_id"]]["variants"][new_id]))
    return pairs


def _uncovered(method: Mapping[str, Any], amount_cents: int) -> bool:
    return method["source"] == "gift_card" and amount_cents > cents(method["balance"])


def _items(state: State, arguments: Mapping[str, Any]) -> Expectation:
    order = state["orders"][arguments["order_id"]]
    method = _method(state, order, arguments["payment_method_id"])
    pairs = _changes(state, order, arguments)
    dearer = sum(cents(new["price"]) - cents(item["price"]) for item, new in pairs)
    if _uncovered(method, dearer):
        return CONFLICT
    for item, new in pairs:
        item.update({field: new[field] for field in ("item_id", "price", "options")})
    if dearer:
        kind = "payment" if dearer > 0 else "refund"
        order["payment_history"].append(_row(kind, abs(dearer), method["id"]))
    _add_to_gift_card(method, -dearer)
    order["status"] = "pending (items modified)"
    return _order_answer(state, arguments["order_id"])


def _exchange(state: State, arguments: Mapping[str, Any]) -> Expectation:
    order = state["orders"][arguments["order_id"]]
    method = _method(state, order, arguments["payment_method_id"])
    pairs = _changes(state, order, arguments)
    dearer = sum(cents(new["price"]) - cents(item["price"]) for item, new in pairs)
    if _uncovered(method, dearer):
        return CONFLICT
    order["status"] = "exchange requested"
    order["exchange_items"] = sorted(arguments["item_ids"])
    order["exchange_new_items"] = sorted(arguments["new_item_ids"])
    order["exchange_payment_method_id"] = arguments["payment_method_id"]
    order["exchange_price_difference"] = dearer / 100
    return _order_answer(state, arguments["order_id"])


def _return(state: State, arguments: Mapping[str, Any]) -> Expectation:
    order = state["orders"][arguments["order_id"]]
    order["status"] = "return requested"
    order["return_items"] = sorted(arguments["item_ids"])
    order["return_payment_method_id"] = arguments["payment_method_id"]
    return _order_answer(state, arguments["order_id"])


def _by_email(state: State, arguments: Mapping[str, Any]) -> Expectation:
    email = arguments["email"].lower()
    found = [key for key, user in state["users"].items() if user["email"].lower() == email]
    return Expectation({"user_id": found[0]}) if len(found) == 1 else NOT_FOUND


def _by_name(state: State, arguments: Mapping[str, Any]) -> Expectation:
    wanted = [arguments[field].lower() for field in ("first_name", "last_name", "zip")]
    found = [
        key
        for key, user in state["users"].items()
        if [*(user["name"][part].lower() for part in ("first_name", "last_name")),
            user["address"]["zip"]] == wanted
    ]  # fmt: skip
    return Expectation({"user_id": found[0]}) if len(found) == 1 else NOT_FOUND


def _item(state: State, arguments: Mapping[str, Any]) -> Expectation:
    for product_id, product in state["products"].items():
        variant = product["variants"].get(arguments["item_id"])
        if variant:
            return Expectation({"product_id": product_id, "name": product["name"], "item": variant})
    return NOT_FOUND


def _product(state: State, arguments: Mapping[str, Any]) -> Expectation:
    product = state["products"].get(arguments["product_id"])
    return Expectation({"product": product}) if product else NOT_FOUND


def _types(state: State, arguments: Mapping[str, Any]) -> Expectation:
    return Expectation(
        {"product_types": {item["name"]: key for key, item in state["products"].items()}}
    )


def _sum(state: State, arguments: Mapping[str, Any]) -> Expectation:
    """Sums and differences from left to right, which is all that the reference actions hold."""
    signed = arguments["expression"].replace("- ", "+ -").split("+ ")
    total = sum(cents(float(part.replace("- ", "-"))) for part in signed)
    return Expectation({"value": f"{total / 100:.2f}"})


RULES: Mapping[str, Callable[[State, Mapping[str, Any]], Expectation]] = {
    "find_user_id_by_email": _by_email,
    "find_user_id_by_name_zip": _by_name,
    "get_user_details": lambda state, asked: Expectation(
        {"user": state["users"][asked["user_id"]]}
    ),
    "get_order_details": lambda state, asked: _order_answer(state, asked["order_id"]),
    "get_product_details": _product,
    "get_item_details": _item,
    "list_all_product_types": _types,
    "calculate": _sum,
    "transfer_to_human_agents": lambda state, asked: Expectation({"transferred": True}),
    "cancel_pending_order": _cancel,
    "modify_pending_order_address": _order_address,
    "modify_pending_order_payment": _payment,
    "modify_pending_order_items": _items,
    "return_delivered_order_items": _return,
    "exchange_delivered_order_items": _exchange,
    "modify_user_address": _user_address,
}
