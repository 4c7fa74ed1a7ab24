"""Organizations: the shops that one installation serves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from core.database import Database, Transaction
from core.runtime import Runtime
from core.security import random_token
from services.accounts.recent import recent_look_ups
from services.accounts.tables import organizations

_RECENT = "organizations"


@dataclass(frozen=True)
class Organization:
    id: UUID
    name: str
    slug: str
    public_key: str


async def create_organization(
    transaction: Transaction, name: str, slug: str, now: datetime
) -> Organization:
    """Create an organization with a public key that widgets name it by."""
    public_key = random_token("pk_")
    id = await transaction.insert(
        organizations,
        {
            "name": name,
            "slug": slug,
            "public_key": public_key,
            "settings": {},
            "is_active": True,
            "created_at": now,
            "updated_at": now,
        },
    )
    return Organization(id, name, slug, public_key)


async def active_organizations(database: Database) -> list[Organization]:
    """All organizations that are served."""
    async with database.reading(None) as transaction:
        rows = await transaction.all(
            select(organizations).where(organizations.c.is_active).order_by(organizations.c.id)
        )
    return [Organization(row.id, row.name, row.slug, row.public_key) for row in rows]


async def recent_organizations(
    runtime: Runtime, public_key: str | None = None
) -> list[Organization]:
    """The organizations that were served a moment ago; asked again when one seems missing.

    Missing is an organization of the given public key, or any at all.
    """
    look_ups = recent_look_ups(runtime)
    found = await look_ups.get(_RECENT, lambda: active_organizations(runtime.database))
    known = any(public_key in (None, organization.public_key) for organization in found)
    return found if known else await active_organizations(runtime.database)


async def find_organization(transaction: Transaction, slug: str) -> Organization | None:
    row = await transaction.first(select(organizations).where(organizations.c.slug == slug))
    return Organization(row.id, row.name, row.slug, row.public_key) if row else None
