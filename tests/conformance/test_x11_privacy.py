"""Row X11: disclosure, consent, retention, export and erasure with a receipt, over HTTP."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.conformance.shapes import assert_admin_failure, assert_failure, assert_schema_failure
from tests.serving import Server

PRIVACY = "/api/v1/privacy"
JOB_SECONDS = 30.0
# How a bot says of itself, in each language, that it is none of us.
DISCLOSURES = {
    "fr": "assistant virtuel",
    "en": "virtual assistant",
    "es": "asistente virtual",
    "de": "virtuelle",
    "it": "assistente virtuale",
    "nl": "virtuele",
}
GREETINGS = {
    "fr": "Bonjour",
    "en": "Hello",
    "es": "Hola, buenos días",
    "de": "Guten Tag",
    "it": "Buongiorno",
    "nl": "Goedemorgen",
}


@pytest.fixture
def visitor(server: Server) -> Iterator[httpx.Client]:
    """An anonymous visitor who has said something."""
    with server.client() as client:
        answer = client.post("/api/chat", json={"message": "Je suis Jeanne, 06 12 34 56 78"})
        assert answer.status_code == 200
        client.headers["X-Visitor-Token"] = answer.headers["x-visitor-token"]
        client.cookies.clear()
        yield client


def finished(admin: httpx.Client, path: str) -> dict[str, Any]:
    """Wait for a request's job to be done."""
    deadline = time.monotonic() + JOB_SECONDS
    while time.monotonic() < deadline:
        data: dict[str, Any] = admin.get(path).json()["data"]
        if data["finished_at"]:
            return data
        time.sleep(0.2)
    raise AssertionError(f"{path} was not done within {JOB_SECONDS} s")


@pytest.mark.parametrize("language", sorted(GREETINGS))
def test_x11_the_bot_is_disclosed_in_the_first_message(anyone: httpx.Client, language: str) -> None:
    body = {"message": GREETINGS[language], "language": language}
    answer = anyone.post("/api/chat", json=body)
    assert answer.status_code == 200, answer.text
    assert DISCLOSURES[language] in answer.json()["response"].lower()


def test_x11_a_visitor_reads_and_erases_what_they_said(visitor: httpx.Client) -> None:
    export = visitor.get("/api/privacy/export")
    assert export.status_code == 200
    said = [row["content"] for row in export.json()["data"]["messages"]]
    assert "Je suis Jeanne, 06 12 34 56 78" in said
    erased = visitor.delete("/api/privacy/me")
    assert erased.status_code == 200, erased.text
    receipt = erased.json()["receipt"]
    assert receipt["deleted"]["conversations"] == 1
    assert receipt["deleted"]["messages"] == len(said)
    assert receipt["signature"]
    assert "Jeanne" not in erased.text
    assert "messages" not in visitor.get("/api/privacy/export").json()["data"]


def test_x11_own_data_needs_a_proof_of_who_asks(anyone: httpx.Client) -> None:
    assert_failure(anyone.get("/api/privacy/export"), 401, "unauthorized")
    assert_failure(anyone.delete("/api/privacy/me"), 401, "unauthorized")


def test_x11_staff_cannot_erase_themselves(agent: httpx.Client) -> None:
    assert_failure(agent.delete("/api/privacy/me"), 409, "conflict")


def test_x11_an_export_holds_only_ones_own_rows(customer: httpx.Client) -> None:
    body = customer.get("/api/privacy/export").json()
    assert body["success"] is True
    assert [row["reference"] for row in body["data"]["customers"]] == ["CUST123"]
    assert {row["email"] for row in body["data"]["users"]} == {"customer@example.com"}
    assert "password_hash" not in body["data"]["users"][0]


def test_x11_consents_are_given_and_withdrawn(visitor: httpx.Client) -> None:
    known = visitor.get("/api/privacy/consents").json()
    text = next(item for item in known["texts"] if item["kind"] == "voice_recording")
    assert set(text["texts"]) == set(GREETINGS)
    given = {"kind": "voice_recording", "text_version": text["text_version"], "language": "fr"}
    answer = visitor.post("/api/privacy/consents", json=given)
    assert answer.status_code == 201, answer.text
    assert answer.json()["consent"]["withdrawn_at"] is None
    old = visitor.post("/api/privacy/consents", json={**given, "text_version": "1999-1"})
    assert_failure(old, 400, "invalid_request")
    assert_failure(
        visitor.post("/api/privacy/consents", json={**given, "kind": "x"}), 400, "invalid_request"
    )
    assert visitor.delete("/api/privacy/consents/voice_recording").status_code == 200
    assert_failure(visitor.delete("/api/privacy/consents/voice_recording"), 404, "not_found")
    kept = visitor.get("/api/privacy/consents").json()["consents"]
    assert len(kept) == 1
    assert kept[0]["withdrawn_at"]


