"""Does a customer on a shop's page get answers, proof, tickets and people through the widget?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, WebSocketRoute, expect

from tests.browser.conftest import PHONE, Visit
from tests.pictures import photo, video
from tests.serving import Server

DELIVERY = "Quels sont vos délais de livraison ?"
BROKEN = "Mon canapé Oslo est arrivé abîmé, l’accoudoir est déchiré"
SOCKET = re.compile(r"/api/chat/ws")
PHOTO: FilePayload = {"name": "accoudoir.jpg", "mimeType": "image/jpeg", "buffer": photo()}

VIDEO: FilePayload = {"name": "grincement.mp4", "mimeType": "video/mp4", "buffer": video()}

Visits = Callable[..., Visit]


def home(server: Server) -> str:
    return f"{server.base_url}/"


def text_of(bubbles: Locator) -> list[str]:
    return [" ".join(text.split()) for text in bubbles.all_inner_texts()]


def identify(visited: Visit, server: Server) -> None:
    token = server.token("customer@example.com")
    visited.page.evaluate("token => window.SupportChat.identify({ token })", token)


def test_a_question_is_answered_with_a_source_that_opens_at_the_quote(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server))
    visited.open()
    expect(visited.replies.first).to_contain_text("assistant virtuel")
    visited.say(DELIVERY)
    assert "5 à 10 jours ouvrés" in visited.replied(1).inner_text()
    source = visited.page.locator(".source").first
    expect(source).to_have_text("Quels sont les délais de livraison ?")
    source.click()
    expect(visited.page.locator(".cited mark").first).to_contain_text("5 à 10 jours ouvrés")
    expect(visited.page.locator(".cited mark").first).to_be_in_viewport()
    visited.page.keyboard.press("Escape")
    expect(visited.page.locator(".cited")).to_have_count(0)
    expect(visited.page.locator(".composer textarea")).to_be_focused()


def test_a_search_shows_products_and_replies_that_can_be_clicked(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server))
    visited.open()
    visited.say("Je cherche un canapé gris à moins de 1500 €")
    visited.replied(1)
    product = visited.page.locator(".product").first
    expect(product.locator(".product-price")).to_contain_text("€")
    expect(product.locator(".stock")).to_have_text("En stock")
    visited.page.locator(".suggestions button").last.click()
    visited.replied(2)
    expect(visited.page.locator(".said")).to_have_count(2)


@pytest.mark.parametrize("way", ["button", "paste", "drop"])
def test_a_broken_sofa_and_its_photo_become_a_ticket(
    shop_server: Server, visit: Visits, way: str
) -> None:
    visited = visit(home(shop_server))
    visited.open()
    identify(visited, shop_server)
    give_photo(visited, way)
    visited.page.locator(".upload-ready").wait_for()
    visited.say(BROKEN)
    expect(visited.page.locator(".said img")).to_have_attribute("alt", PHOTO["name"])
    assert "Fichiers joints : 1" in " ".join(visited.replied(1).inner_text().split())
    visited.page.locator(".suggestions button", has_text="Oui").click()
    ticket = visited.page.locator(".ticket")
    ticket.wait_for()
    expect(ticket.locator(".state")).to_have_text("Ouverte")
    expect(ticket).to_contain_text("1 pièce jointe")
    number = ticket.locator("strong").inner_text()
    with shop_server.client("customer@example.com") as customer:
        filed = customer.get(f"/api/tickets/{number}").json()["ticket"]
    assert [file["file_type"] for file in filed["files"]] == ["image/jpeg"]


def test_a_video_is_seen_before_it_is_sent_and_played_after(
    shop_server: Server, visit: Visits
) -> None:
    """Its first picture while it is chosen, a poster once the server has it, and it plays."""
    visited = visit(home(shop_server))
    visited.open()
    with visited.page.expect_file_chooser() as chooser:
        visited.page.get_by_role("button", name="Joindre une photo ou une vidéo").click()
    chooser.value.set_files(VIDEO)
    shown = visited.page.locator(".upload video")
    assert size_of(shown) == [160, 120], "the preview shows the video itself"
    visited.page.locator(".upload-ready").wait_for()
    visited.say("Voici comment mon canapé Oslo grince")
    assert size_of(visited.page.locator(".said video")) == [160, 120]
    visited.replied(1)
    visited.page.reload()
    visited.open()
    kept = visited.page.locator(".said video")
    expect(kept).to_have_attribute("poster", re.compile("thumbnail"))
    loaded = kept.evaluate(
        """video => new Promise((done) => {
            const poster = new Image();
            poster.onload = () => done(poster.naturalWidth);
            poster.onerror = () => done(0);
            poster.src = video.poster;
        })"""
    )
    assert loaded == 160
    kept.evaluate("video => video.play()")
    expect(kept).to_have_js_property("paused", False)
    assert size_of(kept) == [160, 120]
    assert visited.page.locator(".said video").evaluate("video => video.error") is None


def size_of(video: Locator) -> list[int]:
    """The size of a video in pixels, once the browser knows it; [0, 0] where it cannot play it."""
    size: list[int] = video.evaluate(
        """video => new Promise((done) => {
            const tell = () => done([video.videoWidth, video.videoHeight]);
            if (video.error || video.readyState >= HTMLMediaElement.HAVE_METADATA) tell();
            video.onloadedmetadata = tell;
            video.onerror = tell;
        })"""
    )
    return size


def give_photo(visited: Visit, way: str) -> None:
    if way == "button":
        with visited.page.expect_file_chooser() as chooser:
            visited.page.get_by_role("button", name="Joindre une photo ou une vidéo").click()
        chooser.value.set_files(PHOTO)
        return
    target, event, field = {
        "paste": (".composer textarea", "paste", "clipboardData"),
        "drop": (".panel", "drop", "dataTransfer"),
    }[way]
    visited.page.locator(target).evaluate(
        """(target, [event, field, bytes, name]) => {
            const brought = new DataTransfer();
            brought.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
            const kind = event === "paste" ? ClipboardEvent : DragEvent;
            const options = { bubbles: true, cancelable: true, [field]: brought };
            target.dispatchEvent(new kind(event, options));
        }""",
        [event, field, list(PHOTO["buffer"]), PHOTO["name"]],
    )


def test_a_file_that_is_refused_says_why_and_can_be_removed(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server), allowed=("415",))
    visited.open()
    with visited.page.expect_file_chooser() as chooser:
        visited.page.get_by_role("button", name="Joindre une photo ou une vidéo").click()
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": photo()})
    expect(visited.page.get_by_role("alert")).to_contain_text("a.png")
    visited.page.get_by_role("button", name="Retirer a.png").click()
    expect(visited.page.locator(".upload")).to_have_count(0)


@pytest.mark.parametrize("frames_before_the_cut", [1, 3, 4])
def test_nothing_is_lost_or_doubled_when_the_line_is_cut_in_mid_answer(
    shop_server: Server, visit: Visits, frames_before_the_cut: int
) -> None:
    whole = answer_over(shop_server, visit)
    cuts: list[int] = []

    def cut(line: WebSocketRoute) -> None:
        upstream = line.connect_to_server()
        passed = 0

        def pass_on(text: str | bytes) -> None:
            nonlocal passed
            if '"type":"ready"' not in str(text) and not cuts:
                passed += 1
                if passed > frames_before_the_cut:
                    cuts.append(passed)
                    line.close(code=1001)
                    upstream.close()
                    return
            line.send(text)

        upstream.on_message(pass_on)

    assert answer_over(shop_server, visit, cut) == whole
    assert len(cuts) == 1


def answer_over(server: Server, visit: Visits, route: Any = None) -> list[str]:
    """What a new visitor sees after a question, when sockets go through `route`."""
    visited = visit("about:blank")
    if route is not None:
        visited.page.route_web_socket(SOCKET, route)
    visited.page.goto(home(server))
    visited.open()
    visited.say("Combien coûte un retour ?")
    visited.replied(1)
    visited.page.locator(".suggestions button").first.wait_for()
    expect(visited.page.locator(".said")).to_have_count(1)
    return text_of(visited.replies)


def test_what_is_written_offline_leaves_once_when_the_line_is_back(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server), allowed=("ERR_INTERNET_DISCONNECTED",))
    visited.open()
    visited.say(DELIVERY)
    visited.replied(1)
    visited.context.set_offline(True)
    expect(visited.page.locator(".banner-cut")).to_contain_text("hors ligne")
    visited.say("Combien coûte un retour ?")
    expect(visited.page.locator(".said").last).to_contain_text("Envoi…")
    visited.context.set_offline(False)
    visited.replied(2)
    expect(visited.page.locator(".banner-cut")).to_have_count(0)
    expect(visited.page.locator(".said")).to_have_count(2)
    history = history_of(visited)
    assert [one["role"] for one in history] == ["user", "assistant"] * 2


def history_of(visited: Visit) -> list[dict[str, Any]]:
    """The visitor's messages as the server has them."""
    told: list[dict[str, Any]] = visited.page.evaluate(
        """async () => {
            const name = Object.keys(localStorage).find((one) => one.startsWith("support-chat:"));
            const { token } = JSON.parse(localStorage[name]);
            const headers = { "X-Visitor-Token": token };
            return (await (await fetch("/api/chat/history", { headers })).json()).messages;
        }"""
    )
    return told


