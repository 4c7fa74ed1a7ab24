"""Who works in an organization or buys from it with an account, and who may change that.

Nobody grants, takes or touches a role that holds more permissions than they have themselves,
nobody changes their own, and an organization never loses its last owner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from core.database import Transaction
from core.errors import Conflict, NotFound, PermissionDenied
from core.providers.email import require_email
from core.runtime import Runtime
from core.security import ROLE_PERMISSIONS, Principal
from services.accounts.audit import record_change
from services.accounts.mails import Language
from services.accounts.passwords import request_password_mail
from services.accounts.recent import recent_look_ups
from services.accounts.sessions import end_sessions
from services.accounts.tables import memberships, users
from services.accounts.users import NewUser, add_membership, create_user, find_user

Role = Literal["customer", "viewer", "agent", "manager", "admin", "owner"]
ROLES: tuple[Role, ...] = get_args(Role)
Sort = Literal["email", "-email", "name", "-name", "created_at", "-created_at"]
_ORDER = {"email": users.c.email, "name": users.c.name, "created_at": users.c.created_at}


@dataclass(frozen=True)
class Member:
    """A user as one organization sees them; `has_password` is False until an invitation is used."""

    user_id: UUID
    email: str
    name: str
    role: str
    is_active: bool
    is_superadmin: bool
    has_password: bool
    created_at: datetime


@dataclass(frozen=True)
class MemberFilters:
    role: Role | None = None
    is_active: bool | None = None
    search: str | None = None


@dataclass(frozen=True)
class Invitation:
    email: str
    name: str
    role: Role
    language: Language = "fr"


async def list_members(
    transaction: Transaction, filters: MemberFilters, sort: Sort, limit: int, offset: int
) -> tuple[list[Member], int]:
    """A page of the organization's users, and how many there are."""
    order = _ORDER[sort.lstrip("-")]
    matching = _matching(_members(), filters)
    total = await transaction.scalar(
        _matching(_of_members(select(func.count(memberships.c.id))), filters)
    )
    rows = await transaction.all(
        matching.order_by(order.desc() if sort.startswith("-") else order, users.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [_member(row) for row in rows], int(total or 0)


async def find_member(transaction: Transaction, user_id: UUID) -> Member:
    """A user of the organization; raises NotFound for everybody else's."""
    row = await transaction.first(_members().where(users.c.id == user_id))
    if row is None:
        raise NotFound("There is no such user.")
    return _member(row)


async def invite_member(
    runtime: Runtime, transaction: Transaction, invitation: Invitation, principal: Principal
) -> Member:
    """Give an address an account with a role here, and write to it.

    A person who has an account elsewhere keeps it and its password, and the answer does not say
    so. Raises Conflict for who is a member already, PermissionDenied for a role beyond one's own.
    """
    principal.require("users:manage")
    _require_reach(principal, invitation.role)
    require_email(runtime.email)
    try:
        user = await find_user(transaction, invitation.email)
        if user is None:
            new = NewUser(invitation.email, None, invitation.name)
            user = await create_user(transaction, new, runtime.clock())
        await add_membership(transaction, user.id, invitation.role)
    except IntegrityError as error:
        raise Conflict("This user was invited at the same moment.") from error
    member = await find_member(transaction, user.id)
    kind: Literal["membership", "invitation"] = (
        "membership" if member.has_password else "invitation"
    )
    await request_password_mail(runtime, transaction, user.id, kind, invitation.language)
    details = {"user_id": str(user.id), "role": invitation.role}
    await record_change(runtime, transaction, principal, "users.invite", details)
    return member


async def change_member(
    runtime: Runtime,
    transaction: Transaction,
    user_id: UUID,
    principal: Principal,
    *,
    role: Role | None = None,
    is_active: bool | None = None,
) -> Member:
    """Give a user another role here, disable or enable them; effective everywhere within 5 s.

    Raises NotFound, PermissionDenied for who stands above, Conflict for oneself and for the last
    owner.
    """
    principal.require("users:manage")
    member = await find_member(transaction, user_id)
    if user_id == principal.user_id:
        raise Conflict("Nobody changes their own role or access; ask another administrator.")
    _require_reach(principal, "superadmin" if member.is_superadmin else member.role)
    if role is not None:
        _require_reach(principal, role)
    after = replace(
        member,
        role=role if role is not None else member.role,
        is_active=is_active if is_active is not None else member.is_active,
    )
    if after == member:
        return member
    await _store(runtime, transaction, member, after)
    details = {"user_id": str(user_id), "role": after.role, "is_active": after.is_active}
    await record_change(runtime, transaction, principal, "users.change", details)
    return after


async def _store(runtime: Runtime, transaction: Transaction, before: Member, after: Member) -> None:
    if before.role == "owner" and before.is_active:
        await _require_another_owner(transaction, before.user_id)
    await transaction.execute(
        update(memberships)
        .where(memberships.c.user_id == before.user_id)
        .values(role=after.role, is_active=after.is_active)
    )
    if not after.is_active:
        await end_sessions(runtime, transaction, before.user_id)
    transaction.after_commit.append(recent_look_ups(runtime).forget_all)


async def _require_another_owner(transaction: Transaction, user_id: UUID) -> None:
    """Locks the owners, so that two of them cannot remove each other at once."""
    owners = await transaction.all(
        select(memberships.c.user_id)
        .where(memberships.c.role == "owner", memberships.c.is_active)
        .with_for_update()
    )
    if all(row.user_id == user_id for row in owners):
        raise Conflict("An organization keeps at least one owner.")


def _require_reach(principal: Principal, role: str) -> None:
    """Raise unless the caller holds every permission of a role."""
    if not ROLE_PERMISSIONS[role] <= principal.permissions:
        raise PermissionDenied(f"The role {role} is above yours.", {"role": role})


def _members() -> Select[Any]:
    return _of_members(select(users, memberships.c.role, memberships.c.is_active.label("member")))


def _of_members(selected: Select[Any]) -> Select[Any]:
    return selected.select_from(memberships.join(users, users.c.id == memberships.c.user_id))


def _matching(selected: Select[Any], filters: MemberFilters) -> Select[Any]:
    if filters.role is not None:
        selected = selected.where(memberships.c.role == filters.role)
    if filters.is_active is not None:
        selected = selected.where(memberships.c.is_active.is_(filters.is_active))
    if filters.search:
        selected = selected.where(
            or_(
                users.c.email.icontains(filters.search, autoescape=True),
                users.c.name.icontains(filters.search, autoescape=True),
            )
        )
    return selected


def _member(row: Row[Any]) -> Member:
    return Member(
        user_id=row.id,
        email=row.email,
        name=row.name,
        role=row.role,
        is_active=bool(row.member) and row.is_active,
        is_superadmin=row.is_superadmin,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
    )