def test_x11_an_administrator_exports_a_person(admin: httpx.Client) -> None:
    answer = admin.post(f"{PRIVACY}/exports", json={"email": "Customer@Example.com"})
    assert answer.status_code == 202, answer.text
    path = f"{PRIVACY}/exports/{answer.json()['data']['id']}"
    done = finished(admin, path)
    archive = admin.get(done["archive"])
    assert archive.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        document = orjson.loads(opened.read("data.json"))
    assert document["known_as"]["emails"] == ["customer@example.com"]
    assert document["data"]["orders"]
    listed = admin.get(f"{PRIVACY}/exports").json()
    assert path.rsplit("/", 1)[1] in [row["id"] for row in listed["data"]]


def test_x11_a_job_carries_the_id_of_the_request_that_asked_for_it(admin: httpx.Client) -> None:
    id = f"trace-{uuid4().hex[:8]}"
    answer = admin.post(
        f"{PRIVACY}/exports", json={"email": "customer@example.com"}, headers={"X-Request-ID": id}
    )
    job = admin.get(f"/api/v1/jobs/{answer.json()['data']['id']}").json()["data"]
    assert job["request_id"] == id
    assert job["kind"] == "privacy_export"


def test_x11_retention_tells_what_it_would_remove(admin: httpx.Client) -> None:
    body = admin.get(f"{PRIVACY}/retention").json()["data"]
    assert body["dry_run"] is True
    classes = {item["data_class"]: item for item in body["classes"]}
    assert classes["order"]["days"] == 3650
    assert "orders" in classes["order"]["due"]
    assert classes["knowledge"]["days"] is None
    assert all(item["why"] for item in body["classes"])
    assert admin.post(f"{PRIVACY}/retention", json={}).json()["data"]["job"] is None
    job = admin.post(f"{PRIVACY}/retention", json={"dry_run": False}).json()["data"]["job"]
    done = finished(admin, f"/api/v1/jobs/{job['id']}")
    assert done["state"] == "succeeded", done


@pytest.mark.parametrize(
    "body",
    [{}, {"email": "a@b.fr", "visitor": "x"}, {"customer_id": "1"}, {"email": "x" * 300}],
)
def test_x11_exactly_one_person_is_named(admin: httpx.Client, body: dict[str, Any]) -> None:
    assert_schema_failure(admin.post(f"{PRIVACY}/erasures", json=body))


def test_x11_an_unknown_person_is_404(admin: httpx.Client) -> None:
    answer = admin.post(f"{PRIVACY}/erasures", json={"email": "nobody@example.com"})
    assert_admin_failure(answer, 404, "NOT_FOUND")
    for path in (
        f"{PRIVACY}/erasures/{uuid4()}",
        f"{PRIVACY}/exports/x",
        f"/api/v1/jobs/{uuid4()}",
    ):
        assert_admin_failure(admin.get(path), 404, "NOT_FOUND")


def test_x11_staff_are_not_erased_as_customers(admin: httpx.Client) -> None:
    answer = admin.post(f"{PRIVACY}/erasures", json={"email": "agent@example.com"})
    assert_admin_failure(answer, 409, "CONFLICT")


@pytest.mark.parametrize("path", ["exports", "erasures", "retention"])
def test_x11_only_administrators_ask_for_others(
    customer: httpx.Client, agent: httpx.Client, path: str
) -> None:
    for client in (customer, agent):
        assert_admin_failure(client.get(f"{PRIVACY}/{path}"), 403, "PERMISSION_DENIED")


def test_w12_jobs_are_listed_filtered_and_not_cancelled_twice(admin: httpx.Client) -> None:
    page = admin.get("/api/v1/jobs", params={"kind": "privacy_export", "per_page": 1}).json()
    assert set(page) == {"status", "message", "data", "errors", "metadata", "pagination"}
    for job in page["data"]:
        assert job["kind"] == "privacy_export"
    job = admin.post(f"{PRIVACY}/retention", json={"dry_run": False}).json()["data"]["job"]
    done = finished(admin, f"/api/v1/jobs/{job['id']}")
    assert done["state"] == "succeeded"
    for action in ("cancel", "retry"):
        answer = admin.post(f"/api/v1/jobs/{job['id']}/{action}")
        assert_admin_failure(answer, 409, "CONFLICT")
    assert_schema_failure(admin.get("/api/v1/jobs", params={"state": "asleep"}))
