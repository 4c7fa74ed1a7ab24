"""Is the console a good tool: fast with 10,000 tickets, accessible, right on a phone?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.console import AGENT, Console, Visits, open_console, waiting_customer
from tests.product import keep_models, reuse_models
from tests.serving import Server, serving

TICKETS = 10_000
SLOWEST_P95_MS = 100
# What the browser reports of an interaction that took no longer than a frame.
A_FRAME_MS = 16


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.fixture(scope="module")
def full_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shop with 10,000 tickets."""
    data_dir = tmp_path_factory.mktemp("full") / "data"
    reuse_models(data_dir)
    with serving(data_dir) as running:
        keep_models(data_dir)
        fill_with_tickets(running, data_dir / "mdf.sqlite3")
        yield running


def fill_with_tickets(server: Server, file: Path) -> None:
    """One ticket filed as customers do, and copies of its row."""
    body = {
        "product_sku": "CANAPÉ-OSLO-3P",
        "order_number": None,
        "problem_category": "casse_transport",
        "problem_severity": "moyen",
        "description": "Le pied arrière gauche est arrivé cassé, la housse est tachée.",
        "contact_email": "customer@example.com",
    }
    with server.client("customer@example.com") as client:
        number = client.post("/api/tickets", json=body).json()["ticket"]["ticket_id"]
    with closing(sqlite3.connect(file, timeout=30)) as database, database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(tickets)")]
        changed = {
            "id": "lower(hex(randomblob(16)))",
            "number": "printf('TKT-2025-%06d', i)",
            "priority": "substr('low   mediumhigh  urgent', 1 + 6 * (i % 4), 6)",
            "created_at": "strftime('%Y-%m-%d %H:%M:%S.000000', created_at, -i || ' minutes')",
        }
        changed["priority"] = f"trim({changed['priority']})"
        chosen = ", ".join(changed.get(name, name) for name in columns)
        database.execute(
            f"""WITH RECURSIVE numbers(i) AS (
                SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {TICKETS}
            ) INSERT INTO tickets ({", ".join(columns)})
            SELECT {chosen} FROM tickets, numbers WHERE number = ?""",  # noqa: S608  fixed names
            (number,),
        )


def load_all(page: Page) -> int:
    """Scroll to the end until every page of the list has come; returns how many rows there are."""
    loaded = page.evaluate(
        """async () => {
            const rows = document.querySelector(".rows");
            for (;;) {
                rows.scrollTop = rows.scrollHeight;
                await new Promise((done) => setTimeout(done, 30));
                const last = rows.querySelector(".list-row:last-child");
                if (last && last.getAttribute("aria-setsize") !== "-1") {
                    return Number(last.getAttribute("aria-setsize"));
                }
            }
        }"""
    )
    return int(loaded)


WATCH = """() => {
    window.slow = new Map();
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (!entry.interactionId) continue;
            const before = window.slow.get(entry.interactionId) ?? 0;
            window.slow.set(entry.interactionId, Math.max(before, entry.duration));
        }
    }).observe({ type: "event", durationThreshold: 16 });
}"""


def test_10_000_tickets_are_worked_through_without_lag(full_server: Server, visit: Visits) -> None:
    console = open_console(visit, full_server)
    page = console.page
    page.evaluate("location.hash = '/tickets/all'")
    console.rows.first.wait_for()
    assert load_all(page) == TICKETS + 1
    assert console.rows.count() < 40, "only what is in sight is drawn"
    page.evaluate(WATCH)
    presses = work_through(console)
    page.wait_for_timeout(300)
    taken = page.evaluate("[...window.slow.values()]")
    durations = sorted([*taken, *[A_FRAME_MS] * (presses - len(taken))])
    p95 = durations[int(len(durations) * 0.95) - 1]
    print(f"p95 of {presses} interactions: {p95} ms, slowest {durations[-1]} ms")  # noqa: T201
    assert len(taken) <= presses + 5
    assert p95 < SLOWEST_P95_MS


def work_through(console: Console) -> int:
    """Real keys and presses, as an agent works; returns how many."""
    page = console.page
    presses = 0
    for place in (0, 0.5, 1):
        page.evaluate(
            """share => {
                const rows = document.querySelector(".rows");
                rows.scrollTop = share * (rows.scrollHeight - rows.clientHeight);
            }""",
            place,
        )
        page.wait_for_timeout(100)
        console.rows.nth(8).click()
        page.locator(".clock").wait_for()
        for key in "jjjjjkjjjk":
            page.keyboard.press(key)
        page.keyboard.press("Escape")
        for key in "kkkkkjkkkj":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.locator(".clock").wait_for()
        page.keyboard.press("Escape")
        presses += 24
    return presses


