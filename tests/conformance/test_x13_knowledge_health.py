"""Row X13: what is stale, contradictory, never cited or unanswered, and what is done about it."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conformance.shapes import UNKNOWN_ID, assert_admin_failure
from tests.serving import Server

KNOWLEDGE = "/api/v1/knowledge"
DOCUMENTS = f"{KNOWLEDGE}/documents"
HEALTH = f"{KNOWLEDGE}/health"
CHECK_SECONDS = 60
SEARCHABLE_SECONDS = 2.0


def add(client: httpx.Client, title: str, text: str, **more: Any) -> dict[str, Any]:
    answer = client.post(DOCUMENTS, json={"title": title, "text": text, "language": "fr", **more})
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def check(client: httpx.Client) -> dict[str, Any]:
    """Check the knowledge and wait until that is done."""
    asked = client.post(f"{HEALTH}/check")
    assert asked.status_code == 202, asked.text
    deadline = time.monotonic() + CHECK_SECONDS
    while time.monotonic() < deadline:
        data: dict[str, Any] = client.get(HEALTH).json()["data"]
        if data["check"]["finished_at"] and data["check"]["id"] == asked.json()["data"]["id"]:
            assert data["check"]["state"] == "succeeded", data
            return data
        time.sleep(0.2)
    raise AssertionError("the check did not end")


def findings(client: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(
        f"{HEALTH}/findings", params={"per_page": 100, **asked}
    ).json()["data"]
    return rows


def gap_about(client: httpx.Client, word: str, status: str = "open") -> dict[str, Any]:
    asked = {"per_page": 100, "status": status}
    rows = client.get(f"{HEALTH}/unanswered", params=asked).json()["data"]
    (found,) = (row for row in rows if word in row["question"])
    gap: dict[str, Any] = found
    return gap


def test_x13_an_unanswered_question_becomes_an_answer(server: Server, admin: httpx.Client) -> None:
    """Asked in two ways, found as one, drafted from quotes, edited, published, answered."""
    ways = ("Louez-vous des trampolines gonflables ?", "Louez-vous un trampoline gonflable ?")
    for question in ways:
        with server.client() as visitor:
            assert visitor.post("/api/chat", json={"message": question}).json()["sources"] == []
    check(admin)
    gap = gap_about(admin, "trampoline")
    assert gap["questions"] == 2
    asked = admin.get(f"{HEALTH}/unanswered/{gap['id']}").json()["data"]["asked"]
    assert {one["text"] for one in asked} == set(ways)
    drafted = admin.post(f"{HEALTH}/unanswered/{gap['id']}/draft")
    assert drafted.status_code == 201, drafted.text
    draft = drafted.json()["data"]
    assert draft["status"] == "draft"
    assert ways[0] in draft["text"]
    assert ways[1] in draft["text"]
    assert gap_about(admin, "trampoline", "drafted")["status"] == "drafted"
    found = admin.get(f"{KNOWLEDGE}/search", params={"q": ways[0]}).json()["data"]
    assert draft["id"] not in {row["document_id"] for row in found}
    body = {
        "title": "Louez-vous des trampolines gonflables ?",
        "text": "Nous louons des trampolines gonflables de mai à septembre, en magasin seulement.",
        "status": "published",
    }
    assert admin.put(f"{DOCUMENTS}/{draft['id']}", json=body).status_code == 200
    assert gap_about(admin, "trampoline", "drafted")["status"] == "published"
    with server.client() as visitor:
        answer = visitor.post("/api/chat", json={"message": ways[1]}).json()
    assert "de mai à septembre" in answer["response"]
    assert draft["id"] in {source["id"] for source in answer["sources"]}


def test_x13_a_draft_only_quotes(server: Server, admin: httpx.Client) -> None:
    question = "Où passe-t-on le permis de piloter un hydravion ?"
    with server.client() as visitor:
        visitor.post("/api/chat", json={"message": question})
    check(admin)
    gap = gap_about(admin, "hydravion")
    draft = admin.post(f"{HEALTH}/unanswered/{gap['id']}/draft").json()["data"]
    listed = admin.get(DOCUMENTS, params={"per_page": 100, "search": ""}).json()["data"]
    known = [admin.get(f"{DOCUMENTS}/{one['id']}").json()["data"]["text"] for one in listed]
    titles = {one["title"] for one in listed}
    for line in filter(None, draft["text"].split("\n")):
        plain = line.lstrip("#- ").strip()
        is_ours = plain in ("Ce que les clients demandent", "Ce que disent déjà nos documents")
        quoted = plain in titles or plain == question or any(line in text for text in known)
        assert is_ours or quoted or len(listed) == 100, line


def test_x13_contradictions_and_past_days_are_found_and_dismissed(admin: httpx.Client) -> None:
    word = uuid4().hex[:6]
    add(admin, f"Poneys {word}", f"Le retour d’un poney {word} se fait sous 30 jours en magasin.")
    add(admin, f"Retour {word}", f"Le retour d’un poney {word} se fait sous 14 jours en magasin.")
    past = add(admin, f"Foire {word}", f"La foire {word} dure jusqu’au 3 mars 2021 à Lyon.")
    check(admin)
    contrary = [one for one in findings(admin, kind="contradiction") if word in one["title"]]
    assert len(contrary) == 1
    assert {contrary[0]["quote"][-21:], contrary[0]["other_quote"][-21:]} == {
        " 30 jours en magasin.",
        " 14 jours en magasin.",
    }
    (over,) = (one for one in findings(admin, kind="past_date") if one["document_id"] == past["id"])
    assert over["day"] == "2021-03-03"
    assert "jusqu’au 3 mars 2021" in over["quote"]
    assert admin.post(f"{HEALTH}/findings/{over['id']}/dismiss").status_code == 200
    assert over["id"] not in {one["id"] for one in findings(admin)}
    check(admin)
    assert over["id"] in {one["id"] for one in findings(admin, status="dismissed")}
    assert admin.post(f"{HEALTH}/findings/{over['id']}/reopen").status_code == 200
    assert over["id"] in {one["id"] for one in findings(admin)}


def test_x13_a_change_is_searched_within_two_seconds_and_undone(admin: httpx.Client) -> None:
    word = f"zibeline{uuid4().hex[:6]}"
    made = add(admin, f"Housse {word}", f"La housse {word} se lave à 30 degrés.")
    url = f"{DOCUMENTS}/{made['id']}"
    changed = {"title": f"Housse {word}", "text": f"La housse {word} se lave à la main."}
    began = time.monotonic()
    assert admin.put(url, json=changed).status_code == 200
    found = admin.get(f"{KNOWLEDGE}/search", params={"q": f"laver la housse {word}"}).json()
    assert time.monotonic() - began < SEARCHABLE_SECONDS
    assert found["data"][0]["document_id"] == made["id"]
    assert "à la main" in found["data"][0]["quote"]
    (version,) = admin.get(f"{url}/versions").json()["data"]
    assert "30 degrés" in version["text"]
    assert admin.post(f"{url}/versions/{version['id']}/restore").status_code == 200
    assert "30 degrés" in admin.get(url).json()["data"]["text"]


def test_x13_a_removed_document_comes_back(admin: httpx.Client) -> None:
    made = add(admin, f"Poney {uuid4().hex[:8]}", "Un poney en bois.")
    url = f"{DOCUMENTS}/{made['id']}"
    admin.delete(url)
    removed = admin.get(f"{KNOWLEDGE}/removed").json()["data"]
    (version,) = (one for one in removed if one["document_id"] == made["id"])
    restore = f"{url}/versions/{version['id']}/restore"
    assert admin.post(restore).json()["data"]["id"] == made["id"]
    assert admin.get(url).status_code == 200
    assert_admin_failure(admin.post(f"{url}/versions/{uuid4()}/restore"), 404, "NOT_FOUND")


def test_x13_who_changes_what_another_has_changed_is_told(admin: httpx.Client) -> None:
    made = add(admin, f"Poney {uuid4().hex[:8]}", "Un poney en bois.")
    url = f"{DOCUMENTS}/{made['id']}"
    read = admin.get(url).json()["data"]
    body = {"title": made["title"], "text": "Un poney en hêtre."}
    stale = {**body, "text": "Un poney en pin.", "if_updated_at": "2020-01-01T00:00:00Z"}
    assert_admin_failure(admin.put(url, json=stale), 409, "CONFLICT")
    fresh = {**body, "if_updated_at": read["updated_at"]}
    assert admin.put(url, json=fresh).status_code == 200
    assert_admin_failure(admin.put(f"{DOCUMENTS}/{uuid4()}", json=body), 404, "NOT_FOUND")


def test_x13_asking_shows_why(admin: httpx.Client) -> None:
    question = "Quels sont vos délais de livraison ?"
    rows = admin.get(f"{KNOWLEDGE}/ask", params={"q": question, "limit": 5}).json()["data"]
    assert len(rows) == 5
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in rows:
        parts = row["parts"]
        named = ("meaning", "words", "subject", "language")
        assert sum(parts[name] for name in named) == pytest.approx(parts["total"], abs=0.001)
        assert row["quote"] in row["passage"]
    searched = admin.get(f"{KNOWLEDGE}/search", params={"q": question, "limit": 5}).json()["data"]
    assert [row["document_id"] for row in searched] == [row["document_id"] for row in rows]
    assert rows[0]["verdict"] == "sure"


def test_x13_a_text_is_cut_as_it_will_be_indexed(admin: httpx.Client) -> None:
    text = "# Livraison\n\nUne semaine.\n\n## Corse\n\nDeux semaines, 149 €."
    preview = admin.post(f"{KNOWLEDGE}/preview", json={"text": text}).json()["data"]
    assert [one["heading"] for one in preview] == ["Livraison", "Livraison › Corse"]
    assert all(text[one["start"] : one["end"]] == one["text"] for one in preview)
    made = add(admin, f"Livraison {uuid4().hex[:8]}", text)
    kept = admin.get(f"{DOCUMENTS}/{made['id']}/passages").json()["data"]
    assert kept == preview


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", HEALTH),
        ("POST", f"{HEALTH}/check"),
        ("GET", f"{HEALTH}/findings"),
        ("POST", f"{HEALTH}/findings/{UNKNOWN_ID}/dismiss"),
        ("GET", f"{HEALTH}/unanswered"),
        ("GET", f"{HEALTH}/unanswered/{UNKNOWN_ID}"),
        ("POST", f"{HEALTH}/unanswered/{UNKNOWN_ID}/draft"),
        ("POST", f"{HEALTH}/unanswered/{UNKNOWN_ID}/reopen"),
        ("GET", f"{KNOWLEDGE}/removed"),
        ("GET", f"{DOCUMENTS}/{UNKNOWN_ID}/versions"),
    ],
)
def test_x13_agents_read_and_managers_decide(
    agent: httpx.Client, admin: httpx.Client, method: str, path: str
) -> None:
    assert_admin_failure(agent.request(method, path), 403, "PERMISSION_DENIED")
    assert admin.request(method, path).status_code in (200, 202, 404)


def test_x13_agents_change_no_document(agent: httpx.Client) -> None:
    body = {"title": "Poney", "text": "Un poney."}
    assert_admin_failure(agent.put(f"{DOCUMENTS}/{uuid4()}", json=body), 403, "PERMISSION_DENIED")
    assert agent.get(f"{KNOWLEDGE}/ask", params={"q": "livraison"}).status_code == 200


def test_x13_products_looked_for_in_vain_are_shown_apart(
    server: Server, admin: httpx.Client
) -> None:
    """Two customers look for the same thing in other words: one group, and no question."""
    for text in ("Je cherche une balancelle", "je voudrais des balancelles svp"):
        with server.client() as visitor:
            answer = visitor.post("/api/chat", json={"message": text})
            assert "aucun article" in answer.json()["response"], answer.text
    answer = admin.get(f"{HEALTH}/missing-products", params={"per_page": 100})
    assert answer.status_code == 200, answer.text
    (group,) = (one for one in answer.json()["data"] if "balancelle" in one["words"])
    assert group["words"] == "balancelles"
    assert group["searches"] == 2
    texts = [one["text"] for one in group["asked"]]
    assert texts == ["je voudrais des balancelles svp", "Je cherche une balancelle"]
    unknown = admin.get(f"{HEALTH}/unanswered", params={"per_page": 100}).json()["data"]
    assert not [one for one in unknown if "balancelle" in one["question"]]


def test_x13_an_agent_sees_no_products_looked_for(server: Server) -> None:
    with server.client("agent@example.com") as agent:
        assert_admin_failure(agent.get(f"{HEALTH}/missing-products"), 403, "PERMISSION_DENIED")
