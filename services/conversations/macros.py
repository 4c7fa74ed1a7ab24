"""What agents keep for themselves and each other: macros of a shop, saved filters of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from core.database import Transaction
from core.errors import Conflict, NotFound
from services.conversations.tables import macros, saved_filters

MAXIMUM_MACROS = 500
MAXIMUM_FILTERS = 50
MAXIMUM_MACRO_LENGTH = 5_000
# What a macro may hold between braces; the console fills it.
PLACEHOLDERS = ("customer", "agent", "ticket", "order", "shop")


@dataclass(frozen=True)
class NewMacro:
    """A text to answer with; `language` None: for customers of every language."""

    name: str
    body: str
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Macro(NewMacro):
    id: UUID
    updated_at: datetime


@dataclass(frozen=True)
class SavedFilter:
    """A search that an agent comes back to."""

    id: UUID
    name: str
    query: Mapping[str, Any]


async def list_macros(transaction: Transaction) -> list[Macro]:
    """The shop's macros by name."""
    rows = await transaction.all(select(macros).order_by(macros.c.name))
    return [_macro(row) for row in rows]


async def add_macro(
    transaction: Transaction, new: NewMacro, user_id: UUID | None, now: datetime
) -> Macro:
    """Keep a macro; raises Conflict where the name is taken or there are too many."""
    count = await transaction.scalar(select(func.count()).select_from(macros))
    if int(count) >= MAXIMUM_MACROS:
        raise Conflict(f"A shop keeps at most {MAXIMUM_MACROS} macros; remove one.")
    values = _values(new, user_id, now)
    try:
        async with transaction.connection.begin_nested():
            id = await transaction.insert(macros, values)
    except IntegrityError as error:
        raise _name_taken() from error
    return Macro(name=new.name, body=new.body, language=new.language, id=id, updated_at=now)


async def change_macro(
    transaction: Transaction, id: UUID, new: NewMacro, user_id: UUID | None, now: datetime
) -> Macro:
    """Replace a macro; raises NotFound, and Conflict where the name is another's."""
    try:
        async with transaction.connection.begin_nested():
            changed = await transaction.execute(
                update(macros).where(macros.c.id == id).values(**_values(new, user_id, now))
            )
    except IntegrityError as error:
        raise _name_taken() from error
    if changed.rowcount != 1:
        raise NotFound("There is no such macro.")
    return Macro(name=new.name, body=new.body, language=new.language, id=id, updated_at=now)


async def delete_macro(transaction: Transaction, id: UUID) -> None:
    gone = await transaction.execute(delete(macros).where(macros.c.id == id))
    if gone.rowcount != 1:
        raise NotFound("There is no such macro.")


async def list_filters(transaction: Transaction, user_id: UUID) -> list[SavedFilter]:
    """A person's filters by name."""
    rows = await transaction.all(
        select(saved_filters)
        .where(saved_filters.c.user_id == user_id)
        .order_by(saved_filters.c.name)
    )
    return [SavedFilter(row.id, row.name, row.query) for row in rows]


async def save_filter(
    transaction: Transaction, user_id: UUID, name: str, query: Mapping[str, Any], now: datetime
) -> SavedFilter:
    """Keep a filter under a name; an earlier one of that name is replaced."""
    mine = (saved_filters.c.user_id == user_id, saved_filters.c.name == name)
    await transaction.execute(delete(saved_filters).where(*mine))
    count = await transaction.scalar(
        select(func.count()).select_from(saved_filters).where(saved_filters.c.user_id == user_id)
    )
    if int(count) >= MAXIMUM_FILTERS:
        raise Conflict(f"At most {MAXIMUM_FILTERS} filters are kept; remove one.")
    values = {"user_id": user_id, "name": name, "query": dict(query), "created_at": now}
    id = await transaction.insert(saved_filters, values)
    return SavedFilter(id, name, query)


async def delete_filter(transaction: Transaction, user_id: UUID, id: UUID) -> None:
    gone = await transaction.execute(
        delete(saved_filters).where(saved_filters.c.id == id, saved_filters.c.user_id == user_id)
    )
    if gone.rowcount != 1:
        raise NotFound("There is no such filter.")


def _values(new: NewMacro, user_id: UUID | None, now: datetime) -> dict[str, Any]:
    return {
        "name": new.name,
        "body": new.body,
        "language": new.language,
        "updated_by": user_id,
        "updated_at": now,
    }


def _name_taken() -> Conflict:
    return Conflict("A macro of this name exists.", {"field": "name"})


def _macro(row: Row[Any]) -> Macro:
    return Macro(
        name=row.name,
        body=row.body,
        language=row.language,
        id=row.id,
        updated_at=row.updated_at,
    )
