"""What the retail policy forbids beside each allowed action, as attempts that must be refused.

An attempt is an action with one thing wrong, made up from the database: the order of somebody
else, a reason that is not accepted, a gift card with too little on it. `refuse` makes them all
and says which were not refused as they should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.errors import SupportError
from tests.retail.desk import Desk, new_conversation
from tests.retail.replay import CHANGING, Action
from tests.retail.store import State

Document = Mapping[str, Any]
ONCE = {
    "cancel_pending_order",
    "modify_pending_order_items",
    "modify_pending_order_payment",
    "return_delivered_order_items",
    "exchange_delivered_order_items",
}


@dataclass(frozen=True)
class Attempt:
    """An action that breaks one rule, and the code of the error that it must raise."""

    rule: str
    action: Action
    code: str
    confirmed: bool = True
    unknown_caller: bool = False


def attempts(state: State, action: Action, user_id: str) -> Iterator[Attempt]:
    """Everything wrong that can be made of an allowed action, in the state before it."""
    if action.name not in CHANGING:
        return
    yield Attempt("an effect without a yes", action, "confirmation_required", confirmed=False)
    yield Attempt("no customer found yet", action, "unauthorized", unknown_caller=True)
    yield from _about_another_customer(state, action, user_id)
    order_id = action.arguments.get("order_id")
    if order_id is None:
        return
    order, user = state["orders"][order_id], state["users"][user_id]
    yield from _wrong_status(state, action, order, user)
    if action.name == "cancel_pending_order":
        yield _with(action, "another reason to cancel", "invalid_request", reason="too expensive")
        yield from _payment_changes(order, user)
    if "payment_method_id" in action.arguments:
        yield from _wrong_payment(state, action, order, user)
    if "item_ids" in action.arguments:
        yield from _wrong_items(action, order)
    if "new_item_ids" in action.arguments:
        yield from _wrong_new_items(state, action, order)
        yield from _poor_gift_card(state, action, order, user)


def repeated(action: Action) -> Iterator[Attempt]:
    """What can no longer be done once the action has been."""
    if action.name in ONCE:
        yield Attempt("the same action twice", action, "conflict")
    if action.name == "modify_pending_order_items":
        order = {"order_id": action.arguments["order_id"]}
        later = Action("cancel_pending_order", {**order, "reason": "no longer needed"})
        yield Attempt("cancel after items were modified", later, "conflict")


def _with(action: Action, rule: str, code: str, **changed: Any) -> Attempt:
    return Attempt(rule, Action(action.name, {**action.arguments, **changed}), code)


def _about_another_customer(state: State, action: Action, user_id: str) -> Iterator[Attempt]:
    other_id = next(key for key in sorted(state["users"]) if key != user_id)
    other = state["users"][other_id]
    profile = Action("get_user_details", {"user_id": other_id})
    yield Attempt("another customer's profile", profile, "forbidden")
    second = Action("find_user_id_by_email", {"email": other["email"]})
    yield Attempt("a second customer in one conversation", second, "forbidden")
    if "user_id" in action.arguments:
        yield _with(action, "another customer's address", "forbidden", user_id=other_id)
        return
    status = state["orders"][action.arguments["order_id"]]["status"]
    foreign = next(
        (
            order
            for _, order in sorted(state["orders"].items())
            if order["user_id"] != user_id and order["status"] == status
        ),
        None,
    )
    if foreign is not None:
        yield _with(
            action, "another customer's order", "not_found", **_order_arguments(action, foreign)
        )


def _order_arguments(action: Action, order: Document) -> dict[str, Any]:
    """The arguments that name another order, its items included where items are asked for."""
    found: dict[str, Any] = {"order_id": order["order_id"]}
    if "item_ids" in action.arguments:
        found["item_ids"] = [order["items"][0]["item_id"]]
    if "new_item_ids" in action.arguments:
        found["new_item_ids"] = [action.arguments["new_item_ids"][0]]
    return found


def _wrong_status(
    state: State, action: Action, order: Document, user: Document
) -> Iterator[Attempt]:
    seen = {order["status"]}
    for order_id in user["orders"]:
        other = state["orders"][order_id]
        if other["status"] not in seen:
            seen.add(other["status"])
            rule = f"{CHANGING[action.name]}: not a {order['status']} order"
            yield _with(action, rule, "conflict", **_order_arguments(action, other))


def _payment_changes(order: Document, user: Document) -> Iterator[Attempt]:
    """A change of payment method: to the same one, or to a gift card with too little on it."""
    first = order["payment_history"][0]
    for method in user["payment_methods"].values():
        arguments = {"order_id": order["order_id"], "payment_method_id": method["id"]}
        change = Action("modify_pending_order_payment", arguments)
        if method["id"] == first["payment_method_id"]:
            yield Attempt("change payment to the same method", change, "invalid_request")
        elif method["source"] == "gift_card" and method["balance"] < first["amount"]:
            yield Attempt("gift card below the total", change, "conflict")


def _wrong_payment(
    state: State, action: Action, order: Document, user: Document
) -> Iterator[Attempt]:
    foreign = next(
        method_id
        for _, other in sorted(state["users"].items())
        if other["user_id"] != user["user_id"]
        for method_id in other["payment_methods"]
    )
    yield _with(action, "another customer's payment method", "not_found", payment_method_id=foreign)
    if action.name != "return_delivered_order_items":
        return
    original = order["payment_history"][0]["payment_method_id"]
    for method in user["payment_methods"].values():
        if method["id"] != original and method["source"] != "gift_card":
            yield _with(
                action, "refund to a third method", "invalid_request",
                payment_method_id=method["id"],
            )  # fmt: skip


def _wrong_items(action: Action, order: Document) -> Iterator[Attempt]:
    wanted = list(action.arguments["item_ids"])
    missing = ["0000000000", *wanted[1:]]
    rule = "an item that was not ordered"
    yield _with(action, rule, "invalid_request", item_ids=missing)
    often = [item["item_id"] for item in order["items"]].count(wanted[0]) + 1
    more: dict[str, Any] = {"item_ids": [wanted[0]] * often}
    if "new_item_ids" in action.arguments:
        more["new_item_ids"] = [action.arguments["new_item_ids"][0]] * often
    yield _with(action, "an item more often than it was ordered", "invalid_request", **more)
    none: dict[str, Any] = {
        "item_ids": [],
        **({"new_item_ids": []} if "new_item_ids" in action.arguments else {}),
    }
    yield _with(action, "no item at all", "invalid_request", **none)


def _wrong_new_items(state: State, action: Action, order: Document) -> Iterator[Attempt]:
    item_ids, new_ids = action.arguments["item_ids"], list(action.arguments["new_item_ids"])
    item = next(item for item in order["items"] if item["item_id"] == item_ids[0])
    variants = state["products"][item["product_id"]]["variants"]

    def instead(rule: str, code: str, new_id: str) -> Attempt:
        return _with(action, rule, code, new_item_ids=[new_id, *new_ids[1:]])

    yield instead("the item that was ordered", "invalid_request", item["item_id"])
    yield _with(
        action, "fewer new items than items", "invalid_request",
        item_ids=[*item_ids, item_ids[0]],
    )  # fmt: skip
    gone = [key for key, variant in variants.items() if not variant["available"]]
    if [key for key in gone if key != item["item_id"]]:
        new_id = next(key for key in gone if key != item["item_id"])
        yield instead("an item that is not available", "conflict", new_id)
    other = next(
        key
        for product_id, product in sorted(state["products"].items())
        if product_id != item["product_id"]
        for key, variant in product["variants"].items()
        if variant["available"]
    )
    yield instead("an item of another product", "invalid_request", other)


def _poor_gift_card(
    state: State, action: Action, order: Document, user: Document
) -> Iterator[Attempt]:
    """The dearest variant, paid by a gift card that does not cover the difference."""
    item_id = action.arguments["item_ids"][0]
    item = next(item for item in order["items"] if item["item_id"] == item_id)
    variants = state["products"][item["product_id"]]["variants"].values()
    offered = [
        variant
        for variant in variants
        if variant["available"] and variant["item_id"] != item["item_id"]
    ]
    dearest = max(offered, key=lambda variant: float(variant["price"]))
    for method in user["payment_methods"].values():
        if method["source"] != "gift_card":
            continue
        if dearest["price"] - item["price"] > method["balance"] + 0.005:
            yield _with(
                action, "gift card below the difference", "conflict",
                item_ids=[item_id], new_item_ids=[dearest["item_id"]],
                payment_method_id=method["id"],
            )  # fmt: skip


async def refuse(desk: Desk, conversation_id: UUID, attempt: Attempt) -> str | None:
    """Make an attempt; returns what is wrong where it was not refused as it must be."""
    conversation = new_conversation() if attempt.unknown_caller else conversation_id
    try:
        await desk.act(
            conversation,
            attempt.action.name,
            attempt.action.arguments,
            confirmed=attempt.confirmed,
        )
    except SupportError as error:
        if error.code == attempt.code:
            return None
        return f"{attempt.rule}: {error.code} instead of {attempt.code}: {error.message}"
    return f"{attempt.rule}: {attempt.action.name} was not refused"
