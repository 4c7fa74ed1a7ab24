"""A real browser, and shops' pages of other origins, on one server that is shared by all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from tests.product import keep_models, reuse_models
from tests.serving import Server, serving

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A slow machine, not a slow product.
PATIENCE_MS = 30_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@contextmanager
def sample_shop(data_dir: Path) -> Iterator[Server]:
    """A server of the sample shop; pages of every origin may use it."""
    reuse_models(data_dir)
    with serving(data_dir, ALLOWED_ORIGINS="*") as running:
        keep_models(data_dir)
        yield running


@pytest.fixture(scope="session")
def shop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sample shop that most pages are tried on."""
    with sample_shop(tmp_path_factory.mktemp("browser") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; closed with the module, because its event loop would be in others' way."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing; run: scripts/install_browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


@dataclass
class Visit:
    """A visitor's page with the widget on it; `problems` is what the browser complained of."""

    page: Page
    context: BrowserContext
    problems: list[str]

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def replies(self) -> Locator:
        """The assistant's messages; the first is the welcome."""
        return self.page.locator(".reply .bubble")

    def open(self) -> None:
        self.page.locator(".launcher").click()
        self.panel.wait_for()

    def say(self, text: str) -> None:
        self.page.locator(".composer textarea").fill(text)
        self.page.keyboard.press("Enter")

    def replied(self, count: int) -> Locator:
        """Wait until that many replies to the visitor are finished; returns the last one."""
        self.replies.nth(count).wait_for()
        self.page.locator(".writing").wait_for(state="detached")
        return self.replies.nth(count)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a page as a new visitor; whatever the browser complained of fails the test."""
    visits: list[Visit] = []

    def begin(address: str, allowed: tuple[str, ...] = (), **options: Any) -> Visit:
        chosen = {"viewport": DESKTOP, "locale": "fr-FR", "timezone_id": "Europe/Paris", **options}
        context = browser.new_context(**chosen)
        context.set_default_timeout(PATIENCE_MS)
        visited = Visit(context.new_page(), context, [])

        def complain(text: str) -> None:
            if not any(one in text for one in allowed):
                visited.problems.append(text)

        visited.page.on("pageerror", lambda error: complain(str(error)))
        visited.page.on(
            "console",
            lambda message: complain(message.text) if message.type == "error" else None,
        )
        visits.append(visited)
        visited.page.goto(address)
        return visited

    yield begin
    problems = [problem for one in visits for problem in one.problems]
    for one in visits:
        one.context.close()
    assert problems == []


@contextmanager
def shop_page(html: str, policy: str) -> Iterator[str]:
    """A shop's own page, served from an origin of its own under a content security policy."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode() if self.path == "/" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Tests say themselves what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
