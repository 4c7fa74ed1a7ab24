"""Pictures of the managers' views, in one scheme and on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE_MS
from tests.browser.managing import show, sign_in
from tests.serving import Server

CHECKED_MS = 60_000
SETTLE_MS = 400
VIEWS = {
    "dashboard": "",
    "intents": "intents",
    "unanswered": "unanswered",
    "health": "health",
    "documents": "knowledge",
    "ask": "ask?q=Quels sont vos délais de livraison ?",
}


def states(page: Page, server: Server) -> Iterator[str]:
    """Walk through the views; the name of each state that is worth a picture."""
    for name, view in VIEWS.items():
        show(page, server, view)
        yield name
        if name == "dashboard":
            page.locator(".page").evaluate("one => one.scrollTo(0, one.scrollHeight)")
            yield "dashboard-below"
        if name == "unanswered":
            page.locator(".row-title").first.click()
            page.locator(".asked").wait_for()
            yield "unanswered-open"
            page.get_by_role("button", name="Produits introuvables").click()
            page.locator(".row-title").first.click()
            page.locator(".asked").wait_for()
            yield "missing-products"
        if name == "documents":
            page.get_by_role("button", name="Ajouter des fichiers").click()
            yield "upload"
            page.keyboard.press("Escape")
            page.locator(".documents a").first.click()
            page.locator(".markdown").wait_for()
            yield "document"
            page.get_by_role("tab", name="Passages").click()
            page.locator(".passage").first.wait_for()
            yield "passages"


def prepare(browser: Browser, server: Server) -> None:
    """Check the knowledge once, so that there is something to see."""
    with browser.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.goto(f"{server.base_url}/manage")
        sign_in(page)
        show(page, server, "unanswered")
        page.get_by_role("button", name="Vérifier maintenant").click()
        page.locator(".row-item").first.wait_for(timeout=CHECKED_MS)


def take(
    browser: Browser,
    server: Server,
    folder: Path,
    screen: str,
    scheme: Literal["light", "dark"],
    **options: Any,
) -> None:
    context = browser.new_context(
        **options, color_scheme=scheme, locale="fr-FR", timezone_id="Europe/Paris"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{server.base_url}/manage")
    sign_in(page)
    for name in states(page, server):
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=folder / f"manager-{name}-{scheme}-{screen}.png")
    context.close()
