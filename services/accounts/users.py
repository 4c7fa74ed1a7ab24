"""Who can sign in, and with which role in which organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, FromClause, Row, Select, select

from core.database import Database, Transaction
from core.errors import Conflict, InvalidRequest, NotAuthenticated
from core.security import (
    ROLE_PERMISSIONS,
    STAFF_ROLES,
    Principal,
    hash_password,
    principal_for_role,
    verify_password,
)
from services.accounts.emails import normalise_email
from services.accounts.tables import customers, memberships, organizations, users

MINIMUM_PASSWORD_LENGTH = 8
MAXIMUM_PASSWORD_LENGTH = 1_000


@dataclass(frozen=True)
class User:
    """A person with an account, whatever the organization."""

    id: UUID
    email: str
    name: str
    is_active: bool
    is_superadmin: bool
    is_demo: bool


@dataclass(frozen=True)
class Account:
    """A user inside one organization.

    `customer_id` and `customer_reference` name the shop's customer behind the account, if any.
    """

    user: User
    organization_id: UUID
    role: str
    customer_id: UUID | None
    customer_reference: str | None

    def principal(self) -> Principal:
        return principal_for_role(
            self.organization_id,
            f"user:{self.user.id}",
            self.role,
            user_id=self.user.id,
            customer_id=self.customer_id,
            email=self.user.email,
        )


@dataclass(frozen=True)
class NewUser:
    """A user as it is entered, the password already hashed with `prepare_password`.

    Without one nobody can sign in until a password is chosen by e-mail.
    """

    email: str
    password_hash: str | None
    name: str
    is_demo: bool = False
    is_superadmin: bool = False


async def prepare_password(password: str) -> str:
    """Hash a new password, before any transaction is open; raises InvalidRequest for a bad one."""
    if not MINIMUM_PASSWORD_LENGTH <= len(password) <= MAXIMUM_PASSWORD_LENGTH:
        raise InvalidRequest(
            f"A password has {MINIMUM_PASSWORD_LENGTH} to {MAXIMUM_PASSWORD_LENGTH} characters.",
            {"field": "password"},
        )
    if not _is_encodable(password):
        raise InvalidRequest("The password is not valid Unicode.", {"field": "password"})
    return await hash_password(password)


async def create_user(transaction: Transaction, new: NewUser, now: datetime) -> User:
    """Create a user; raises Conflict where the address is taken, in whatever spelling."""
    email = normalise_email(new.email)
    if await find_user(transaction, email) is not None:
        raise Conflict("An account with this e-mail address exists.", {"field": "email"})
    id = await transaction.insert(
        users,
        {
            "email": email,
            "password_hash": new.password_hash,
            "name": new.name,
            "is_active": True,
            "is_superadmin": new.is_superadmin,
            "is_demo": new.is_demo,
            "created_at": now,
        },
    )
    return User(id, email, new.name, True, new.is_superadmin, new.is_demo)


async def find_user(transaction: Transaction, email: str) -> User | None:
    row = await transaction.first(select(users).where(users.c.email == normalise_email(email)))
    return _user(row) if row is not None else None


async def find_user_or_none(transaction: Transaction, email: str) -> User | None:
    """As `find_user`; what is no address belongs to nobody, and costs the same."""
    try:
        return await find_user(transaction, email)
    except InvalidRequest:
        return await find_user(transaction, "nobody@nowhere.invalid")


async def add_membership(transaction: Transaction, user_id: UUID, role: str) -> None:
    """Give a user a role in the transaction's organization; a second role is a Conflict."""
    if role not in ROLE_PERMISSIONS or role == "visitor":
        raise InvalidRequest(f"There is no role {role!r}.", {"field": "role"})
    existing = await transaction.first(
        select(memberships.c.role).where(memberships.c.user_id == user_id)
    )
    if existing is not None:
        raise Conflict("This user is a member already.")
    await transaction.insert(memberships, {"user_id": user_id, "role": role})


async def is_staff_member(transaction: Transaction, user_id: UUID) -> bool:
    """Whether an active user works for the transaction's organization."""
    row = await transaction.first(
        select(memberships.c.role)
        .select_from(memberships.join(users, users.c.id == memberships.c.user_id))
        .where(memberships.c.user_id == user_id, users.c.is_active, memberships.c.is_active)
    )
    return row is not None and row.role in STAFF_ROLES


