"""Row M04: an API key works wherever a bearer token does, within its permissions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conformance.shapes import assert_admin_failure, assert_failure

TICKET = {
    "problem_category": "défaut_fabrication",
    "problem_severity": "moyen",
    "description": "Déchirure sur l'accoudoir gauche",
    "contact_email": "somebody@example.com",
}
# A route each that a bearer token opens, and the permission that it takes.
ROUTES = [
    ("GET", "/api/products", None, "products:read"),
    ("GET", "/api/tickets", None, "tickets:read"),
    ("POST", "/api/tickets", TICKET, "tickets:write"),
    ("POST", "/api/chat", {"message": "Bonjour"}, "chat:write"),
    ("GET", "/api/v1/knowledge/documents", None, "knowledge:read"),
    ("GET", "/api/v1/evaluations/cases", None, "conversations:read"),
    ("GET", "/api/v1/users", None, "users:manage"),
    ("GET", "/api/auth/api-keys", None, "keys:manage"),
]


def make(client: httpx.Client, permissions: list[str] | None = None) -> str:
    body: dict[str, Any] = {"name": "Test"}
    if permissions is not None:
        body["permissions"] = permissions
    answer = client.post("/api/auth/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["api_key"])


def shown_in(place: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if place == "bearer" else {place: key}


@pytest.mark.parametrize(("method", "path", "body", "permission"), ROUTES)
def test_m04_a_key_opens_what_its_permission_names_and_nothing_else(
    admin: httpx.Client,
    anyone: httpx.Client,
    method: str,
    path: str,
    body: object,
    permission: str,
) -> None:
    fitting = {"X-API-Key": make(admin, [permission])}
    answer = anyone.request(method, path, json=body, headers=fitting)
    assert answer.status_code in (200, 201), answer.text
    others = [item for *_, item in ROUTES if item != permission]
    foreign = {"X-API-Key": make(admin, others)}
    assert anyone.request(method, path, json=body, headers=foreign).status_code == 403


@pytest.mark.parametrize("place", ["X-API-Key", "x-api-key", "api-key", "bearer"])
@pytest.mark.parametrize("path", ["/api/tickets", "/api/v1/knowledge/documents"])
def test_m04_a_key_may_be_shown_in_three_places(
    admin: httpx.Client, anyone: httpx.Client, place: str, path: str
) -> None:
    key = make(admin, ["tickets:read", "knowledge:read"])
    assert anyone.get(path, headers=shown_in(place, key)).status_code == 200


@pytest.mark.parametrize("place", ["X-API-Key", "api-key", "bearer"])
def test_m04_a_bad_key_is_refused_in_each_contracts_way(
    admin: httpx.Client, anyone: httpx.Client, place: str
) -> None:
    real = make(admin)
    made_up = real[:-6] + ("AAAAAA" if not real.endswith("AAAAAA") else "BBBBBB")
    for key in (made_up, "mdf_live_abc123...", "mdf_live_", real + "A", real[:-1]):
        headers = shown_in(place, key)
        for path in ("/api/products", "/api/tickets", "/api/chat/history"):
            assert_failure(anyone.get(path, headers=headers), 401, "unauthorized")
        assert_failure(
            anyone.post("/api/chat", json={"message": "Bonjour"}, headers=headers),
            401,
            "unauthorized",
        )
        answer = anyone.get("/api/v1/knowledge/documents", headers=headers)
        assert_admin_failure(answer, 403, "INVALID_TOKEN")


def test_m04_the_default_key_is_no_member_of_staff(
    admin: httpx.Client, anyone: httpx.Client, customer: httpx.Client
) -> None:
    """It sees the tickets that it filed, not those of the shop's customers."""
    customers_own = customer.post("/api/tickets", json=TICKET).json()["ticket"]["ticket_id"]
    headers = {"X-API-Key": make(admin)}
    own = anyone.post("/api/tickets", json=TICKET, headers=headers).json()["ticket"]["ticket_id"]
    found = anyone.get("/api/tickets", headers=headers).json()["tickets"]
    assert [ticket["ticket_id"] for ticket in found] == [own]
    foreign = anyone.get(f"/api/tickets/{customers_own}", headers=headers)
    assert_failure(foreign, 404, "not_found")
    change = anyone.patch(f"/api/tickets/{own}", json={"status": "closed"}, headers=headers)
    assert_failure(change, 403, "forbidden")
    for_another = {**TICKET, "customer_id": "CUST123"}
    answer = anyone.post("/api/tickets", json=for_another, headers=headers)
    assert_failure(answer, 403, "forbidden")


def test_m04_a_bearer_token_counts_before_a_key(
    admin: httpx.Client, customer: httpx.Client
) -> None:
    headers = {"X-API-Key": make(admin, ["keys:manage"])}
    answer = customer.get("/api/auth/api-keys", headers=headers)
    assert_failure(answer, 403, "forbidden")


def test_m04_a_key_has_a_chat_history_of_its_own(admin: httpx.Client, anyone: httpx.Client) -> None:
    headers = {"X-API-Key": make(admin)}
    body = {"message": "Bonjour", "session_id": "session_1"}
    answer = anyone.post("/api/chat", json=body, headers=headers)
    assert "visitor_token" not in answer.json()
    assert anyone.get("/api/chat/history", headers=headers).json()["total"] == 2
    another = {"X-API-Key": make(admin)}
    assert anyone.get("/api/chat/history", headers=another).json()["total"] == 0
