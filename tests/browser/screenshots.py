"""Pictures of every state of the pages, in both schemes and on both screens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, FilePayload, sync_playwright

from tests.browser import manager_screenshots
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP, PATIENCE_MS, PHONE, Visit
from tests.browser.managing import ailing_documents, give_past
from tests.browser.screenshots_console import furnish, take_console
from tests.browser.voice_screenshots import microphone, take_voice
from tests.pictures import photo
from tests.product import ROOT, reuse_models
from tests.serving import Server, serving

FOLDER = ROOT / "build" / "screenshots"
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "is_mobile": True},
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PHOTO: FilePayload = {"name": "accoudoir.jpg", "mimeType": "image/jpeg", "buffer": photo()}
SETTLE_MS = 250


def states(visited: Visit, server: Server) -> Iterator[str]:
    """Walk through a visit; the name of each state that is worth a picture."""
    page = visited.page
    yield "home"
    visited.open()
    yield "welcome"
    visited.say("Quels sont vos délais de livraison ?")
    visited.replied(1)
    yield "answer"
    page.locator(".source").first.click()
    page.locator(".cited mark").first.wait_for()
    yield "source"
    page.keyboard.press("Escape")
    visited.say("Je cherche un canapé gris à moins de 1500 €")
    visited.replied(2)
    page.locator(".product").first.wait_for()
    yield "products"
    yield from _ticket(visited, server)
    visited.say("Je voudrais parler à un conseiller")
    visited.replied(3)
    yield "handoff"
    page.get_by_role("button", name="Terminer et évaluer").click()
    page.get_by_role("radio", name="4 : Bien").check(force=True)
    yield "rating"


def _ticket(visited: Visit, server: Server) -> Iterator[str]:
    page = visited.page
    token = server.token("customer@example.com")
    page.evaluate("token => window.SupportChat.identify({ token })", token)
    page.locator(".composer input[type=file]").first.set_input_files(PHOTO)
    page.locator(".upload-ready").wait_for()
    page.locator(".composer textarea").fill("Mon canapé Oslo est arrivé abîmé")
    yield "photo"
    visited.say("Mon canapé Oslo est arrivé abîmé, l’accoudoir est déchiré")
    visited.replied(1)
    page.locator(".suggestions button", has_text="Oui").click()
    page.locator(".ticket").wait_for()
    visited.replied(2)
    yield "ticket"


def take(browser: Browser, server: Server, screen: str, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(
        **SCREENS[screen], color_scheme=scheme, locale="fr-FR", timezone_id="Europe/Paris"
    )
    context.set_default_timeout(PATIENCE_MS)
    visited = Visit(context.new_page(), context, [])
    visited.page.goto(f"{server.base_url}/")
    for name in states(visited, server):
        visited.page.wait_for_timeout(SETTLE_MS)
        visited.page.screenshot(path=FOLDER / f"widget-{name}-{scheme}-{screen}.png")
    context.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    data_dir = Path(tempfile.mkdtemp(prefix="screenshots-"))
    reuse_models(data_dir)
    with serving(data_dir) as server, sync_playwright() as playwright:
        arguments = [*ARGUMENTS, *microphone(data_dir)]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        for screen in SCREENS:
            for scheme in SCHEMES:
                take(browser, server, screen, scheme)
                take_voice(browser, server, FOLDER, (screen, SCREENS[screen]), scheme)
        furnish(server)
        for one in SCREENS.items():
            for scheme in SCHEMES:
                take_console(browser, server, FOLDER, one, scheme)
        give_past(server)
        ailing_documents(server)
        manager_screenshots.prepare(browser, server)
        for screen, options in SCREENS.items():
            for scheme in SCHEMES:
                manager_screenshots.take(browser, server, FOLDER, screen, scheme, **options)
        browser.close()


if __name__ == "__main__":
    main()
