"""The managers' pages in a real browser: figures, what is lacking, and editing the knowledge."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import PHONE, Visit, sample_shop
from tests.browser.managing import ailing_documents, give_past, show, sign_in
from tests.serving import Server

Visits = Callable[..., Visit]

VIEWS = ("", "intents", "unanswered", "health", "knowledge", "knowledge/new", "ask?q=livraison")
CHECK_MS = 60_000


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: where outcomes were computed already, an older past is not looked at."""
    with sample_shop(tmp_path_factory.mktemp("managed") / "data") as running:
        give_past(running)
        ailing_documents(running)
        yield running


@pytest.fixture
def page(managed: Server, visit: Visits) -> Page:
    opened = visit(f"{managed.base_url}/manage").page
    sign_in(opened)
    return opened


def violations(page: Page) -> list[Any]:
    results = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in results.response["violations"]
    ]


def checked(page: Page) -> None:
    """Check the knowledge and wait for the end."""
    run = page.get_by_role("button", name="Vérifier maintenant")
    run.click()
    expect(page.get_by_role("status").filter(has_text="Vérifié il y a")).to_be_visible(
        timeout=CHECK_MS
    )
    expect(run).to_be_enabled()


def title() -> str:
    return f"Poney {uuid4().hex[:8]}"


def test_the_dashboard_shows_each_ending_apart(page: Page) -> None:
    classes = page.locator(".class")
    expect(classes).to_have_count(7)
    names = ["Confirmées", "Supposées", "Rouvertes", "Transmises", "Sans réponse", "Trop tôt"]
    assert [text.split("\n")[0] for text in classes.all_inner_texts()][:6] == names
    counts = [
        int(re.sub(r"\D", "", text)) for text in page.locator(".class-count").all_inner_texts()
    ]
    tile = page.locator(".tile-value").first.inner_text()
    assert sum(counts) == int(re.sub(r"\D", "", tile)) > 300
    expect(page.locator(".chart canvas")).to_have_count(2)
    # The pointer over a day tells that day's numbers.
    page.locator(".u-over").first.hover()
    expect(page.locator(".chart-reading").first).to_contain_text("Confirmées")


def test_period_and_channel_narrow_the_figures(page: Page) -> None:
    tile = page.locator(".tile-value").first
    whole = tile.inner_text()
    page.get_by_label("Période", exact=True).select_option("7")
    expect(tile).not_to_have_text(whole)
    week = tile.inner_text()
    page.get_by_label("Canal", exact=True).select_option("email")
    expect(tile).not_to_have_text(week)
    assert "channel=email" in page.url
    page.get_by_label("Période", exact=True).select_option("own")
    page.get_by_label("Du", exact=True).fill("2020-01-01")
    page.get_by_label("Du", exact=True).blur()
    page.get_by_label("Au", exact=True).fill("2020-01-31")
    page.get_by_label("Au", exact=True).blur()
    expect(page.get_by_text("Aucune conversation sur cette période")).to_be_visible()


def test_a_table_is_downloaded(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Exporter").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Par jour (CSV)").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header[:2] == ["day", "conversations"]
    assert len(rows) == 30


def test_unanswered_questions_become_an_article(page: Page, managed: Server) -> None:
    show(page, managed, "unanswered")
    checked(page)
    row = page.locator(".row-item", has_text="chèques vacances").first
    row.get_by_role("button", expanded=False).first.click()
    expect(row.locator(".asked a").first).to_contain_text("chèques vacances")
    row.get_by_role("button", name="Rédiger un article").click()
    expect(page.get_by_text("Brouillon", exact=True)).to_be_visible()
    expect(page.get_by_label("Texte")).to_have_value(re.compile("Ce que les clients demandent"))
    page.get_by_label("Texte").fill("Nous acceptons les chèques vacances ANCV en magasin.")
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_text("Publié. L’assistant peut le citer.")).to_be_visible()
    show(page, managed, "ask?q=Acceptez-vous les chèques vacances ?")
    expect(page.locator(".answer").first).to_contain_text("chèques vacances ANCV en magasin")
    show(page, managed, "unanswered?status=drafted")
    expect(page.locator(".row-item").first).to_contain_text("Article publié")


def test_products_looked_for_in_vain_are_shown_apart(page: Page, managed: Server) -> None:
    show(page, managed, "unanswered")
    page.get_by_role("button", name="Produits introuvables").click()
    group = page.locator(".row-item").filter(has_text="balancelle")
    expect(group).to_contain_text("Cherché 1 fois")
    group.locator(".row-title").click()
    expect(group.get_by_role("link", name="Je cherche une balancelle")).to_be_visible()
    page.get_by_role("button", name="À traiter").click()
    expect(page.locator(".row-item").first).to_contain_text("Posée")


def test_dismissing_can_be_undone(page: Page, managed: Server) -> None:
    show(page, managed, "health")
    checked(page)
    finding = page.locator(".row-item", has_text="Soldes d’été")
    finding.get_by_role("button", name="Écarter").click()
    expect(finding).to_have_count(0)
    page.get_by_role("button", name="Annuler").click()
    expect(finding).to_be_visible()
    contrary = page.locator(".row-item", has_text="Retour à distance")
    expect(contrary).to_contain_text("30 jours")
    expect(contrary).to_contain_text("14 jours")


