"""What the retail desk can change: orders and the address of a profile, each after a yes.

Every tool runs inside the transaction that `run_tool` opens: one that raises half-way leaves
nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from core.errors import InvalidRequest, NotFound, PermissionDenied
from core.tools import Tool, ToolContext
from tests.retail import arguments as asked
from tests.retail import policy
from tests.retail.reading_tools import PERMISSION
from tests.retail.records import ITEMS_MODIFIED, Order, Product, User, Variant
from tests.retail.store import find, keep, proven_user


async def _own(context: ToolContext, order_id: str, status: str) -> tuple[User, Order]:
    """The conversation's customer and their order, which must stand in a status."""
    user_id = await proven_user(context.effect, context)
    user = await find(context.effect, User, user_id)
    order = await find(context.effect, Order, order_id)
    if user is None or order is None or order.user_id != user_id:
        raise NotFound("The customer has no such order.")
    policy.require_status(order, status)
    return user, order


async def _keep(context: ToolContext, order: Order, user: User | None = None) -> asked.OrderResult:
    await keep(context.effect, order.order_id, order)
    if user is not None:
        await keep(context.effect, user.user_id, user)
    return asked.OrderResult(order=order)


async def cancel_pending_order(
    context: ToolContext, wanted: asked.Cancellation
) -> asked.OrderResult:
    """Cancel a pending order and refund whoever paid; gift cards have the money at once."""
    user, order = await _own(context, wanted.order_id, "pending")
    for method_id, amount in policy.paid(order).items():
        order.payment_history.append(policy.payment(method_id, -amount))
        policy.settle(policy.own_method(user, method_id), -amount)
    order.status = "cancelled"
    order.cancel_reason = wanted.reason
    return await _keep(context, order, user)


async def modify_pending_order_address(
    context: ToolContext, wanted: asked.OrderAddress
) -> asked.OrderResult:
    """Change where a pending order is shipped to."""
    _, order = await _own(context, wanted.order_id, "pending")
    order.address = wanted.address()
    return await _keep(context, order)


async def modify_pending_order_payment(
    context: ToolContext, wanted: asked.OrderPayment
) -> asked.OrderResult:
    """Let another payment method pay a pending order, once, and refund the first."""
    user, order = await _own(context, wanted.order_id, "pending")
    first = policy.original_payment(order)
    amount = policy.money(first.amount)
    method = policy.own_method(user, wanted.payment_method_id)
    if method.id == first.payment_method_id:
        raise InvalidRequest("This payment method pays the order already.")
    policy.settle(method, amount)
    policy.settle(policy.own_method(user, first.payment_method_id), -amount)
    order.payment_history.append(policy.payment(method.id, amount))
    order.payment_history.append(policy.payment(first.payment_method_id, -amount))
    return await _keep(context, order, user)


async def modify_pending_order_items(
    context: ToolContext, wanted: asked.Replacement
) -> asked.OrderResult:
    """Change items of a pending order to other options of the same products, once for all."""
    user, order = await _own(context, wanted.order_id, "pending")
    variants, difference = await _replacements(context, order, wanted)
    method = policy.own_method(user, wanted.payment_method_id)
    policy.settle(method, difference)
    for place, variant in variants.items():
        item = order.items[place]
        item.item_id, item.price, item.options = variant.item_id, variant.price, variant.options
    if difference:
        order.payment_history.append(policy.payment(method.id, difference))
    order.status = ITEMS_MODIFIED
    return await _keep(context, order, user)


async def exchange_delivered_order_items(
    context: ToolContext, wanted: asked.Replacement
) -> asked.OrderResult:
    """Ask for an exchange of delivered items; money moves when they have come back."""
    user, order = await _own(context, wanted.order_id, "delivered")
    _, difference = await _replacements(context, order, wanted)
    method = policy.own_method(user, wanted.payment_method_id)
    policy.require_balance(method, difference)
    order.status = "exchange requested"
    order.exchange_items = sorted(wanted.item_ids)
    order.exchange_new_items = sorted(wanted.new_item_ids)
    order.exchange_payment_method_id = method.id
    order.exchange_price_difference = float(difference)
    return await _keep(context, order)


async def _replacements(
    context: ToolContext, order: Order, wanted: asked.Replacement
) -> tuple[dict[int, Variant], Decimal]:
    """The new variant of each place in the order, and what they cost more in dollars."""
    if len(wanted.item_ids) != len(wanted.new_item_ids):
        raise InvalidRequest("Name one new item for each item.")
    variants: dict[int, Variant] = {}
    difference = Decimal(0)
    places = policy.positions(order, wanted.item_ids)
    for place, new_item_id in zip(places, wanted.new_item_ids, strict=True):
        item = order.items[place]
        product = await find(context.effect, Product, item.product_id)
        if product is None:
            raise NotFound("This product is sold no more.")
        variants[place] = policy.replacement(product, item, new_item_id)
        difference += policy.money(variants[place].price) - policy.money(item.price)
    return variants, difference


async def return_delivered_order_items(
    context: ToolContext, wanted: asked.Return
) -> asked.OrderResult:
    """Ask for a return of delivered items; the refund follows when they have come back."""
    user, order = await _own(context, wanted.order_id, "delivered")
    policy.positions(order, wanted.item_ids)
    policy.require_refundable(order, policy.own_method(user, wanted.payment_method_id))
    order.status = "return requested"
    order.return_items = sorted(wanted.item_ids)
    order.return_payment_method_id = wanted.payment_method_id
    return await _keep(context, order)


async def modify_user_address(context: ToolContext, wanted: asked.UserAddress) -> asked.UserResult:
    """Change the default address of the conversation's customer."""
    user_id = await proven_user(context.effect, context)
    user = await find(context.effect, User, user_id)
    if user is None or wanted.user_id != user_id:
        raise PermissionDenied("This profile is not that of the conversation's customer.")
    user.address = wanted.address()
    await keep(context.effect, user_id, user)
    return asked.UserResult(user=user)


def _changing(
    run: Callable[[ToolContext, Any], Awaitable[BaseModel]],
    arguments: type[BaseModel],
    result: type[BaseModel] = asked.OrderResult,
) -> Tool:
    return Tool(run.__name__, arguments, result, run, PERMISSION, effect=True, confirmed=True)


CHANGING_TOOLS = [
    _changing(cancel_pending_order, asked.Cancellation),
    _changing(modify_pending_order_address, asked.OrderAddress),
    _changing(modify_pending_order_payment, asked.OrderPayment),
    _changing(modify_pending_order_items, asked.Replacement),
    _changing(exchange_delivered_order_items, asked.Replacement),
    _changing(return_delivered_order_items, asked.Return),
    _changing(modify_user_address, asked.UserAddress, asked.UserResult),
]
