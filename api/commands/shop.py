"""`mdf shop`: the first shop of a production database, and who owns it."""

from __future__ import annotations

import asyncio
import re
import unicodedata

import api.tables  # noqa: F401  every table must be known
from api.commands.output import fail, results
from core.errors import Conflict, SupportError
from core.migrations import migrate
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from services.accounts.organizations import active_organizations, create_organization
from services.accounts.users import NewUser, add_membership, create_user, prepare_password

MAXIMUM_SLUG_LENGTH = 60


def shop(settings: Settings, name: str, email: str, password: str) -> None:
    """Make the shop and its owner's account, and say the public key that widgets name it by."""
    try:
        public_key = asyncio.run(_make(settings, name, email, password))
    except SupportError as error:
        raise fail(error.message) from error
    results.print(f"{name} was made; its public key is {public_key}")
    results.print(f"Sign in as {email}")


async def _make(settings: Settings, name: str, email: str, password: str) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await migrate(settings.database)
    async with open_runtime(settings, {}) as runtime:
        if await active_organizations(runtime.database):
            raise Conflict("This database holds a shop already; its owner invites the others.")
        return await _shop_with_owner(runtime, name, email, await prepare_password(password))


async def _shop_with_owner(runtime: Runtime, name: str, email: str, password_hash: str) -> str:
    """Both or neither: one transaction, which belongs to the shop from when there is one."""
    now = runtime.clock()
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        organization = await create_organization(transaction, name, slug_of(name), now)
        user = await create_user(transaction, NewUser(email, password_hash, email), now)
        transaction.organization_id = organization.id
        await add_membership(transaction, user.id, "owner")
    return organization.public_key


def slug_of(name: str) -> str:
    """A name as part of an address: « Meuble de l'Été » is `meuble-de-l-ete`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAXIMUM_SLUG_LENGTH] or "shop"