def test_an_article_is_written_changed_and_undone(page: Page, managed: Server) -> None:
    name = title()
    show(page, managed, "knowledge/new")
    page.get_by_label("Titre").fill(name)
    page.get_by_label("Mots-clés").fill("bois, jouet")
    page.get_by_label("Texte").fill("# Matière\n\nLe poney est en **hêtre**.\n\n- lavable")
    preview = page.locator(".markdown")
    expect(preview.get_by_role("heading", name="Matière")).to_be_visible()
    expect(preview.locator("strong")).to_have_text("hêtre")
    page.get_by_role("tab", name="Passages").click()
    expect(page.locator(".passage").first).to_contain_text("Le poney est en **hêtre**.")
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_text("Publié", exact=True)).to_be_visible()
    page.get_by_label("Texte").fill("Le poney est en pin.")
    expect(page.get_by_text("Modifications non enregistrées")).to_be_visible()
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.get_by_text("Enregistré. La recherche le connaît déjà.")).to_be_visible()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Rétablir").first.click()
    expect(page.get_by_label("Texte")).to_have_value(re.compile("hêtre"))


def test_what_was_written_is_not_lost_by_looking_elsewhere(page: Page, managed: Server) -> None:
    show(page, managed, "knowledge/new")
    page.get_by_label("Titre").fill("Pas encore enregistré")
    page.get_by_role("link", name="Retour aux documents").click()
    page.locator(".documents").wait_for()
    page.get_by_role("link", name="Nouvel article").click()
    expect(page.get_by_label("Titre")).to_have_value("Pas encore enregistré")
    page.get_by_label("Titre").fill("")


def test_removing_asks_and_is_undone(page: Page, managed: Server) -> None:
    name = title()
    with managed.client("admin@example.com") as admin:
        body = {"title": name, "text": "Un poney en bois.", "language": "fr"}
        id = admin.post("/api/v1/knowledge/documents", json=body).json()["data"]["id"]
    show(page, managed, f"knowledge/{id}")
    page.get_by_role("button", name="Supprimer").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Annuler").click()
    expect(page.get_by_label("Titre")).to_have_value(name)
    page.get_by_role("button", name="Supprimer").click()
    dialog.get_by_role("button", name="Supprimer").click()
    expect(page.get_by_text("Document supprimé.")).to_be_visible()
    page.get_by_role("button", name="Annuler").click()
    expect(page.get_by_label("Titre")).to_have_value(name)
    with managed.client("admin@example.com") as admin:
        assert admin.get(f"/api/v1/knowledge/documents/{id}").status_code == 200


def test_files_are_added_with_their_problems(managed: Server, visit: Visits) -> None:
    name = title()
    page = visit(f"{managed.base_url}/manage", allowed=("Failed to load resource",)).page
    sign_in(page)
    show(page, managed, "knowledge")
    page.get_by_role("button", name="Ajouter des fichiers").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Mots-clés pour ces fichiers").fill("essai")
    good = FilePayload(
        name="poney.md", mimeType="text/markdown", buffer=f"# {name}\n\nEn bois.".encode()
    )
    bad = FilePayload(name="poney.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4 rien")
    dialog.locator("input[type=file]").set_input_files([bad, good])
    expect(dialog.get_by_text("1 document ajouté")).to_be_visible()
    expect(dialog.get_by_role("alert")).to_have_text("Ce fichier ne peut pas être lu.")
    dialog.get_by_role("button", name="Fermer").click()
    page.get_by_label("Chercher dans les titres").fill(name)
    rows = page.locator(".documents tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(name)
    rows.get_by_role("link", name="essai").click()
    expect(page.get_by_role("button", name="essai")).to_be_visible()


def test_asking_shows_ranked_passages_with_reasons(page: Page, managed: Server) -> None:
    show(page, managed, "ask")
    page.get_by_label("Question").fill("Quels sont vos délais de livraison ?")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("L’assistant répondrait")
    first = page.locator(".answer").first
    expect(first.locator("mark")).to_be_visible()
    for part in ("Mots communs", "Sens", "Sujet", "Total"):
        expect(first.locator(".why")).to_contain_text(part)


def test_an_agent_is_kept_out(managed: Server, visit: Visits) -> None:
    page = visit(f"{managed.base_url}/manage").page
    sign_in(page, "agent@example.com")
    expect(page.get_by_text("Cet espace n’est pas ouvert à votre rôle")).to_be_visible()
    expect(page.get_by_role("link", name="Tableau de bord")).to_have_count(0)


def test_what_cannot_be_read_says_so_and_is_tried_again(managed: Server, visit: Visits) -> None:
    page = visit(f"{managed.base_url}/manage", allowed=("Failed to load resource",)).page
    failing = re.compile(r"/api/v1/analytics/overview")
    page.route(failing, lambda route: route.abort())
    sign_in(page)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Impossible de charger")
    page.unroute(failing)
    problem.get_by_role("button", name="Réessayer").click()
    expect(page.locator(".tiles")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_every_view_is_accessible(managed: Server, visit: Visits, scheme: str, screen: str) -> None:
    options: dict[str, Any] = {"color_scheme": scheme}
    if screen == "phone":
        options |= {"viewport": PHONE, "is_mobile": True}
    page = visit(f"{managed.base_url}/manage", **options).page
    sign_in(page)
    for view in VIEWS:
        show(page, managed, view)
        assert violations(page) == [], view
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], view


def test_the_pages_speak_english(managed: Server, visit: Visits) -> None:
    page = visit(f"{managed.base_url}/manage", locale="en-GB").page
    sign_in(page)
    for view, heading in {
        "": "Overview",
        "unanswered": "Unanswered questions",
        "health": "Document health",
        "knowledge": "Documents",
        "ask": "Ask the knowledge",
    }.items():
        show(page, managed, view)
        expect(page.get_by_role("heading", name=heading, level=1).last).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
