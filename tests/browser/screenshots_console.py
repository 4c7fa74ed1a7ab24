"""Pictures of the agents' console in every state that matters, in both schemes, on both screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import PATIENCE_MS, Visit
from tests.browser.console import AGENT, Console, waiting_customer
from tests.serving import Server

SETTLE_MS = 300
FILE_TICKET = {
    "product_sku": "CANAPÉ-OSLO-3P",
    "order_number": None,
    "problem_category": "casse_transport",
    "problem_severity": "élevé",
    "description": "L’accoudoir du canapé Oslo est arrivé déchiré, la photo est jointe.",
    "contact_email": "customer@example.com",
}


def furnish(server: Server) -> None:
    """Customers who wait, one with an account and tickets, and a macro."""
    waiting_customer(server, "Quels sont vos délais de livraison ?")
    waiting_customer(server, "Je cherche un canapé gris à moins de 1500 €")
    with server.client("customer@example.com") as client:
        for _ in range(2):
            client.post("/api/tickets", json=FILE_TICKET)
        for text in ("Où est ma commande ?", "Je voudrais parler à un conseiller !!"):
            said = {"message": text, "session_id": "screenshots", "language": "fr"}
            client.post("/api/chat", json=said)
    with server.client(AGENT) as agent:
        macro = {"name": "Demander une photo", "body": "Bonjour {customer}, une photo ?"}
        agent.post("/api/v1/console/macros", json=macro)


def states(console: Console, is_phone: bool) -> Iterator[str]:
    """Walk through the console; the name of each state that is worth a picture."""
    page = console.page
    page.locator("#email").wait_for()
    yield "door"
    console.sign_in(AGENT)
    page.evaluate("location.hash = '/conversations/all'")
    console.rows.first.wait_for()
    yield "list"
    console.rows.first.click()
    console.thread.locator(".message").first.wait_for()
    yield "conversation"
    if console.page.locator(".composer-take").is_visible():
        console.take()
    page.locator("#composer").fill("Bonjour Camille, je regarde cela tout de suite.")
    yield "reply"
    page.get_by_role("button", name="Proposer").click()
    page.locator(".suggestion:not(.muted)").wait_for()
    yield "proposal"
    page.locator("#composer").fill("")
    if is_phone:
        page.get_by_role("button", name="Dossier et tickets").click()
    page.locator(".panel-section").first.wait_for()
    yield "file"
    yield from _lists(console)


def _lists(console: Console) -> Iterator[str]:
    page = console.page
    page.evaluate("location.hash = '/tickets/all'")
    console.rows.first.wait_for()
    yield "tickets"
    console.rows.first.click()
    page.locator(".clock").wait_for()
    yield "ticket"
    page.evaluate("location.hash = '/conversations/all?search=introuvable'")
    page.locator(".list .state").wait_for()
    yield "nothing-found"
    page.locator("#search").evaluate("field => field.blur()")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    yield "keys"


def take_console(
    browser: Browser,
    server: Server,
    folder: Path,
    screen: tuple[str, dict[str, Any]],
    scheme: Literal["light", "dark"],
) -> None:
    name, options = screen
    context: BrowserContext = browser.new_context(
        **options, color_scheme=scheme, locale="fr-FR", timezone_id="Europe/Paris"
    )
    context.set_default_timeout(PATIENCE_MS)
    visited = Visit(context.new_page(), context, [])
    visited.page.goto(f"{server.base_url}/console")
    for state in states(Console(visited), name == "phone"):
        visited.page.wait_for_timeout(SETTLE_MS)
        visited.page.screenshot(path=folder / f"console-{state}-{scheme}-{name}.png")
    context.close()
