"""What a customer ordered, and where its parcels are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from core.database import Transaction, new_id
from core.errors import InvalidRequest
from services.accounts.emails import normalise_email
from services.orders.tables import order_lines, orders, parcels

MAXIMUM_NUMBER_LENGTH = 40


@dataclass(frozen=True)
class OrderLine:
    """One article of an order; the price is that of one piece, in cents."""

    sku: str
    name: str
    quantity: int
    unit_price_cents: int


@dataclass(frozen=True)
class Parcel:
    """One shipment.

    `status` is preparing, at_depot, in_transit, out_for_delivery, delayed or delivered;
    `expected_on` is the day of delivery, promised or past.
    """

    tracking_number: str
    carrier: str
    status: str
    expected_on: date | None
    line_skus: tuple[str, ...]


@dataclass(frozen=True)
class NewOrder:
    """An order as it is entered.

    `status` is confirmed, in_preparation, partially_shipped, shipped, delayed, delivered,
    returned or cancelled.
    """

    number: str
    customer_id: UUID | None
    email: str
    status: str
    payment: str
    delivery_city: str
    note: str | None
    ordered_at: datetime
    lines: tuple[OrderLine, ...]
    parcels: tuple[Parcel, ...]

    @property
    def total_cents(self) -> int:
        return sum(line.quantity * line.unit_price_cents for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Order(NewOrder):
    """An order of the organization."""

    id: UUID


def order_number_key(number: str) -> str:
    """An order number without case, spaces and dashes: `cmd 2026-000101` → `CMD2026000101`."""
    return re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", number).upper())


async def find_order(transaction: Transaction, number: str, email: str) -> Order | None:
    """The order of a number, only if it was placed with this address; nothing says which failed."""
    try:
        address = normalise_email(email)
    except InvalidRequest:
        return None
    order = await find_order_by_number(transaction, number)
    return order if order is not None and order.email == address else None


async def find_order_by_number(transaction: Transaction, number: str) -> Order | None:
    """The order of a number; the caller has checked that the person may see it."""
    key = order_number_key(number)
    if not key or len(key) > MAXIMUM_NUMBER_LENGTH:
        return None
    row = await transaction.first(select(orders).where(orders.c.number_key == key))
    return (await _complete(transaction, [row]))[0] if row is not None else None


async def list_customer_orders(
    transaction: Transaction, customer_id: UUID, limit: int = 50
) -> list[Order]:
    """A customer's orders, newest first."""
    rows = await transaction.all(
        select(orders)
        .where(orders.c.customer_id == customer_id)
        .order_by(orders.c.ordered_at.desc(), orders.c.id.desc())
        .limit(limit)
    )
    return await _complete(transaction, rows)


async def known_order_numbers(transaction: Transaction) -> set[str]:
    """The numbers of all orders, as they are printed."""
    return {row.number for row in await transaction.all(select(orders.c.number))}


async def add_orders(transaction: Transaction, new: Sequence[NewOrder]) -> None:
    """Add orders with their lines and parcels; a number that exists violates a constraint."""
    ids = [new_id() for _ in new]
    pairs = list(zip(ids, new, strict=True))
    await transaction.insert_many(orders, [_order_row(id, order) for id, order in pairs])
    await transaction.insert_many(
        order_lines,
        [
            {**asdict(line), "order_id": id, "position": position}
            for id, order in pairs
            for position, line in enumerate(order.lines)
        ],
    )
    await transaction.insert_many(
        parcels,
        [
            {**asdict(parcel), "order_id": id, "line_skus": list(parcel.line_skus)}
            for id, order in pairs
            for parcel in order.parcels
        ],
    )


def _order_row(id: UUID, order: NewOrder) -> dict[str, Any]:
    return {
        "id": id,
        "number": order.number,
        "number_key": order_number_key(order.number),
        "customer_id": order.customer_id,
        "email": normalise_email(order.email),
        "status": order.status,
        "payment": order.payment,
        "delivery_city": order.delivery_city,
        "note": order.note,
        "ordered_at": order.ordered_at,
    }


async def _complete(transaction: Transaction, rows: Sequence[Row[Any]]) -> list[Order]:
    """Orders with their lines and parcels, in the rows' order: two queries for any number."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    lines = await transaction.all(
        select(order_lines).where(order_lines.c.order_id.in_(ids)).order_by(order_lines.c.position)
    )
    boxes = await transaction.all(
        select(parcels).where(parcels.c.order_id.in_(ids)).order_by(parcels.c.id)
    )
    return [
        _order(
            row,
            [line for line in lines if line.order_id == row.id],
            [box for box in boxes if box.order_id == row.id],
        )
        for row in rows
    ]


def _order(row: Row[Any], lines: Sequence[Row[Any]], boxes: Sequence[Row[Any]]) -> Order:
    return Order(
        id=row.id,
        number=row.number,
        customer_id=row.customer_id,
        email=row.email,
        status=row.status,
        payment=row.payment,
        delivery_city=row.delivery_city,
        note=row.note,
        ordered_at=row.ordered_at,
        lines=tuple(
            OrderLine(line.sku, line.name, line.quantity, line.unit_price_cents) for line in lines
        ),
        parcels=tuple(
            Parcel(
                box.tracking_number,
                box.carrier,
                box.status,
                box.expected_on,
                tuple(box.line_skus),
            )
            for box in boxes
        ),
    )
