"""Loads the sample shop and its demo accounts: how does a fresh installation get something to show?

Loading adds what is missing and changes nothing that exists, so it can be repeated. Development
only: the demo accounts have a published password.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from api.sample_shop import (
    Article,
    catalogue_entries,
    read_articles,
    read_customers,
    read_orders,
    read_products,
    read_stores,
)
from core.database import Database, Transaction
from core.errors import PermissionDenied
from core.runtime import Runtime
from knowledge.documents import NewDocument, create_document
from knowledge.tables import documents
from services.accounts.customers import add_customers, link_customer_to_user, list_customers
from services.accounts.organizations import create_organization, find_organization
from services.accounts.users import (
    NewUser,
    add_membership,
    create_user,
    demo_users_exist,
    find_user,
    prepare_password,
)
from services.catalogue.products import add_products, known_skus
from services.catalogue.stores import add_stores, list_stores
from services.conversations.service_hours import DEFAULT_HOURS, SETTING
from services.orders.orders import add_orders, known_order_numbers
from services.tickets.calendar import calendar_as_json
from services.tickets.sla_settings import store_setting

SAMPLE_SHOP = Path(__file__).resolve().parent.parent / "sample_shop"
ORGANIZATION_NAME = "Meuble de France"
ORGANIZATION_SLUG = "meuble-de-france"
# As its article on customer service says: closed on Sundays and public holidays.
SAMPLE_HOURS = replace(DEFAULT_HOURS, holidays="FR")
DEMO_PASSWORD = "password123"  # noqa: S105  seed 003 shows it; development only
ARTICLES_PER_TRANSACTION = 20

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DemoUser:
    email: str
    name: str
    role: str


DEMO_USERS = (
    DemoUser("customer@example.com", "Camille Martin", "customer"),
    DemoUser("agent@example.com", "Alex Bernard", "agent"),
    DemoUser("admin@example.com", "Dominique Petit", "admin"),
)


@dataclass(frozen=True)
class SeedReport:
    """How many rows of each kind were added."""

    organizations: int
    products: int
    stores: int
    customers: int
    orders: int
    users: int
    articles: int


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


async def seed(runtime: Runtime, folder: Path, progress: Progress = _silent) -> SeedReport:
    """Load the sample shop of a folder into its organization.

    `progress(stage, done, total)` is called as the work goes on. Raises PermissionDenied in
    production and InvalidRequest for a file that cannot be read as it should.
    """
    if runtime.settings.environment == "production":
        raise PermissionDenied("The sample shop is for development only.")
    now = runtime.clock()
    organization_id, created = await _organization(runtime.database, now)
    async with runtime.database.transaction(organization_id) as transaction:
        stores = await _stores(transaction, folder)
        products = await _products(transaction, folder, now, progress)
        customers = await _customers(transaction, folder, now)
        orders = await _orders(transaction, folder, now, progress)
    users = await _users(runtime.database, organization_id, now, progress)
    articles = await _articles(runtime, organization_id, read_articles(folder), progress)
    return SeedReport(int(created), products, stores, customers, orders, users, articles)


async def demo_accounts_exist(database: Database) -> bool:
    """Whether an account with the published password exists; production does not start then."""
    return await demo_users_exist(database)


async def _organization(database: Database, now: datetime) -> tuple[UUID, bool]:
    async with database.transaction(None) as transaction:
        found = await find_organization(transaction, ORGANIZATION_SLUG)
        if found is not None:
            return found.id, False
        made = await create_organization(transaction, ORGANIZATION_NAME, ORGANIZATION_SLUG, now)
    async with database.transaction(made.id) as transaction:
        await store_setting(transaction, SETTING, calendar_as_json(SAMPLE_HOURS), now)
    return made.id, True


async def _stores(transaction: Transaction, folder: Path) -> int:
    known = {store.code for store in await list_stores(transaction)}
    missing = [store for store in read_stores(folder) if store.code not in known]
    await add_stores(transaction, missing)
    return len(missing)


async def _products(
    transaction: Transaction, folder: Path, now: datetime, progress: Progress
) -> int:
    known = await known_skus(transaction)
    missing = [product for product in read_products(folder) if product.sku not in known]
    await add_products(transaction, missing, now)
    progress("products", len(missing), len(missing))
    return len(missing)


async def _customers(transaction: Transaction, folder: Path, now: datetime) -> int:
    known = {customer.reference for customer in await list_customers(transaction)}
    missing = [item for item in read_customers(folder) if item.reference not in known]
    await add_customers(transaction, missing, now)
    return len(missing)


async def _orders(transaction: Transaction, folder: Path, now: datetime, progress: Progress) -> int:
    entries = catalogue_entries(read_products(folder))
    customers = {
        customer.reference: (customer.id, customer.email)
        for customer in await list_customers(transaction)
    }
    known = await known_order_numbers(transaction)
    orders = read_orders(folder, entries, customers, now)
    missing = [order for order in orders if order.number not in known]
    await add_orders(transaction, missing)
    progress("orders", len(missing), len(missing))
    return len(missing)


async def _users(
    database: Database, organization_id: UUID, now: datetime, progress: Progress
) -> int:
    async with database.reading(organization_id) as look:
        missing = [user for user in DEMO_USERS if await find_user(look, user.email) is None]
    for done, user in enumerate(missing, start=1):
        password_hash = await prepare_password(DEMO_PASSWORD)
        async with database.transaction(organization_id) as transaction:
            await _user(transaction, user, password_hash, now)
        progress("accounts", done, len(missing))
    return len(missing)


async def _user(
    transaction: Transaction, user: DemoUser, password_hash: str, now: datetime
) -> None:
    made = await create_user(
        transaction, NewUser(user.email, password_hash, user.name, is_demo=True), now
    )
    await add_membership(transaction, made.id, user.role)
    for customer in await list_customers(transaction):
        if customer.email == made.email:
            await link_customer_to_user(transaction, customer.id, made.id)


async def _articles(
    runtime: Runtime, organization_id: UUID, articles: list[Article], progress: Progress
) -> int:
    async with runtime.database.reading(organization_id) as look:
        rows = await look.all(select(documents.c.language, documents.c.title))
    known = {(row.language, row.title) for row in rows}
    missing = [item for item in articles if (item.language, item.title) not in known]
    for start in range(0, len(missing), ARTICLES_PER_TRANSACTION):
        batch = missing[start : start + ARTICLES_PER_TRANSACTION]
        async with runtime.database.transaction(organization_id) as transaction:
            for article in batch:
                await _article(runtime, transaction, article)
        progress("articles", start + len(batch), len(missing))
    return len(missing)


async def _article(runtime: Runtime, transaction: Transaction, article: Article) -> None:
    new = NewDocument(
        title=article.title,
        text=article.text,
        language=article.language,
        tags=article.tags,
        source_kind="markdown",
    )
    await create_document(transaction, runtime.outbox, new, runtime.clock())
