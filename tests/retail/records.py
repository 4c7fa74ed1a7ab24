"""The shapes of a retail desk: its customers, products and orders, as its database keeps them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

ITEMS_MODIFIED: Literal["pending (items modified)"] = "pending (items modified)"


class Record(BaseModel):
    """A document, or a part of one; a field that nobody declared is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Address(Record):
    address1: str
    address2: str
    city: str
    state: str
    country: str
    zip: str


class Name(Record):
    first_name: str
    last_name: str


class PaymentMethod(Record):
    """A gift card has a `balance` in dollars, a credit card its brand and last four digits."""

    source: Literal["gift_card", "paypal", "credit_card"]
    id: str
    brand: str | None = None
    last_four: str | None = None
    balance: float | None = None


class User(Record):
    user_id: str
    name: Name
    address: Address
    email: str
    payment_methods: dict[str, PaymentMethod]
    orders: list[str]


class Variant(Record):
    item_id: str
    options: dict[str, str]
    available: bool
    price: float


class Product(Record):
    name: str
    product_id: str
    variants: dict[str, Variant]


class Item(Record):
    name: str
    product_id: str
    item_id: str
    price: float
    options: dict[str, str]


class Fulfillment(Record):
    tracking_id: list[str]
    item_ids: list[str]


class Payment(Record):
    """Money that came in (`payment`) or went back (`refund`), in dollars."""

    transaction_type: Literal["payment", "refund"]
    amount: float
    payment_method_id: str


class Order(Record):
    """An order; the fields after `payment_history` are there once an action has set them."""

    order_id: str
    user_id: str
    address: Address
    items: list[Item]
    status: Literal[
        "pending",
        "pending (items modified)",
        "processed",
        "delivered",
        "cancelled",
        "return requested",
        "exchange requested",
    ]
    fulfillments: list[Fulfillment]
    payment_history: list[Payment]
    cancel_reason: str | None = None
    return_items: list[str] | None = None
    return_payment_method_id: str | None = None
    exchange_items: list[str] | None = None
    exchange_new_items: list[str] | None = None
    exchange_payment_method_id: str | None = None
    exchange_price_difference: float | None = None
