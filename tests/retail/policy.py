"""What the retail policy allows on an order: each rule raises where it is broken.

Amounts are added up as decimals, so that no cent is lost; documents hold them as floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.errors import Conflict, InvalidRequest, NotFound
from tests.retail.records import Item, Order, Payment, PaymentMethod, Product, User, Variant


def money(amount: float) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def require_status(order: Order, status: str) -> None:
    """Only pending orders are cancelled or modified, only delivered ones returned or exchanged."""
    if order.status != status:
        raise Conflict(
            f"The order {order.order_id} is {order.status}, not {status}.",
            {"status": order.status, "needed": status},
        )


def positions(order: Order, item_ids: Sequence[str]) -> list[int]:
    """Where the items stand in the order; one that was bought twice may be named twice."""
    found: list[int] = []
    for item_id in item_ids:
        free = [
            place
            for place, item in enumerate(order.items)
            if item.item_id == item_id and place not in found
        ]
        if not free:
            raise InvalidRequest(f"The order has no (further) item {item_id}.", {"item": item_id})
        found.append(free[0])
    return found


def replacement(product: Product, item: Item, new_item_id: str) -> Variant:
    """The variant that an item is changed to: another option of one product, and available."""
    variant = product.variants.get(new_item_id)
    if variant is None:
        raise InvalidRequest(f"{new_item_id} is no {product.name}.", {"item": new_item_id})
    if new_item_id == item.item_id:
        raise InvalidRequest("The new item is the one that was ordered.", {"item": new_item_id})
    if not variant.available:
        raise Conflict(f"The item {new_item_id} is not available.", {"item": new_item_id})
    return variant


def own_method(user: User, payment_method_id: str) -> PaymentMethod:
    """One of the customer's payment methods."""
    method = user.payment_methods.get(payment_method_id)
    if method is None:
        raise NotFound(f"The customer has no payment method {payment_method_id}.")
    return method


def require_balance(method: PaymentMethod, amount: Decimal) -> None:
    """A gift card must cover what is to be paid; other methods are not limited."""
    if method.source == "gift_card" and amount > money(method.balance or 0):
        raise Conflict(
            f"The gift card {method.id} does not cover {amount}.",
            {"balance": method.balance, "needed": str(amount)},
        )


def settle(method: PaymentMethod, amount: Decimal) -> None:
    """Take an amount from a gift card (or put back a negative one); banks settle the others."""
    if method.source == "gift_card":
        require_balance(method, amount)
        method.balance = float(money(method.balance or 0) - amount)


def paid(order: Order) -> dict[str, Decimal]:
    """What each payment method has paid for an order, less what it got back."""
    sums: dict[str, Decimal] = {}
    for row in order.payment_history:
        amount = money(row.amount) * (1 if row.transaction_type == "payment" else -1)
        sums[row.payment_method_id] = sums.get(row.payment_method_id, Decimal(0)) + amount
    return {method: amount for method, amount in sums.items() if amount > 0}


def require_refundable(order: Order, method: PaymentMethod) -> None:
    """A refund goes to the method that has paid, or to an existing gift card."""
    if method.source != "gift_card" and method.id not in paid(order):
        raise InvalidRequest("A refund goes to the original payment method or to a gift card.")


def original_payment(order: Order) -> Payment:
    """The one payment of an order whose payment method has not been changed yet."""
    if len(order.payment_history) != 1 or order.payment_history[0].transaction_type != "payment":
        raise Conflict("The payment of this order has been changed already.")
    return order.payment_history[0]


def payment(method_id: str, amount: Decimal) -> Payment:
    """A row of the payment history; a negative amount is a refund."""
    kind = "payment" if amount > 0 else "refund"
    return Payment.model_validate(
        {"transaction_type": kind, "amount": float(abs(amount)), "payment_method_id": method_id}
    )
