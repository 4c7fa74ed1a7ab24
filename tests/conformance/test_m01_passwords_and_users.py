"""Accounts over HTTP: invited by an administrator, opened by e-mail, changed, disabled."""

from __future__ import annotations

import re
import time
import uuid
from email import message_from_bytes
from email.policy import default
from typing import Any

import httpx
import pytest

from tests.conformance.shapes import (
    assert_admin_failure,
    assert_failure,
    assert_schema_failure,
    moment,
)
from tests.serving import Server

USERS = "/api/v1/users"
FIRST, SECOND = "correct horse", "battery staple"
CODE = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{64}")


def invite(admin: httpx.Client, role: str = "agent") -> dict[str, Any]:
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    body = {"email": email, "name": "Claude Durand", "role": role, "language": "en"}
    answer = admin.post(USERS, json=body)
    assert answer.status_code == 201, answer.text
    user: dict[str, Any] = answer.json()["data"]
    return user


def mail_to(server: Server, email: str, count: int = 1) -> str:
    """The text of the newest of `count` messages to an address, once they are written."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        files = sorted((server.data_dir / "mail").glob("*.eml"), key=lambda file: file.name)
        messages = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
        own = [message for message in messages if message["to"] == email]
        if len(own) >= count:
            return str(own[-1].get_content())  # type: ignore[attr-defined]
        time.sleep(0.1)
    raise AssertionError("no message was written")


def sign_in(client: httpx.Client, email: str, password: str) -> httpx.Response:
    return client.post("/api/auth/login", json={"email": email, "password": password})


def test_an_invited_user_opens_and_keeps_an_account(
    server: Server, admin: httpx.Client, anyone: httpx.Client
) -> None:
    user = invite(admin)
    assert set(user) == {"id", "email", "name", "role", "is_active", "has_password", "created_at"}
    assert (user["role"], user["is_active"], user["has_password"]) == ("agent", True, False)
    moment(user["created_at"])
    code = CODE.search(mail_to(server, user["email"]))
    assert code is not None
    reset = {"code": code.group(), "new_password": FIRST}
    assert anyone.post("/api/auth/password/reset", json=reset).json() == {"success": True}
    assert_failure(anyone.post("/api/auth/password/reset", json=reset), 400, "invalid_request")
    token = sign_in(anyone, user["email"], FIRST).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    change = {"current_password": FIRST, "new_password": SECOND}
    answer = anyone.post("/api/auth/password", json=change, headers=headers)
    assert answer.json() == {"success": True}
    answer = anyone.post("/api/auth/password", json=change, headers=headers)
    assert_failure(answer, 403, "forbidden")
    assert sign_in(anyone, user["email"], FIRST).status_code == 401
    assert sign_in(anyone, user["email"], SECOND).status_code == 200
    answer = admin.patch(f"{USERS}/{user['id']}", json={"is_active": False})
    assert answer.json()["data"]["is_active"] is False
    assert_failure(anyone.get("/api/tickets", headers=headers), 401, "unauthorized")
    assert sign_in(anyone, user["email"], SECOND).status_code == 401


def test_a_forgotten_password_is_answered_alike_for_all(anyone: httpx.Client) -> None:
    for email in ("nobody@example.com", "no address"):
        answer = anyone.post("/api/auth/password/forgot", json={"email": email})
        assert answer.status_code == 202
        assert set(answer.json()) == {"success", "message"}
    answer = anyone.post("/api/auth/password/forgot", json={"email": "a@b.c", "language": "zz"})
    assert_failure(answer, 400, "invalid_request")


def test_users_are_listed_read_and_changed(admin: httpx.Client) -> None:
    user = invite(admin, "viewer")
    page = admin.get(USERS, params={"search": user["email"][:12], "per_page": 5}).json()
    assert page["data"] == [user]
    assert page["pagination"]["total"] == 1
    for path in (f"{USERS}/{user['id']}", f"{USERS}/{user['id']}/"):
        assert admin.get(path).json()["data"] == user
    changed = admin.patch(f"{USERS}/{user['id']}", json={"role": "manager"}).json()["data"]
    assert changed["role"] == "manager"
    above = admin.patch(f"{USERS}/{user['id']}", json={"role": "owner"})
    assert_admin_failure(above, 403, "PERMISSION_DENIED")
    answer = admin.post(USERS, json={"email": user["email"], "name": "x", "role": "agent"})
    assert_admin_failure(answer, 409, "CONFLICT")
    assert_admin_failure(admin.get(f"{USERS}/{uuid.uuid4()}"), 404, "NOT_FOUND")
    assert_admin_failure(admin.get(f"{USERS}/nobody"), 404, "NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"role": "superadmin"}, {"role": "visitor"}, {"name": "x"}])
def test_a_change_that_does_not_fit_is_422(admin: httpx.Client, body: dict[str, str]) -> None:
    assert_schema_failure(admin.patch(f"{USERS}/{uuid.uuid4()}", json=body))


def test_an_address_that_is_none_is_400(admin: httpx.Client) -> None:
    answer = admin.post(USERS, json={"email": "no address", "name": "x", "role": "agent"})
    assert_admin_failure(answer, 400, "VALIDATION_ERROR")
