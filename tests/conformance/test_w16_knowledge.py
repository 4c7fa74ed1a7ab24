"""Rows W13 and W16: managing what the assistant answers from, in the operators' envelope."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conformance.shapes import (
    UNKNOWN_ID,
    assert_admin_failure,
    assert_schema_failure,
    moment,
)

DOCUMENTS = "/api/v1/knowledge/documents"
SEARCH = "/api/v1/knowledge/search"
SEARCHABLE_SECONDS = 2.0


def article(topic: str) -> dict[str, Any]:
    return {
        "title": f"Location de tentes {topic}",
        "text": f"La tente de réception {topic} se loue à la semaine, montage compris. "
        "La caution est rendue au retour.",
        "language": "fr",
        "tags": ["location"],
    }


def add(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post(DOCUMENTS, json={**article(uuid4().hex[:8]), **changes})
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def first_hit(client: httpx.Client, question: str) -> dict[str, Any] | None:
    answer = client.get(SEARCH, params={"q": question, "limit": 3})
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows[0] if rows else None


def test_w16_a_document_is_added_in_the_envelope(admin: httpx.Client) -> None:
    answer = admin.post(DOCUMENTS, json=article("Alpaga"))
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"status", "message", "data", "errors", "metadata"}
    assert body["status"] == "success"
    assert set(body["data"]) == {"id", "title", "language"}
    assert body["data"]["title"] == "Location de tentes Alpaga"
    assert body["data"]["language"] == "fr"


def test_w16_a_document_is_found_within_two_seconds(admin: httpx.Client) -> None:
    topic = "Zéphyrine"
    id = admin.post(DOCUMENTS, json=article(topic)).json()["data"]["id"]
    deadline = time.monotonic() + SEARCHABLE_SECONDS
    question = f"Combien de temps peut-on louer la tente {topic} ?"
    hit = first_hit(admin, question)
    while (hit is None or hit["document_id"] != id) and time.monotonic() < deadline:
        time.sleep(0.1)
        hit = first_hit(admin, question)
    assert hit is not None
    assert hit["document_id"] == id
    assert hit["title"] == f"Location de tentes {topic}"
    assert hit["quote"]
    assert hit["quote"] in article(topic)["text"]
    assert 0 < hit["score"] <= 1


def test_w16_a_removed_document_is_found_no_more(admin: httpx.Client) -> None:
    id = admin.post(DOCUMENTS, json=article("Ocarina")).json()["data"]["id"]
    time.sleep(SEARCHABLE_SECONDS)
    assert admin.delete(f"{DOCUMENTS}/{id}").status_code == 200
    assert_admin_failure(admin.get(f"{DOCUMENTS}/{id}"), 404, "NOT_FOUND")
    assert_admin_failure(admin.delete(f"{DOCUMENTS}/{id}"), 404, "NOT_FOUND")
    time.sleep(SEARCHABLE_SECONDS)
    hit = first_hit(admin, "louer la tente Ocarina")
    assert hit is None or hit["document_id"] != id


def test_w16_search_gives_one_row_a_document(admin: httpx.Client) -> None:
    rows = admin.get(SEARCH, params={"q": "délais de livraison", "limit": 5}).json()["data"]
    assert 1 <= len(rows) <= 5
    assert len({row["document_id"] for row in rows}) == len(rows)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)


def test_w16_a_document_is_read_with_its_text(admin: httpx.Client) -> None:
    new = article("Mandoline")
    id = admin.post(DOCUMENTS, json=new).json()["data"]["id"]
    data = admin.get(f"{DOCUMENTS}/{id}").json()["data"]
    assert data["text"] == new["text"]
    assert data["tags"] == ["location"]
    assert moment(data["created_at"]) == moment(data["updated_at"])


def test_w13_a_list_says_where_its_page_stands(admin: httpx.Client) -> None:
    mark = uuid4().hex
    for number in range(3):
        add(admin, title=f"Page {mark} {number}")
    query = {"search": mark, "per_page": 2}
    first = admin.get(DOCUMENTS, params=query).json()
    assert first["status"] == "success"
    assert len(first["data"]) == 2
    assert first["pagination"] == {
        "page": 1,
        "per_page": 2,
        "total": 3,
        "pages": 2,
        "has_next": True,
        "has_prev": False,
    }
    second = admin.get(DOCUMENTS, params={**query, "page": 2}).json()
    assert len(second["data"]) == 1
    assert second["pagination"]["has_next"] is False
    assert second["pagination"]["has_prev"] is True
    beyond = admin.get(DOCUMENTS, params={**query, "page": 9}).json()
    assert beyond["data"] == []


@pytest.mark.parametrize("path", [DOCUMENTS, SEARCH])
def test_w13_a_last_slash_changes_nothing(admin: httpx.Client, path: str) -> None:
    plain, slashed = (admin.get(item, params={"q": "retour"}) for item in (path, path + "/"))
    assert plain.status_code == slashed.status_code == 200
    assert plain.json()["data"] == slashed.json()["data"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("retour.md", "---\ntitle: Vélos cargo\n---\n# Vélos cargo\n\nLe vélo cargo se prête."),
        ("retour.html", "<html><title>Vélos cargo</title><p>Le vélo cargo se prête.</p></html>"),
        ("retour.csv", "question;réponse\nVélos cargo ?;Le vélo cargo se prête.\n"),
    ],
)
def test_w16_a_file_becomes_a_document(admin: httpx.Client, name: str, content: str) -> None:
    files = {"file": (name, content.encode(), "application/octet-stream")}
    answer = admin.post(DOCUMENTS, files=files, data={"language": "fr"})
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert "Vélos cargo" in data["title"]
    assert data["language"] == "fr"
    text = admin.get(f"{DOCUMENTS}/{data['id']}").json()["data"]["text"]
    assert "Le vélo cargo se prête." in text


def test_w16_a_csv_of_several_rows_becomes_several_documents(admin: httpx.Client) -> None:
    content = "title;text\nLuge A;La luge A se loue.\nLuge B;La luge B se vend.\n"
    answer = admin.post(DOCUMENTS, files={"file": ("luges.csv", content.encode())})
    assert answer.status_code == 201
    body = answer.json()
    listed = body["metadata"]["documents"]
    assert [item["title"] for item in listed] == ["Luge A", "Luge B"]
    assert body["data"] == listed[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 301},
        {"title": None},
        {"text": ""},
        {"text": 5},
        {"language": "xx"},
        {"tags": "location"},
        {"tags": [1]},
        {"organization_id": str(uuid4())},
    ],
)
def test_w13_what_does_not_fit_the_schema_is_422(
    admin: httpx.Client, changes: dict[str, Any]
) -> None:
    errors = assert_schema_failure(admin.post(DOCUMENTS, json={**article("Essai"), **changes}))
    assert errors[0]["loc"][:2] == ["body", next(iter(changes))]


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=101", "page=" + "9" * 5000])
def test_w13_a_list_refuses_bad_pages(admin: httpx.Client, query: str) -> None:
    assert_schema_failure(admin.get(f"{DOCUMENTS}?{query}"))


@pytest.mark.parametrize("query", ["", "q=", "q=a&limit=0", "q=a&limit=51", "q=%00"])
def test_w16_a_search_refuses_what_it_cannot_search(admin: httpx.Client, query: str) -> None:
    assert_schema_failure(admin.get(f"{SEARCH}?{query}"))


def test_w16_a_file_is_needed(admin: httpx.Client) -> None:
    assert_schema_failure(admin.post(DOCUMENTS, data={"title": "x"}))
    assert_schema_failure(admin.post(DOCUMENTS, files={"other": ("a.md", b"# A")}))
    assert_schema_failure(admin.post(DOCUMENTS, content=b"text"))


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\x03" * 100, b"%PDF-1.7 broken"])
def test_w16_a_file_that_cannot_be_read_is_400(admin: httpx.Client, content: bytes) -> None:
    answer = admin.post(DOCUMENTS, files={"file": ("x.pdf", content, "application/pdf")})
    assert answer.status_code in {400, 415}, answer.text
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("id", ["nothing", "0", str(2**63), UNKNOWN_ID, "%00"])
def test_w16_an_unknown_document_is_404(admin: httpx.Client, id: str) -> None:
    assert_admin_failure(admin.get(f"{DOCUMENTS}/{id}"), 404, "NOT_FOUND")


def test_w16_customers_and_agents_have_their_limits(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    refused = customer.post(DOCUMENTS, json=article("Essai"))
    assert_admin_failure(refused, 403, "PERMISSION_DENIED")
    assert_admin_failure(customer.get(SEARCH, params={"q": "a"}), 403, "PERMISSION_DENIED")
    assert agent.get(SEARCH, params={"q": "livraison"}).status_code == 200
    assert_admin_failure(agent.post(DOCUMENTS, json=article("Essai")), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "Invalid authorization code."),
        ("Basic YTpi", "Invalid authentication scheme."),
        ("Bearer x.y.z", "Invalid token or expired token."),
    ],
)
def test_w13_a_bad_bearer_is_403_with_the_seeds_words(
    anyone: httpx.Client, authorization: str | None, message: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = anyone.get(DOCUMENTS, headers=headers)
    assert assert_admin_failure(answer, 403, "INVALID_TOKEN")["message"] == message
