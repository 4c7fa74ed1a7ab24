"""Do agents at their desk get every conversation, answer in it, and give it back?"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.console import (
    ADMIN,
    AGENT,
    Visits,
    new_customer,
    newest_conversation,
    open_console,
    waiting_customer,
)
from tests.browser.crowd import talk_over_sockets
from tests.pictures import photo
from tests.serving import Server

DELIVERY = "Quels sont vos délais de livraison ?"
BROKEN = "Mon canapé Oslo est arrivé abîmé, l’accoudoir est déchiré"
PHOTO: FilePayload = {"name": "accoudoir.jpg", "mimeType": "image/jpeg", "buffer": photo()}


def test_only_staff_come_in_and_only_with_their_password(
    shop_server: Server, visit: Visits
) -> None:
    visited = visit(f"{shop_server.base_url}/console", allowed=("401",))
    page = visited.page
    page.locator("#email").fill(AGENT)
    page.locator("#password").fill("not-the-password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("ne convient pas")
    page.locator("#email").fill("customer@example.com")
    page.locator("#password").fill("password123")
    page.keyboard.press("Enter")
    expect(page.get_by_text("n’est pas ouvert à votre rôle")).to_be_visible()


def test_an_agent_stays_signed_in_over_a_reload_and_is_gone_after_signing_out(
    shop_server: Server, visit: Visits
) -> None:
    console = open_console(visit, shop_server)
    page = console.page
    areas = page.get_by_role("navigation").get_by_role("link")
    expect(areas.first).to_have_text("Conversations")
    expect(page.get_by_role("link", name="Tableau de bord")).to_have_count(0)
    page.reload()
    page.locator(".shell").wait_for()
    page.locator(".person").click()
    page.get_by_role("menuitem", name="Se déconnecter").click()
    page.locator("#email").wait_for()
    page.reload()
    page.locator("#email").wait_for()


def test_managers_find_their_own_areas_beside_the_console(
    shop_server: Server, visit: Visits
) -> None:
    page = open_console(visit, shop_server, ADMIN).page
    expect(page.get_by_role("link", name="Tableau de bord")).to_have_attribute("href", "/manage")
    expect(page.get_by_role("link", name="Connaissances")).to_have_attribute(
        "href", "/manage#/knowledge"
    )


def test_widget_and_console_side_by_side_take_answer_and_hand_back(
    shop_server: Server, visit: Visits
) -> None:
    console = open_console(visit, shop_server)
    page = console.page
    page.get_by_role("link", name=re.compile("^Sans conseiller")).first.click()
    page.locator(".list-head").wait_for()

    shop = visit(f"{shop_server.base_url}/")
    shop.open()
    shop.say(DELIVERY)
    shop.replied(1)
    shop.say("Je voudrais parler à un conseiller")
    shop.replied(2)
    # It appears by itself.
    row = page.locator(f"#row-{newest_conversation(shop_server)}")
    expect(row).to_contain_text("J’ai transmis notre conversation")
    row.click()
    expect(console.thread).to_contain_text("5 à 10 jours ouvrés")
    expect(console.thread.locator(".behind")).not_to_have_count(0)

    console.take()
    shop.page.locator(".composer textarea").press_sequentially("Bonjour")
    expect(console.thread.locator(".writing")).to_contain_text("écrit")
    shop.say("Bonjour, mon canapé grince")
    expect(console.thread.locator(".message-user").last).to_contain_text("grince")

    console.field.press_sequentially("Bon")
    expect(shop.page.locator(".writing")).to_be_visible()
    console.reply("Bonjour, je regarde cela tout de suite.")
    expect(shop.page.locator(".reply-person .bubble").last).to_contain_text("tout de suite")

    console.button("Rendre à l’assistant").first.click()
    expect(console.toast().last).to_contain_text("reprend la conversation")
    shop.say(DELIVERY)
    expect(shop.page.locator(".reply:not(.reply-person) .bubble").last).to_contain_text(
        "5 à 10 jours ouvrés"
    )
    expect(console.thread.locator(".message-assistant").last).to_contain_text("5 à 10 jours ouvrés")


def test_of_two_agents_who_take_it_at_once_one_has_it_and_the_other_is_told(
    shop_server: Server, visit: Visits
) -> None:
    _, id = waiting_customer(shop_server)
    consoles = [
        open_console(visit, shop_server, email, allowed=("409",)) for email in (AGENT, ADMIN)
    ]
    for console in consoles:
        console.open(id)
        console.button("Prendre").wait_for()
    for console in consoles:
        # Both presses are under way before either is answered.
        console.button("Prendre").evaluate("button => { setTimeout(() => button.click(), 0) }")
    for console in consoles:
        console.toast().first.wait_for()
    said = sorted(console.toast().first.inner_text().strip() for console in consoles)
    assert said[1] == "Vous avez la conversation.", said
    assert said[0].endswith("vient de prendre cette conversation."), said
    with_it = [console for console in consoles if console.field.is_visible()]
    assert len(with_it) == 1
    other = next(console for console in consoles if console is not with_it[0])
    expect(other.page.locator(".composer-take")).to_contain_text("a cette conversation")


def test_a_proposal_is_corrected_and_the_correction_becomes_a_test(
    shop_server: Server, visit: Visits
) -> None:
    customer, id = waiting_customer(shop_server)
    console = open_console(visit, shop_server)
    console.open(id)
    console.take()
    customer.say(DELIVERY)
    expect(console.thread.locator(".message-user").last).to_contain_text("délais")
    console.page.keyboard.press("Escape")
    console.page.keyboard.press("s")
    proposal = console.page.get_by_role("region", name="Proposition de l’assistant")
    expect(proposal).to_contain_text("5 à 10 jours ouvrés")
    proposal.get_by_role("button", name="Utiliser").click()
    text = console.field.input_value()
    corrected = text.replace("5 à 10 jours ouvrés", "6 à 12 jours ouvrés")
    assert corrected != text
    console.reply(corrected.splitlines()[0])
    card = console.page.locator(".suggestion-test")
    expect(card).to_contain_text("Vous avez corrigé la proposition")
    card.get_by_role("button", name="En faire un test").click()
    expect(console.toast().last).to_contain_text("Test gardé")
    with shop_server.client(ADMIN) as admin:
        case = admin.get("/api/v1/evaluations/cases").json()["data"][0]
        kept = admin.get(f"/api/v1/evaluations/cases/{case['id']}").json()["data"]
    assert "6 à 12" in str(kept["scenario"])


def test_notes_stay_inside_and_can_be_taken_back(shop_server: Server, visit: Visits) -> None:
    customer, id = waiting_customer(shop_server)
    console = open_console(visit, shop_server)
    console.open(id)
    console.page.keyboard.press("n")
    console.field.fill("A déjà appelé le magasin hier.")
    console.button("Garder la note").click()
    note = console.thread.locator(".note")
    expect(note).to_contain_text("déjà appelé")
    assert "déjà appelé" not in customer.history()
    note.get_by_role("button", name="Supprimer cette note").click()
    expect(note).to_have_count(0)
    console.toast().filter(has_text="supprimée").get_by_role("button", name="Annuler").click()
    expect(console.thread.locator(".note")).to_contain_text("déjà appelé")


def test_macros_are_kept_and_filled_in(shop_server: Server, visit: Visits) -> None:
    _, id = waiting_customer(shop_server)
    console = open_console(visit, shop_server)
    page = console.page
    console.open(id)
    console.take()
    console.button("Modèles").click()
    page.get_by_role("menuitem", name="Gérer les modèles…").click()
    console.button("Nouveau modèle").click()
    page.locator("#macro-name").fill("Demander l’étiquette")
    page.locator("#macro-body").fill("Ici {agent} de {shop} : une photo de l’étiquette ?")
    console.button("Enregistrer").click()
    page.get_by_role("button", name="Fermer").first.click()
    console.button("Modèles").click()
    page.get_by_role("menuitem", name="Demander l’étiquette").click()
    assert (
        console.field.input_value() == "Ici Alex de Meuble de France : une photo de l’étiquette ?"
    )


def test_a_photo_that_comes_later_appears_on_the_open_ticket(
    shop_server: Server, visit: Visits
) -> None:
    with shop_server.client("customer@example.com") as client:
        said = {"session_id": "console-later-photo", "language": "fr"}
        for text in (BROKEN, "oui"):
            answer = client.post("/api/chat", json={**said, "message": text})
        number = answer.json()["tool_results"][0]["result"]["ticket_id"]
        console = open_console(visit, shop_server)
        console.page.evaluate("number => location.hash = `/tickets/all/${number}`", number)
        ticket = console.page.locator(".ticket")
        expect(ticket.locator(".clock")).to_be_visible()
        expect(ticket.locator(".files img")).to_have_count(0)
        files = {"file": (PHOTO["name"], PHOTO["buffer"], PHOTO["mimeType"])}
        photo_id = client.post("/api/upload", files=files).json()["file_id"]
        body = {**said, "message": "voici la photo", "attachments": [photo_id]}
        answered = client.post("/api/chat", json=body).json()["response"]
    assert number in answered
    expect(ticket.locator(".files img")).to_have_count(1)
    ticket.locator(".history summary").click()
    expect(ticket.locator(".history")).to_contain_text("Fichiers ajoutés : 1")


def test_what_a_customer_sent_and_the_file_are_beside_the_thread(
    shop_server: Server, visit: Visits
) -> None:
    with shop_server.client("customer@example.com") as client:
        files = {"file": (PHOTO["name"], PHOTO["buffer"], PHOTO["mimeType"])}
        photo_id = client.post("/api/upload", files=files).json()["file_id"]
        said = {"session_id": "console-file", "language": "fr"}
        for text, attached in ((BROKEN, [photo_id]), ("oui", []), ("Un conseiller !!", [])):
            body = {**said, "message": text, "attachments": attached}
            assert client.post("/api/chat", json=body).status_code == 200
    console = open_console(visit, shop_server)
    page = console.page
    console.rows.first.click()
    picture = console.thread.get_by_role("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    panel = page.get_by_role("complementary", name="Dossier et tickets")
    expect(panel).to_contain_text("Camille Martin")
    expect(panel).to_contain_text("customer@example.com")
    for section in ("Humeur", "Faits donnés", "Tickets", "Commandes", "Étapes tentées"):
        expect(panel.get_by_role("heading", name=section, exact=True)).to_be_visible()
    panel.locator(".panel-ticket").first.click()
    clock = panel.locator(".clock strong")
    expect(clock).to_contain_text("restant")
    before = clock.inner_text()
    page.wait_for_timeout(2_100)
    assert clock.inner_text() != before, "the clock of the promise runs"


def test_a_ticket_is_changed_given_merged_and_taken_back(
    shop_server: Server, visit: Visits
) -> None:
    numbers = file_tickets(shop_server, 2)
    console = open_console(visit, shop_server)
    page = console.page
    page.evaluate("number => { location.hash = `/tickets/all/${number}` }", numbers[0])
    status = page.get_by_label("État", exact=True)
    status.select_option("in_progress")
    expect(console.toast().last).to_contain_text("Ticket modifié")
    expect(page.locator(".ticket-head .badge").first).to_have_text("En cours")
    page.get_by_label("Responsable").select_option("round_robin")
    expect(page.get_by_label("Responsable")).not_to_have_value("")
    related = page.get_by_role("button", name=f"Fusionner dans {numbers[1]}")
    related.click()
    page.get_by_role("dialog").get_by_role("button", name="Fusionner").click()
    expect(page.locator(".ticket-head")).to_contain_text(numbers[1])
    merged = console.toast().filter(has_text="a été fusionné")
    merged.get_by_role("button", name="Annuler").click()
    expect(console.toast().filter(has_text="de nouveau ouvert")).to_be_visible()
    with shop_server.client(AGENT) as agent:
        panel = agent.get(f"/api/v1/console/tickets/{numbers[0]}").json()["data"]
    assert (panel["status"], panel["merged"]) == ("open", False)


def file_tickets(server: Server, count: int) -> list[str]:
    numbers = []
    with server.client("customer@example.com") as client:
        for index in range(count):
            body = {
                "product_sku": None,
                "order_number": None,
                "problem_category": "montage",
                "problem_severity": "moyen",
                "description": f"La notice de montage manque, étape {index}",
                "contact_email": "customer@example.com",
            }
            answer = client.post("/api/tickets", json=body)
            numbers.append(str(answer.json()["ticket"]["ticket_id"]))
    return numbers


def test_a_ticket_that_is_filed_elsewhere_appears_by_itself(
    shop_server: Server, visit: Visits
) -> None:
    console = open_console(visit, shop_server)
    console.page.evaluate("location.hash = '/tickets/all'")
    console.page.locator(".list-title", has_text="Tous").wait_for()
    [number] = file_tickets(shop_server, 1)
    expect(console.rows.first).to_contain_text(number)
    console.page.evaluate("location.hash = '/conversations/all'")
    expect(console.page.locator(".list-title")).to_have_text("Toutes")
    expect(console.rows.filter(has_text=number)).to_have_count(0)


def test_conversations_are_found_by_words_and_searches_are_kept(
    shop_server: Server, visit: Visits
) -> None:
    word = "chrysanthème"
    new_customer(shop_server).say(f"Avez-vous un tapis {word} ?")
    console = open_console(visit, shop_server)
    page = console.page
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type(word)
    expect(console.rows).to_have_count(1)
    console.button("Garder cette recherche").click()
    page.get_by_placeholder("Nom de la recherche").fill("Fleurs")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Fleurs")
    expect(link).to_have_attribute("aria-current", "true")
    page.locator("#search").fill("rien-de-tel-nulle-part")
    expect(page.get_by_text("Aucun résultat")).to_be_visible()
    link.click()
    expect(console.rows).to_have_count(1)
    page.get_by_role("button", name="Oublier « Fleurs »").click()
    expect(link).to_have_count(0)
    console.toast().filter(has_text="oubliée").get_by_role("button", name="Annuler").click()
    expect(page.get_by_role("link", name="Fleurs")).to_have_count(1)
    page.get_by_role("button", name="Oublier « Fleurs »").click()
    expect(page.get_by_role("link", name="Fleurs")).to_have_count(0)


def test_the_keyboard_leads_everywhere(shop_server: Server, visit: Visits) -> None:
    for _ in range(2):
        waiting_customer(shop_server)
    console = open_console(visit, shop_server)
    page = console.page
    console.rows.first.wait_for()
    selected = page.locator(".list-row[aria-selected=true]")
    page.keyboard.press("j")
    first = selected.get_attribute("id")
    page.keyboard.press("j")
    assert selected.get_attribute("id") != first
    page.keyboard.press("k")
    assert selected.get_attribute("id") == first
    page.keyboard.press("Enter")
    console.thread.wait_for()
    page.keyboard.press("a")
    console.field.wait_for()
    page.keyboard.press("r")
    expect(console.field).to_be_focused()
    page.keyboard.press("Escape")
    panel = page.get_by_role("complementary", name="Dossier et tickets")
    expect(panel).to_be_visible()
    page.keyboard.press("t")
    expect(panel).to_have_count(0)
    page.keyboard.press("n")
    expect(console.field).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Touches du clavier")
    expect(help_).to_contain_text("Prendre la conversation")
    page.keyboard.press("Escape")
    expect(help_).to_have_count(0)
    page.keyboard.press("Escape")
    expect(console.thread).to_have_count(0)


def test_it_says_when_it_is_cut_and_misses_nothing(shop_server: Server, visit: Visits) -> None:
    customer, id = waiting_customer(shop_server)
    console = open_console(visit, shop_server, allowed=("ERR_INTERNET_DISCONNECTED",))
    console.open(id)
    console.take()
    console.visited.context.set_offline(True)
    expect(console.page.locator(".notice")).to_contain_text("Hors ligne")
    customer.say("Vous êtes toujours là ?")
    console.visited.context.set_offline(False)
    expect(console.page.locator(".notice")).to_have_count(0)
    expect(console.thread.locator(".message-user").last).to_contain_text("toujours là")


def test_an_answer_that_could_not_be_sent_is_sent_again_once(
    shop_server: Server, visit: Visits
) -> None:
    _, id = waiting_customer(shop_server)
    console = open_console(visit, shop_server, allowed=("net::ERR_FAILED", "Failed to load"))
    console.open(id)
    console.take()
    lost: list[str] = []

    def lose(route: object) -> None:
        # The server has it; the answer is lost on the way back.
        route.fetch()  # type: ignore[attr-defined]
        lost.append("reply")
        route.abort()  # type: ignore[attr-defined]

    console.page.route(re.compile(r"/reply$"), lose, times=1)
    console.field.fill("Je vous rappelle demain.")
    console.page.keyboard.press("Control+Enter")
    console.button("Renvoyer").click()
    expect(console.thread.locator(".message-outgoing")).to_have_count(0)
    assert lost == ["reply"]
    expect(console.thread.locator(".message-agent", has_text="demain")).to_have_count(1)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_interface_speaks_the_browsers_language(
    shop_server: Server, visit: Visits, language: str
) -> None:
    locale = {"fr": "fr-FR", "en": "en-GB"}[language]
    visited = visit(f"{shop_server.base_url}/console", locale=locale)
    wanted = {"fr": "Se connecter", "en": "Sign in"}[language]
    expect(visited.page.get_by_role("button", name=wanted)).to_be_visible()
    assert visited.page.evaluate("document.documentElement.lang") == language


def test_200_conversations_live_at_once_reach_the_console(
    shop_server: Server, visit: Visits
) -> None:
    console = open_console(visit, shop_server)
    console.rows.first.wait_for()
    with ThreadPoolExecutor(1) as aside:
        talking = aside.submit(talk_over_sockets, shop_server, 200)
        while not talking.done():
            console.page.wait_for_timeout(200)
        answered = talking.result()
    assert answered == 200
    # All of them came to the list by themselves, above what was there.
    console.page.evaluate("document.querySelector('.rows').scrollTop = 0")
    with shop_server.client(AGENT) as agent:
        newest = agent.get("/api/v1/console/conversations", params={"limit": 100}).json()["data"]
    for one in newest[:5]:
        expect(console.page.locator(f"#row-{one['id']}")).to_be_visible()