def test_a_first_message_written_offline_is_sent_later(shop_server: Server, visit: Visits) -> None:
    visited = visit(home(shop_server), allowed=("ERR_INTERNET_DISCONNECTED",))
    visited.open()
    visited.context.set_offline(True)
    expect(visited.page.locator(".banner-cut")).to_contain_text("hors ligne")
    visited.say(DELIVERY)
    give_photo(visited, "button")
    expect(visited.page.get_by_role("alert")).to_contain_text("pas de connexion")
    visited.context.set_offline(False)
    assert "5 à 10 jours ouvrés" in visited.replied(1).inner_text()
    assert len(history_of(visited)) == 2


@pytest.mark.parametrize("way", ["events", "requests"])
def test_without_sockets_it_answers_all_the_same(
    shop_server: Server, visit: Visits, way: str
) -> None:
    visited = visit("about:blank", allowed=("ERR_FAILED", "WebSocket"))
    visited.page.route_web_socket(SOCKET, lambda line: line.close(code=1011))
    if way == "requests":
        visited.page.route("**/api/chat/stream*", lambda route: route.abort())
    visited.page.goto(home(shop_server))
    visited.open()
    asked = []
    visited.page.on("request", lambda one: asked.append((one.method, one.headers["accept"])))
    visited.say(DELIVERY)
    assert "5 à 10 jours ouvrés" in visited.replied(1).inner_text()
    expect(visited.page.locator(".source").first).to_be_visible()
    expected = "text/event-stream" if way == "events" else "application/json"
    assert ("POST", expected) in asked


