"""Where the shop can be visited, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import func, select

from core.database import Transaction
from services.catalogue.tables import stores


@dataclass(frozen=True)
class NewStore:
    """A store as it is entered; `opening_hours` by English weekday, `10:00-19:00` or `closed`."""

    code: str
    name: str
    city: str
    address: str
    postcode: str
    phone: str
    opening_hours: Mapping[str, str]
    services: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Store(NewStore):
    """A store of the organization."""

    id: UUID


async def add_stores(transaction: Transaction, new: Sequence[NewStore]) -> None:
    """Add stores; a code that exists violates a constraint."""
    await transaction.insert_many(
        stores, [{**asdict(store), "services": list(store.services)} for store in new]
    )


async def list_stores(transaction: Transaction) -> list[Store]:
    """Every store, by city."""
    rows = await transaction.all(select(stores).order_by(stores.c.city, stores.c.code))
    return [_store(row) for row in rows]


async def find_store(transaction: Transaction, code: str) -> Store | None:
    row = await transaction.first(
        select(stores).where(func.lower(stores.c.code) == code.strip().lower())
    )
    return _store(row) if row is not None else None


def _store(row: object) -> Store:
    names = ("id", "code", "name", "city", "address", "postcode", "phone", "opening_hours")
    values = {name: getattr(row, name) for name in names}
    return Store(services=tuple(getattr(row, "services", ())), **values)
