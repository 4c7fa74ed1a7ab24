"""Is the widget a good guest: light, accessible, without cookies, under the strictest policy?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, shop_page
from tests.serving import Server

LARGEST_BYTES = 40_000
DELIVERY = "Quels sont vos délais de livraison ?"

Visits = Callable[..., Visit]


def host_page(server: Server, attributes: str = "") -> str:
    script = f'<script src="{server.base_url}/widget.js" {attributes} async></script>'
    return (
        '<!doctype html><html lang="fr"><head><title>Boutique</title>'
        f"{script}</head><body><main><h1>Boutique</h1></main></body></html>"
    )


def strict_policy(server: Server) -> str:
    """What docs/widget.md tells a shop to allow, and nothing else."""
    own, sockets = server.base_url, server.base_url.replace("http", "ws")
    return (
        f"default-src 'none'; script-src {own}; connect-src {own} {sockets}; "
        f"img-src {own} blob:; media-src {own} blob:; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


@pytest.fixture
def opened(shop_server: Server, visit: Visits) -> Visit:
    visited = visit(f"{shop_server.base_url}/")
    visited.open()
    return visited


def test_it_works_on_another_origin_under_a_strict_policy(
    shop_server: Server, visit: Visits
) -> None:
    colours = 'data-color="#f2c14e" data-shop="Chez Nous"'
    with shop_page(host_page(shop_server, colours), strict_policy(shop_server)) as address:
        visited = visit(address, allowed=("favicon",))
        visited.open()
        visited.say(DELIVERY)
        assert "5 à 10 jours ouvrés" in visited.replied(1).inner_text()
        expect(visited.panel.get_by_role("heading", name="Chez Nous")).to_be_visible()
        text = visited.page.locator("support-chat").evaluate(
            "one => getComputedStyle(one).getPropertyValue('--on-accent').trim()"
        )
        # White could not be read on the shop's yellow, nor could yellow links on white.
        assert text == "#14201c"
        assert violations(visited.page) == []


def test_an_unknown_shop_is_told_and_asked_no_more(shop_server: Server, visit: Visits) -> None:
    page = host_page(shop_server, 'data-organization="pk_unknown"')
    with shop_page(page, strict_policy(shop_server)) as address:
        visited = visit(address, allowed=("favicon", "401"))
        visited.open()
        asked: list[str] = []
        visited.page.on("request", lambda request: asked.append(request.url))
        visited.say(DELIVERY)
        expect(visited.page.get_by_role("alert")).to_contain_text("public key")
        visited.page.wait_for_timeout(500)
        assert len(asked) == 1


def test_nothing_is_stored_before_the_chat_is_used(shop_server: Server, visit: Visits) -> None:
    visited = visit(f"{shop_server.base_url}/")
    visited.page.locator(".launcher").wait_for()
    visited.page.wait_for_load_state("networkidle")
    asked: list[str] = []
    visited.page.on("request", lambda request: asked.append(request.url))
    assert visited.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    visited.open()
    assert [url for url in asked if "/api/" in url] == []
    visited.say(DELIVERY)
    visited.replied(1)
    assert visited.page.evaluate("localStorage.length") == 1
    # Not even then: the visitor's token travels in a header.
    assert visited.context.cookies() == []


def test_all_of_it_is_lighter_than_forty_kilobytes(shop_server: Server, visit: Visits) -> None:
    sizes: dict[str, int] = {}

    def count(request: Any) -> None:
        path = request.url.removeprefix(shop_server.base_url)
        if path == "/widget.js" or "/widget/" in path or "/vendor/" in path or "/shared/" in path:
            sizes[path] = request.sizes()["responseBodySize"]

    with shop_page(host_page(shop_server), strict_policy(shop_server)) as address:
        visited = visit(address, allowed=("favicon",))
        visited.page.on("requestfinished", count)
        visited.page.reload()
        visited.page.locator(".launcher").wait_for()
        assert list(sizes) == ["/widget.js"], "the button alone loads nothing else"
        visited.open()
        visited.say(DELIVERY)
        visited.replied(1)
    assert len(sizes) > 10
    assert sum(sizes.values()) < LARGEST_BYTES, sizes


def test_loading_it_keeps_the_page_responsive(shop_server: Server, visit: Visits) -> None:
    watch = """window.long = [];
        new PerformanceObserver((list) => window.long.push(...list.getEntries().map((one) =>
            one.duration))).observe({ type: "longtask", buffered: true });"""
    seen = []
    with shop_page(host_page(shop_server), strict_policy(shop_server)) as address:
        visited = visit("about:blank", allowed=("favicon",))
        visited.page.add_init_script(watch)
        # A machine that is busy with something else may stop a page at any time, but not always.
        for _ in range(3):
            visited.page.goto(address)
            visited.page.locator(".launcher").wait_for()
            visited.page.wait_for_load_state("networkidle")
            seen.append(visited.page.evaluate("window.long"))
    assert [] in seen


def violations(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(shop_server: Server, visit: Visits, scheme: str) -> None:
    visited = visit(f"{shop_server.base_url}/", color_scheme=scheme, reduced_motion="reduce")
    assert violations(visited.page) == []
    visited.open()
    visited.say("Je cherche un canapé gris à moins de 1500 €")
    visited.replied(1)
    assert violations(visited.page) == []
    visited.say(DELIVERY)
    visited.replied(2)
    visited.page.locator(".source").first.click()
    visited.page.locator(".cited mark").first.wait_for()
    assert violations(visited.page) == []
    visited.page.keyboard.press("Escape")
    visited.say("Je voudrais parler à un conseiller")
    visited.replied(3)
    visited.page.locator(".banner").wait_for()
    assert violations(visited.page) == []
    visited.page.get_by_role("button", name="Terminer et évaluer").click()
    assert violations(visited.page) == []


def test_the_keyboard_is_enough(shop_server: Server, visit: Visits) -> None:
    visited = visit(f"{shop_server.base_url}/")
    visited.page.locator(".launcher").focus()
    visited.page.keyboard.press("Enter")
    field = visited.page.locator(".composer textarea")
    expect(field).to_be_focused()
    visited.page.keyboard.type("Combien coûte un retour ?")
    visited.page.keyboard.press("Enter")
    visited.replied(1)
    expect(field).to_be_focused()
    visited.page.keyboard.press("Escape")
    expect(visited.panel).to_have_count(0)
    expect(visited.page.locator(".launcher")).to_be_focused()


def test_a_page_can_drive_it(shop_server: Server, visit: Visits) -> None:
    visited = visit(f"{shop_server.base_url}/")
    visited.page.evaluate(
        """() => {
            window.heard = [];
            for (const name of ["open", "message", "close"]) {
                window.SupportChat.on(name, (detail) => window.heard.push([name, detail?.role]));
            }
            return window.SupportChat.open({ message: "Quels sont vos délais de livraison ?" });
        }"""
    )
    visited.replied(1)
    visited.page.evaluate("window.SupportChat.close()")
    expect(visited.panel).to_have_count(0)
    heard = visited.page.evaluate("window.heard")
    assert heard[:2] == [["open", None], ["message", "user"]]
    assert sorted(heard[2:], key=str) == [["close", None], ["message", "assistant"]]


def test_other_languages_read_english(shop_server: Server, visit: Visits) -> None:
    page = host_page(shop_server).replace('lang="fr"', 'lang="de"')
    with shop_page(page, strict_policy(shop_server)) as address:
        visited = visit(address, allowed=("favicon",), locale="de-DE")
        visited.open()
        expect(visited.replies.first).to_contain_text("virtual assistant")