def test_the_conversation_goes_on_on_the_next_page(shop_server: Server, visit: Visits) -> None:
    visited = visit(home(shop_server))
    visited.open()
    visited.say(DELIVERY)
    visited.replied(1)
    before = text_of(visited.replies)
    visited.page.reload()
    visited.open()
    visited.replied(1)
    assert text_of(visited.replies) == before
    expect(visited.page.locator(".source").first).to_be_visible()


def test_an_account_finds_its_conversation_and_the_state_of_its_ticket(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server))
    visited.open()
    identify(visited, shop_server)
    give_photo(visited, "button")
    visited.page.locator(".upload-ready").wait_for()
    visited.say(BROKEN)
    visited.replied(1)
    visited.page.locator(".suggestions button", has_text="Oui").click()
    number = visited.page.locator(".ticket strong").inner_text()
    with shop_server.client("agent@example.com") as agent:
        changed = agent.patch(f"/api/tickets/{number}", json={"status": "in_progress"})
        assert changed.status_code == 200
    visited.page.reload()
    visited.open()
    expect(visited.page.locator(".said")).to_have_count(0)
    identify(visited, shop_server)
    expect(visited.page.locator(".ticket .state")).to_have_text("En cours")
    expect(visited.page.locator(".said")).to_have_count(2)
    picture = visited.page.locator(".attached img")
    expect(picture).to_have_count(1)
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    # A fresh token of the same account changes nothing.
    del shop_server.tokens["customer@example.com"]
    identify(visited, shop_server)
    expect(visited.page.locator(".said")).to_have_count(2)


def test_an_expired_visitor_is_answered_as_a_new_one(shop_server: Server, visit: Visits) -> None:
    visited = visit(home(shop_server), allowed=("401", "WebSocket"))
    visited.page.evaluate(
        """localStorage.setItem("support-chat:default",
            JSON.stringify({ token: "e30.e30.x", sessionId: "session_old" }))"""
    )
    visited.page.reload()
    visited.open()
    visited.say(DELIVERY)
    assert "5 à 10 jours ouvrés" in visited.replied(1).inner_text()
    assert len(history_of(visited)) == 2


def test_what_comes_while_the_window_is_closed_is_marked(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server))
    visited.open()
    host = visited.page.locator("support-chat")
    visited.page.locator(".composer textarea").fill(DELIVERY)
    visited.page.keyboard.press("Enter")
    visited.page.keyboard.press("Escape")
    expect(host).to_have_attribute("data-unread", "")
    visited.open()
    expect(host).not_to_have_attribute("data-unread", "")
    assert "5 à 10 jours ouvrés" in visited.replied(1).inner_text()