async def authenticate(
    database: Database, email: str, password: str, organization_id: UUID | None = None
) -> Account:
    """The account of an address and a password, in the organization or else the user's first.

    An unknown address costs the same time as a wrong password and gets the same
    NotAuthenticated. No transaction is open while the password is checked.
    """
    row = await _row_for_sign_in(database, email)
    usable = len(password) <= MAXIMUM_PASSWORD_LENGTH and _is_encodable(password)
    password_hash = row.password_hash if row is not None and usable else None
    verified = await verify_password(password if usable else "", password_hash)
    account = None
    if verified and row is not None and row.is_active:
        organization = organization_id or await first_organization(database, row.id)
        if organization is not None:
            async with database.reading(organization) as transaction:
                account = await find_account(transaction, row.id)
    if account is None:
        raise NotAuthenticated("The e-mail address or the password is wrong.")
    return account


async def find_account(transaction: Transaction, user_id: UUID) -> Account | None:
    """An active user inside the transaction's organization; None where there is none.

    A superadmin needs no membership.
    """
    if transaction.organization_id is None:
        raise TypeError("an account belongs to an organization; open its transaction")
    # The outer joins name the organization; a condition behind them would make them inner ones.
    unscoped = Transaction(transaction.connection, None, every_organization=True)
    row = await unscoped.first(account_query(user_id, transaction.organization_id))
    return account_of_row(row, transaction.organization_id) if row is not None else None


def account_query(
    user_id: UUID | Column[Any], organization_id: UUID | Column[Any], source: FromClause = users
) -> Select[Any]:
    """One statement that finds an account; read its row with `account_of_row`.

    `source` is the table of users, perhaps joined with what else is asked for. The statement
    names the organization itself: run it with `every_organization`.
    """
    joined = (
        source.join(
            organizations,
            (organizations.c.id == organization_id) & organizations.c.is_active,
        )
        .outerjoin(
            memberships,
            (memberships.c.user_id == users.c.id)
            & (memberships.c.organization_id == organization_id),
        )
        .outerjoin(
            customers,
            (customers.c.user_id == users.c.id) & (customers.c.organization_id == organization_id),
        )
    )
    return (
        select(
            users,
            memberships.c.role,
            memberships.c.is_active.label("is_member"),
            customers.c.id.label("customer_id"),
            customers.c.reference.label("customer_reference"),
        )
        .select_from(joined)
        .where(users.c.id == user_id, users.c.is_active)
        .limit(1)
    )


def account_of_row(row: Row[Any], organization_id: UUID) -> Account | None:
    """The account of a row of `account_query`; None for who is no active member."""
    role = "superadmin" if row.is_superadmin else row.role if row.is_member else None
    if role is None:
        return None
    return Account(_user(row), organization_id, role, row.customer_id, row.customer_reference)


async def demo_users_exist(database: Database) -> bool:
    """Whether an account with a published password exists."""
    async with database.reading(None) as transaction:
        return await transaction.first(select(users.c.id).where(users.c.is_demo)) is not None


async def _row_for_sign_in(database: Database, email: str) -> Row[Any] | None:
    try:
        address = normalise_email(email)
    except InvalidRequest:
        return None
    async with database.reading(None) as transaction:
        return await transaction.first(select(users).where(users.c.email == address))


async def first_organization(database: Database, user_id: UUID) -> UUID | None:
    async with database.reading(None, every_organization=True) as transaction:
        row = await transaction.first(
            select(memberships.c.organization_id)
            .where(memberships.c.user_id == user_id, memberships.c.is_active)
            .order_by(memberships.c.id)
            .limit(1)
        )
        if row is None:
            row = await transaction.first(
                select(organizations.c.id.label("organization_id"))
                .where(organizations.c.is_active)
                .order_by(organizations.c.id)
                .limit(1)
            )
    return row.organization_id if row is not None else None


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _user(row: Row[Any]) -> User:
    return User(row.id, row.email, row.name, row.is_active, row.is_superadmin, row.is_demo)
