"""Row M01: a page can ask who is signed in, and what they may do."""

from __future__ import annotations

import httpx

from tests.conformance.shapes import assert_failure
from tests.serving import Server

ME = "/api/auth/me"


def test_m01_everybody_is_told_who_they_are(server: Server) -> None:
    wanted = {"customer": "chat:write", "agent": "conversations:write", "admin": "users:manage"}
    for role, permission in wanted.items():
        with server.client(f"{role}@example.com") as client:
            answer = client.get(ME)
        assert answer.status_code == 200, answer.text
        caller = answer.json()["caller"]
        assert (caller["role"], caller["email"]) == (role, f"{role}@example.com")
        assert permission in caller["permissions"]
        assert caller["shop"] == "Meuble de France"
        assert caller["id"]
        assert caller["name"]


def test_m01_an_agent_holds_nothing_of_a_managers(agent: httpx.Client) -> None:
    permissions = agent.get(ME).json()["caller"]["permissions"]
    assert not {"analytics:read", "knowledge:write", "users:manage"} & set(permissions)


def test_m01_an_application_is_told_its_permissions(server: Server, admin: httpx.Client) -> None:
    made = admin.post("/api/auth/api-keys", json={"name": "page", "permissions": ["products:read"]})
    assert made.status_code == 201, made.text
    key = next(value for value in _texts(made.json()) if value.startswith("mdf_"))
    with server.client() as client:
        caller = client.get(ME, headers={"X-API-Key": key}).json()["caller"]
    assert (caller["id"], caller["email"]) == (None, None)
    assert caller["permissions"] == ["products:read"]


def _texts(body: object) -> list[str]:
    if isinstance(body, dict):
        return [text for value in body.values() for text in _texts(value)]
    return [body] if isinstance(body, str) else []


def test_m01_nobody_is_told_nothing(anyone: httpx.Client) -> None:
    assert_failure(anyone.get(ME), 401, "unauthorized")
