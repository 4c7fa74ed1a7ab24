"""The shop's customers: people who bought or asked, with or without an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from core.database import Transaction
from services.accounts.emails import normalise_email
from services.accounts.tables import customers


@dataclass(frozen=True)
class NewCustomer:
    """A customer as it is entered; `reference` is the shop's own number, such as `CUST123`."""

    reference: str
    email: str
    first_name: str
    last_name: str
    phone: str | None
    city: str | None
    postcode: str | None
    language: str


@dataclass(frozen=True, kw_only=True)
class Customer(NewCustomer):
    """A customer of the organization; `user_id` is the account that acts for them."""

    id: UUID
    user_id: UUID | None


_COLUMNS = tuple(NewCustomer.__dataclass_fields__)


async def add_customers(
    transaction: Transaction, new: Sequence[NewCustomer], now: datetime
) -> None:
    """Add customers; a reference that exists violates a constraint."""
    await transaction.insert_many(
        customers,
        [
            {
                **asdict(customer),
                "email": normalise_email(customer.email),
                "user_id": None,
                "created_at": now,
            }
            for customer in new
        ],
    )


async def list_customers(transaction: Transaction) -> list[Customer]:
    """Every customer, by reference."""
    rows = await transaction.all(select(customers).order_by(customers.c.reference))
    return [_customer(row) for row in rows]


async def find_customer(transaction: Transaction, id: UUID) -> Customer | None:
    row = await transaction.first(select(customers).where(customers.c.id == id))
    return _customer(row) if row is not None else None


async def find_customer_by_reference(transaction: Transaction, reference: str) -> Customer | None:
    row = await transaction.first(
        select(customers).where(customers.c.reference == reference.strip())
    )
    return _customer(row) if row is not None else None


async def link_customer_to_user(transaction: Transaction, customer_id: UUID, user_id: UUID) -> None:
    """Let an account act for a customer."""
    await transaction.execute(
        update(customers).where(customers.c.id == customer_id).values(user_id=user_id)
    )


def _customer(row: Row[Any]) -> Customer:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Customer(id=row.id, user_id=row.user_id, **values)