def test_a_person_is_asked_for_and_the_wait_is_told(shop_server: Server, visit: Visits) -> None:
    visited = visit(home(shop_server))
    visited.open()
    visited.say("Je voudrais parler à un conseiller")
    visited.replied(1)
    expect(visited.page.locator(".banner")).to_contain_text("conseiller")
    expect(visited.page.locator(".banner")).to_contain_text(re.compile(r"minutes|reprennent"))


def test_a_person_takes_over_answers_and_closes(shop_server: Server, visit: Visits) -> None:
    visited = visit(home(shop_server))
    visited.open()
    visited.say("Je voudrais parler à un conseiller, code perroquet")
    visited.replied(1)
    with shop_server.client("agent@example.com") as agent:
        console = "/api/v1/console/conversations"
        found = agent.get(console, params={"search": "perroquet"}).json()["data"]
        path = f"{console}/{found[0]['id']}"
        assert agent.post(f"{path}/take", json={}).status_code == 200
        expect(visited.page.locator(".banner")).to_contain_text("Vous parlez avec")
        assert agent.post(f"{path}/typing", json={}).is_success
        expect(visited.page.locator(".writing")).to_be_in_viewport()
        answer = {"message": "Bonjour, je regarde votre dossier.", "client_message_id": "one"}
        assert agent.post(f"{path}/reply", json=answer).status_code == 201
        person = visited.page.locator(".reply-person")
        expect(person).to_contain_text("je regarde votre dossier")
        expect(visited.page.locator(".writing")).to_have_count(0)
        visited.page.reload()
        visited.open()
        expect(person).to_contain_text("je regarde votre dossier")
        expect(visited.page.locator(".banner")).to_contain_text("Vous parlez avec")
        assert agent.post(f"{path}/close", json={}).status_code == 200
    expect(visited.page.get_by_role("button", name="Évaluer cette conversation")).to_be_visible()
    expect(visited.page.locator(".banner")).to_have_count(0)


def test_what_an_answer_holds_is_text_and_nothing_else(shop_server: Server, visit: Visits) -> None:
    hostile = (
        "<img src=x onerror=alert(1)> ![p](https://evil.example/?q=1) "
        "[lien](javascript:alert(1)) https://shop.example/a?b=1."
    )

    def poison(line: WebSocketRoute) -> None:
        upstream = line.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            if frame["type"] == "sentence":
                frame["text"] = hostile
            line.send(json.dumps(frame))

        upstream.on_message(pass_on)

    visited = visit("about:blank")
    visited.page.route_web_socket(SOCKET, poison)
    visited.page.goto(home(shop_server))
    visited.open()
    asked: list[str] = []
    visited.page.on("request", lambda request: asked.append(request.url))
    visited.say(DELIVERY)
    reply = visited.replied(1)
    expect(reply).to_contain_text("<img src=x onerror=alert(1)>")
    assert reply.locator("img, script, iframe").count() == 0
    links = reply.locator("a").evaluate_all("all => all.map((one) => one.href)")
    assert set(links) <= {"https://evil.example/?q=1", "https://shop.example/a?b=1"}
    assert [url for url in asked if "evil" in url] == []


def test_a_conversation_can_be_rated_once_it_has_been_one(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(home(shop_server))
    visited.open()
    expect(visited.page.get_by_role("button", name="Terminer et évaluer")).to_have_count(0)
    visited.say(DELIVERY)
    visited.replied(1)
    visited.page.get_by_role("button", name="Terminer et évaluer").click()
    visited.page.get_by_role("radio", name="4 : Bien").check(force=True)
    visited.page.get_by_role("button", name="Envoyer mon avis").click()
    expect(visited.page.get_by_role("status").last).to_contain_text("Merci")
    visited.page.get_by_role("button", name="Nouvelle conversation").click()
    expect(visited.page.locator(".said")).to_have_count(0)


def test_on_a_phone_the_window_is_the_screen_and_the_camera_is_offered(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(
        home(shop_server), viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    visited.open()
    box = visited.panel.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    expect(visited.page.get_by_role("button", name="Prendre une photo")).to_be_visible()
    expect(visited.page.locator(".launcher")).to_be_hidden()
    visited.say("Je cherche un canapé gris à moins de 1500 €")
    visited.replied(1)
    wide = visited.page.locator(".scroll").evaluate("one => one.scrollWidth - one.clientWidth")
    assert wide == 0
