"""Who is meant by a request about a person, and which rows are about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from core.database import Transaction
from core.errors import Conflict, InvalidRequest, NotFound
from core.security import STAFF_ROLES, Principal
from services.accounts.emails import normalise_email
from services.accounts.tables import customers, memberships, users
from services.privacy.rules import TableRule, table_rules

VISITOR = "visitor:"


@dataclass(frozen=True)
class Person:
    """Everything that a person is known by within one organization."""

    customers: tuple[UUID, ...] = ()
    users: tuple[UUID, ...] = ()
    actors: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()

    def known_as(self, what: str) -> tuple[Any, ...]:
        """The values that a `found_by` column is compared with."""
        found: tuple[Any, ...] = {
            "customer": self.customers,
            "user": self.users,
            "actor": self.actors,
            "email": self.emails,
            "reference": self.references,
        }[what]
        return found

    def as_json(self) -> dict[str, list[str]]:
        return {name: [str(item) for item in getattr(self, name)] for name in _FIELDS}


_FIELDS = tuple(Person.__dataclass_fields__)


def person_from_json(values: Mapping[str, list[str]]) -> Person:
    """Read a person as a request stores it."""
    texts = {name: tuple(values[name]) for name in ("actors", "emails", "references", "phones")}
    return Person(
        customers=tuple(UUID(id) for id in values["customers"]),
        users=tuple(UUID(id) for id in values["users"]),
        **texts,
    )


async def find_person(
    transaction: Transaction,
    *,
    customer_id: UUID | None = None,
    email: str | None = None,
    visitor: str | None = None,
) -> Person:
    """Find a person by one of: customer id, e-mail address, visitor id (`visitor:…`).

    Raises NotFound where nothing is known of them, Conflict for a member of staff.
    """
    if visitor is not None:
        actor = visitor if visitor.startswith(VISITOR) else VISITOR + visitor
        person = Person(actors=(actor,))
    elif customer_id is not None:
        person = await _gather(transaction, customers.c.id == customer_id, None)
    elif email is not None:
        address = normalise_email(email)
        person = await _gather(transaction, func.lower(customers.c.email) == address, address)
    else:
        raise InvalidRequest("Name the person by customer_id, email or visitor.")
    if not any((await find_rows(transaction, person)).values()):
        raise NotFound("Nothing is known of this person.")
    await _refuse_staff(transaction, person)
    return person


async def person_of(transaction: Transaction, principal: Principal) -> Person:
    """The person behind a caller; raises Conflict for a member of staff."""
    if principal.is_visitor:
        return Person(actors=(principal.actor,))
    condition = customers.c.user_id == principal.user_id
    if principal.customer_id is not None:
        condition = or_(condition, customers.c.id == principal.customer_id)
    person = await _gather(transaction, condition, principal.email)
    await _refuse_staff(transaction, person)
    return person


async def _gather(
    transaction: Transaction, condition: ColumnElement[bool], email: str | None
) -> Person:
    rows = await transaction.all(select(customers).where(condition))
    emails = {normalise_email(row.email) for row in rows} | ({email} if email else set())
    accounts = {row.user_id for row in rows if row.user_id is not None}
    known = await transaction.all(
        select(users.c.id).join(memberships).where(func.lower(users.c.email).in_(emails))
    )
    accounts |= {row.id for row in known}
    return Person(
        customers=tuple(row.id for row in rows),
        users=tuple(sorted(accounts)),
        actors=tuple(f"user:{id}" for id in sorted(accounts)),
        emails=tuple(sorted(emails)),
        references=tuple(row.reference for row in rows),
        phones=tuple(row.phone for row in rows if row.phone),
    )


async def _refuse_staff(transaction: Transaction, person: Person) -> None:
    roles = select(memberships.c.role).where(memberships.c.user_id.in_(person.users))
    if any(row.role in STAFF_ROLES for row in await transaction.all(roles)):
        raise Conflict("This account belongs to a member of staff; take its role away first.")


async def find_rows(transaction: Transaction, person: Person) -> dict[str, list[UUID]]:
    """The ids of the rows that are about a person, by table, parents first."""
    found: dict[str, list[UUID]] = {}
    for rule in table_rules():
        condition = _about(rule, person, found)
        if condition is None:
            found[rule.name] = []
            continue
        rows = await transaction.all(select(rule.table.c.id).where(condition))
        found[rule.name] = [row.id for row in rows]
    return found


def _about(
    rule: TableRule, person: Person, found: Mapping[str, list[UUID]]
) -> ColumnElement[bool] | None:
    conditions: list[ColumnElement[bool]] = []
    for name, what in rule.found_by.items():
        column = rule.table.c[name]
        values = found[what] if what in found else person.known_as(what)
        if values:
            compared = func.lower(column) if what == "email" else column
            conditions.append(compared.in_(values))
    return or_(*conditions) if conditions else None
