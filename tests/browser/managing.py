"""A shop with a past behind its server, and a manager's page on it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page
from sqlalchemy import select

from core.database import open_database
from core.settings import Settings
from services.accounts.tables import organizations
from tests.history import Past, Said, invented_past, write_past, write_tickets
from tests.serving import PASSWORD, Server

DAYS, CONVERSATIONS_A_DAY, TICKETS_A_DAY = 40, 12, 4
AT_ONCE = 200


def give_past(server: Server) -> None:
    """Write weeks of conversations and tickets beside the running server."""
    url = Settings(data_dir=server.data_dir).database
    # The browser's own loop may be running in this thread.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, _give_past(url)).result()


async def _give_past(url: str) -> None:
    database, now = open_database(url), datetime.now(UTC)
    try:
        async with database.reading(None) as look:
            shop = await look.scalar(select(organizations.c.id))
        past = [*invented_past(now, DAYS, CONVERSATIONS_A_DAY), _search_in_vain(now)]
        for start in range(0, len(past), AT_ONCE):
            async with database.transaction(shop) as transaction:
                await write_past(transaction, past[start : start + AT_ONCE])
        async with database.transaction(shop) as transaction:
            await write_tickets(transaction, now, DAYS, TICKETS_A_DAY)
    finally:
        await database.close()


def _search_in_vain(now: datetime) -> Past:
    looked_for = Said("Je cherche une balancelle", "product_search", missed="balancelle")
    return Past(now - timedelta(days=1), (looked_for,))


def sign_in(page: Page, email: str = "admin@example.com") -> None:
    page.locator("input[type=email]").fill(email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".shell").wait_for()


def show(page: Page, server: Server, view: str) -> None:
    """Open a view of the manager's page and wait until it has loaded."""
    page.goto(f"{server.base_url}/manage#/{view}")
    page.locator(".page").wait_for()
    page.locator(".bones").first.wait_for(state="detached")


def ailing_documents(server: Server) -> None:
    """Two documents that contradict one another, one that is over; then a check of them all."""
    texts: dict[str, str] = {
        "Soldes d’été": "Les soldes d’été durent jusqu’au 31 juillet 2025 dans nos magasins.",
        "Rétractation": "Vous disposez de 30 jours pour annoncer le retour d’un article.",
        "Retour à distance": "Vous disposez de 14 jours pour annoncer le retour d’un article.",
    }
    with server.client("admin@example.com") as admin:
        for title, text in texts.items():
            body: dict[str, Any] = {"title": title, "text": text, "language": "fr"}
            admin.post("/api/v1/knowledge/documents", json=body).raise_for_status()
        admin.post("/api/v1/knowledge/health/check").raise_for_status()