@pytest.fixture
def busy(shop_server: Server, visit: Visits) -> Any:
    """A console with a conversation and its file open."""

    def begin(**options: Any) -> Console:
        _, id = waiting_customer(shop_server, "Quels sont vos délais de livraison ?")
        console = open_console(visit, shop_server, AGENT, **options)
        console.open(id)
        return console

    return begin


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(busy: Any, scheme: str) -> None:
    console = busy(color_scheme=scheme)
    page = console.page
    page.locator(".panel-section").first.wait_for()
    assert violations(page) == []
    console.take()
    for summary in console.thread.locator("summary").all():
        summary.click()
    console.thread.focus()
    page.keyboard.press("s")
    page.locator(".suggestion").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Plus d’actions").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".thread").focus()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tickets_shut_nobody_out(full_server: Server, visit: Visits, scheme: str) -> None:
    console = open_console(visit, full_server, color_scheme=scheme)
    page = console.page
    page.evaluate("location.hash = '/tickets/breaching'")
    page.locator(".state, .list-row").first.wait_for()
    assert violations(page) == []
    page.evaluate("location.hash = '/tickets/all'")
    console.rows.first.click()
    page.locator(".clock").wait_for()
    page.get_by_role("button", name="Filtrer").click()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_shuts_out_nobody_who_has_a_key(
    shop_server: Server, visit: Visits, scheme: str
) -> None:
    visited = visit(f"{shop_server.base_url}/console", color_scheme=scheme)
    visited.page.locator("#email").wait_for()
    assert violations(visited.page) == []


def test_a_phone_shows_one_thing_at_a_time(busy: Any) -> None:
    console = busy(viewport=PHONE, is_mobile=True, has_touch=True)
    page = console.page
    expect(page.locator(".list")).to_be_hidden()
    console.take()
    console.field.fill("Bonjour")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert violations(page) == []
    page.get_by_role("button", name="Dossier et tickets").click()
    panel = page.get_by_role("complementary", name="Dossier et tickets")
    expect(panel).to_be_in_viewport()
    panel.get_by_role("button", name="Fermer").click()
    page.get_by_role("button", name="Retour").click()
    expect(page.locator(".list")).to_be_visible()
    page.get_by_role("button", name="Ouvrir le menu").click()
    page.get_by_role("link", name="Terminées").click()
    expect(page.get_by_role("heading", name="Terminées")).to_be_visible()
    expect(page.locator(".side-open")).to_have_count(0)


def test_a_list_that_cannot_be_read_says_so_and_tries_again(
    shop_server: Server, visit: Visits
) -> None:
    waiting_customer(shop_server)
    console = open_console(visit, shop_server, allowed=("Failed to load", "ERR_FAILED"))
    page = console.page
    console.rows.first.wait_for()
    page.route("**/api/v1/console/tickets?**", lambda route: route.abort(), times=1)
    page.evaluate("location.hash = '/tickets/unassigned'")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Impossible de charger")
    alert.get_by_role("button", name="Réessayer").click()
    page.locator(".list-row, .list .state:not([role=alert])").first.wait_for()


def test_macros_that_cannot_be_read_are_not_taken_for_none(
    shop_server: Server, visit: Visits
) -> None:
    _, id = waiting_customer(shop_server)
    console = open_console(visit, shop_server, allowed=("Failed to load", "ERR_FAILED"))
    page = console.page
    console.open(id)
    console.take()
    page.route("**/api/v1/console/macros", lambda route: route.abort())
    console.button("Modèles").click()
    page.get_by_role("menuitem", name="Gérer les modèles…").click()
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text("Impossible de charger")
    page.unroute("**/api/v1/console/macros")
    alert.get_by_role("button", name="Réessayer").click()
    expect(alert).to_have_count(0)


def test_the_page_loads_nothing_but_this_servers_files(shop_server: Server, visit: Visits) -> None:
    visited = visit(f"{shop_server.base_url}/console")
    page = visited.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.reload()
    page.locator("#email").wait_for()
    assert answer is not None
    assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]
    assert all(url.startswith(shop_server.base_url) for url in asked)
