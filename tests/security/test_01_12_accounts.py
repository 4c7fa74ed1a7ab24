"""Lines 5 to 12 of what must be withstood, on the running app with two organizations.

Lines 1 to 4 (forged and misused tokens) are in `test_tokens.py`.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed

import api.tables  # noqa: F401  every table must be known
from core.database import open_database
from core.runtime import utc_now
from core.settings import Settings
from services.accounts.organizations import create_organization
from services.accounts.tables import api_keys, memberships, users
from services.accounts.users import NewUser, add_membership, create_user, prepare_password
from tests.conformance.shapes import assert_failure
from tests.product import reuse_models
from tests.serving import PASSWORD, Server, serving
from tests.sockets import ChatSocket, chat_socket

ROLES = ("customer", "viewer", "agent", "manager", "admin", "owner")
# Path parameters that name nothing of an organization.
NO_IDS = {"kind"}
# What fits the schema of a route whose path names a thing; others are sent an empty object.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("patch", "/api/tickets/{ticket_id}"): {"status": "in_progress"},
    ("post", "/api/tickets/{ticket_id}/comments"): {"body": "Bonjour"},
    ("patch", "/api/v1/users/{user_id}"): {"role": "agent"},
}
# What a route asks for in its address beside the thing that its path names.
QUERIES = {
    "/api/chat/sources/{document_id}": {"session_id": "session", "quote": "Livraison"},
    "/api/voice/recordings/{recording_id}": {"expires": "4102444800", "signature": "forged"},
}
TICKET = {
    "problem_category": "défaut_fabrication",
    "problem_severity": "moyen",
    "description": "Déchirure sur l'accoudoir gauche",
    "contact_email": "somebody@example.com",
}


@dataclass(frozen=True)
class Other:
    """The second organization on the same server; each role has an account `<role>@other.shop`."""

    organization_id: UUID
    server: Server

    def client(self, role: str) -> httpx.Client:
        return self.server.client(f"{role}@other.shop")


async def _open_second_organization(server: Server) -> UUID:
    settings = Settings(data_dir=server.data_dir)
    database = open_database(settings.database)
    password_hash = await prepare_password(PASSWORD)
    try:
        async with database.transaction(None) as transaction:
            slug = f"other-{uuid.uuid4().hex[:8]}"
            made = await create_organization(transaction, "Other", slug, utc_now())
        async with database.transaction(made.id) as transaction:
            for role in ROLES:
                new = NewUser(f"{role}@other.shop", password_hash, role)
                user = await create_user(transaction, new, utc_now())
                await add_membership(transaction, user.id, role)
    finally:
        await database.close()
    return made.id


@pytest.fixture(scope="module")
def other(server: Server) -> Other:
    return Other(asyncio.run(_open_second_organization(server)), server)


def change_behind_its_back(server: Server, statement: Any) -> None:
    """Change a row as another process would: the server's own memory is not told."""

    async def change() -> None:
        database = open_database(Settings(data_dir=server.data_dir).database)
        try:
            async with database.transaction(None, every_organization=True) as transaction:
                changed = await transaction.execute(statement)
                assert changed.rowcount == 1
        finally:
            await database.close()

    asyncio.run(change())


def seconds_until(client: httpx.Client, path: str, status: int) -> float:
    started = time.monotonic()
    while client.get(path).status_code != status:
        assert time.monotonic() - started < 10, f"{path} never answered {status}"
        time.sleep(0.1)
    return time.monotonic() - started


def test_05_a_revoked_key_is_out_within_five_seconds(server: Server, admin: httpx.Client) -> None:
    made = admin.post("/api/auth/api-keys", json={"name": "Test"}).json()
    with server.client() as client:
        client.headers["X-API-Key"] = made["api_key"]
        assert client.get("/api/tickets").status_code == 200
        key_id = UUID(hex=made["key_id"].removeprefix("api_key_"))
        revoked = update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=utc_now())
        change_behind_its_back(server, revoked)
        assert seconds_until(client, "/api/tickets", 401) < 5


def test_05_a_disabled_user_is_out_within_five_seconds(server: Server, other: Other) -> None:
    with other.client("viewer") as client:
        assert client.get("/api/tickets").status_code == 200
        user_id = _own_id(other, "viewer")
        whose = memberships.c.user_id == user_id
        change_behind_its_back(server, update(memberships).where(whose).values(is_active=False))
        try:
            assert seconds_until(client, "/api/tickets", 401) < 5
            credentials = {"email": "viewer@other.shop", "password": PASSWORD}
            with server.client() as anyone:
                answer = anyone.post("/api/auth/login", json=credentials)
            assert_failure(answer, 401, "unauthorized")
        finally:
            enabled = update(memberships).where(whose).values(is_active=True)
            change_behind_its_back(server, enabled)
        seconds_until(client, "/api/tickets", 200)
        change_behind_its_back(
            server, update(users).where(users.c.id == user_id).values(is_active=False)
        )
        try:
            assert seconds_until(client, "/api/tickets", 401) < 5
        finally:
            change_behind_its_back(
                server, update(users).where(users.c.id == user_id).values(is_active=True)
            )
        seconds_until(client, "/api/tickets", 200)


def seconds_until_closed(socket: ChatSocket) -> float:
    started = time.monotonic()
    with pytest.raises(ConnectionClosed):  # noqa: PT012  heartbeats may come first
        while time.monotonic() - started < 10:
            socket.connection.recv(timeout=10)
    return time.monotonic() - started


def test_05_the_sockets_of_a_revoked_key_close(server: Server, admin: httpx.Client) -> None:
    made = admin.post("/api/auth/api-keys", json={"name": "Socket"}).json()
    with chat_socket(server.base_url, "revoked", **{"X-API-Key": made["api_key"]}) as socket:
        assert socket.receive()["type"] == "ready"
        key_id = UUID(hex=made["key_id"].removeprefix("api_key_"))
        revoked = update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=utc_now())
        change_behind_its_back(server, revoked)
        assert seconds_until_closed(socket) < 5


def test_05_the_sockets_of_a_disabled_user_close(server: Server, other: Other) -> None:
    token = server.token("agent@other.shop")
    whose = memberships.c.user_id == _own_id(other, "agent")
    with chat_socket(server.base_url, "disabled", token) as socket:
        assert socket.receive()["type"] == "ready"
        change_behind_its_back(server, update(memberships).where(whose).values(is_active=False))
        try:
            assert seconds_until_closed(socket) < 5
        finally:
            change_behind_its_back(server, update(memberships).where(whose).values(is_active=True))
    with other.client("agent") as client:
        seconds_until(client, "/api/tickets", 200)


def test_05_signing_out_ends_every_token_of_the_session(anyone: httpx.Client) -> None:
    credentials = {"email": "customer@example.com", "password": PASSWORD}
    for with_body in (True, False):
        tokens = anyone.post("/api/auth/login", json=credentials).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert anyone.get("/api/tickets", headers=headers).status_code == 200
        if with_body:
            answer = anyone.post("/api/auth/logout", json=refresh)
        else:
            answer = anyone.post("/api/auth/logout", headers=headers)
        assert answer.status_code == 200
        assert answer.json() == {"success": True}
        assert_failure(anyone.get("/api/tickets", headers=headers), 401, "unauthorized")
        assert_failure(anyone.post("/api/auth/refresh", json=refresh), 401, "unauthorized")
    assert_failure(anyone.post("/api/auth/logout"), 401, "unauthorized")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own whose rate limits are on."""
    data_dir = tmp_path_factory.mktemp("limited") / "data"
    reuse_models(data_dir)
    with serving(data_dir, RATE_LIMITS="on") as running:
        yield running


def test_06_a_login_spray_is_429(limited: Server) -> None:
    with limited.client() as client:
        answers = [
            client.post(
                "/api/auth/login", json={"email": f"user{number}@example.com", "password": "x" * 9}
            )
            for number in range(8)
        ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert_failure(answers[-1], 429, "rate_limit_exceeded")


def test_06_a_forgotten_password_tells_nobody_who_has_an_account(anyone: httpx.Client) -> None:
    times: dict[str, list[float]] = {"customer@example.com": [], "nobody@example.com": []}
    bodies = set()
    for _ in range(9):
        for email, taken in times.items():
            started = time.perf_counter()
            answer = anyone.post("/api/auth/password/forgot", json={"email": email})
            taken.append(time.perf_counter() - started)
            assert answer.status_code == 202
            bodies.add(answer.text)
    assert len(bodies) == 1
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert 0.4 < known / unknown < 2.5


@pytest.fixture(scope="module")
def operations(server: Server) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation of the OpenAPI document as (method, path, description)."""
    with server.client() as client:
        paths: dict[str, dict[str, Any]] = client.get("/openapi.json").json()["paths"]
    return [
        (method, path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def _own_id(other: Other, role: str) -> UUID:
    with other.client("owner") as client:
        found = client.get("/api/v1/users", params={"role": role}).json()["data"]
    return UUID(found[0]["id"])


def _picture() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 60).convert("RGB").save(stream, "PNG")
    return stream.getvalue()


def _created(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201, 202), answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:
    """A thing of the first organization for each path parameter."""
    with server.client("admin@example.com") as admin, server.client("customer@example.com") as one:
        # Numbers are counted in each organization: the second of two is none of the other's.
        tickets = [_created(one.post("/api/tickets", json=TICKET)) for _ in range(2)]
        key = _created(admin.post("/api/auth/api-keys", json={"name": "Test"}))
        document = _created(
            admin.post("/api/v1/knowledge/documents", json={"title": "Secret", "text": "Secret."})
        )
        chat = _created(one.post("/api/chat", json={"message": "Bonjour"}))
        case = _created(
            admin.post(
                "/api/v1/evaluations/cases",
                json={"message_id": chat["message_id"], "correction": {"says": ["Bonjour"]}},
            )
        )
        people = _created(admin.get("/api/v1/users", params={"role": "agent"}))
        file = _created(
            one.post(
                "/api/upload",
                files={"file": ("photo.png", _picture(), "image/png")},
                data={"description": "photo"},
            )
        )
    return {
        "ticket_id": tickets[1]["ticket"]["ticket_id"],
        "key_id": key["key_id"],
        "document_id": document["data"]["id"],
        "case_id": case["data"]["id"],
        "user_id": people["data"][0]["id"],
        "file_id": file["file_id"],
    }


def _address(path: str, ids: dict[str, str], strange: str) -> str:
    for name in _parameters(path):
        path = path.replace(f"{{{name}}}", ids.get(name, strange))
    return path


def _parameters(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def test_07_another_organizations_ids_are_404_on_every_route(
    server: Server,
    other: Other,
    operations: list[tuple[str, str, dict[str, Any]]],
    ids: dict[str, str],
) -> None:
    strange = str(uuid.uuid4())
    walked, leaks = set(), []
    with other.client("owner") as intruder:
        for method, path, operation in operations:
            names = [name for name in _parameters(path) if name not in NO_IDS]
            if not names:
                continue
            body = BODIES.get((method, path), {}) if "requestBody" in operation else None
            answer = intruder.request(
                method, _address(path, ids, strange), json=body, params=QUERIES.get(path)
            )
            # A body that this test does not know may be refused before anything is looked up.
            refusals = {404} if body is None or body else {404, 400, 422}
            # A signed address opens for its signature, not for who asks.
            refusals |= {400, 401, 403} if path.startswith("/api/files/") else set()
            walked.update(names)
            if answer.status_code not in refusals:
                leaks.append((method, path, answer.status_code))
    assert leaks == []
    assert walked >= set(ids)
    # The same addresses open at home: the walk did not fail for another reason.
    with server.client("admin@example.com") as admin:
        for path in (
            f"/api/tickets/{ids['ticket_id']}",
            f"/api/v1/knowledge/documents/{ids['document_id']}",
            f"/api/v1/evaluations/cases/{ids['case_id']}",
            f"/api/v1/users/{ids['user_id']}",
        ):
            assert admin.get(path).status_code == 200, path


def test_08_fields_that_nobody_declared_are_refused(
    server: Server, admin: httpx.Client, operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    with server.client() as client:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
    open_schemas = set()
    for _, path, operation in operations:
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        for option in schema.get("anyOf", [schema]):
            named = option.get("$ref", "").rpartition("/")[2]
            resolved = schemas.get(named, option)
            closed = resolved.get("additionalProperties") is False
            if resolved.get("type") == "object" and not closed:
                open_schemas.add(path)
    assert open_schemas == set()
    extra = {"role": "owner", "organization_id": str(uuid.uuid4())}
    answer = admin.post("/api/auth/api-keys", json={"name": "x", **extra})
    assert_failure(answer, 400, "invalid_request")
    person = {"email": "x@example.com", "name": "x", "role": "agent"}
    answer = admin.post("/api/v1/users", json={**person, "is_superadmin": True})
    assert answer.status_code == 422


def test_09_lists_searches_and_counts_hold_nothing_of_another_organization(
    server: Server, other: Other, ids: dict[str, str]
) -> None:
    with other.client("owner") as client:
        for path in ("/api/tickets", "/api/products", "/api/chat/history", "/api/auth/api-keys"):
            assert client.get(path).json()["total"] == 0, path
        for path in ("/api/v1/knowledge/documents", "/api/v1/evaluations/cases"):
            assert client.get(path).json()["pagination"]["total"] == 0, path
        found = client.get("/api/v1/knowledge/search", params={"q": "livraison en Corse"})
        assert found.json()["data"] == []
        people = client.get("/api/v1/users", params={"per_page": 100}).json()["data"]
        assert {person["email"] for person in people} == {f"{role}@other.shop" for role in ROLES}
        answer = client.post("/api/chat", json={"message": "Combien coûte la livraison en Corse ?"})
        assert "149" not in answer.text


def test_10_who_may_not_administer_is_403_on_every_admin_route(
    server: Server, operations: list[tuple[str, str, dict[str, Any]]], other: Other
) -> None:
    """A customer on all of the operators' contract; staff below admin where accounts are kept."""
    strange = str(uuid.uuid4())
    below_admin = ("customer", "viewer", "agent", "manager")
    leaks = []
    for role in below_admin:
        with other.client(role) as client:
            for method, path, operation in operations:
                accounts = path.startswith(("/api/v1/users", "/api/auth/api-keys"))
                if not accounts and not (role == "customer" and path.startswith("/api/v1/")):
                    continue
                takes_body = "requestBody" in operation
                body = BODIES.get((method, path), {}) if takes_body else None
                address = _address(path, {}, strange)
                answer = client.request(method, address, json=body, params={"q": "x"})
                # A body that does not fit is refused before the caller is looked at.
                refusals = {403, 400, 422} if takes_body and not body else {403}
                if answer.status_code not in refusals:
                    leaks.append((role, method, path, answer.status_code))
        with other.client(role) as client:
            made = client.post("/api/auth/api-keys", json={"name": "x"})
            assert_failure(made, 403, "forbidden")
            person = {"email": "new@other.shop", "name": "x", "role": "customer"}
            assert client.post("/api/v1/users", json=person).status_code == 403
    assert leaks == []


def test_11_a_file_of_another_organization_is_404(other: Other, ids: dict[str, str]) -> None:
    for role in ROLES:
        with other.client(role) as client:
            answer = client.get(f"/api/upload/{ids['file_id']}")
            assert_failure(answer, 404, "not_found")
            attached = {**TICKET, "attachments": [ids["file_id"]]}
            if role == "viewer":
                continue
            answer = client.post("/api/tickets", json=attached)
            assert answer.status_code in (400, 404), answer.text


def test_12_an_idempotency_key_of_another_organization_is_no_replay(
    other: Other, customer: httpx.Client
) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    first = _created(customer.post("/api/tickets", json=TICKET, headers=headers))
    theirs = {**TICKET, "description": "Une autre demande"}
    with other.client("agent") as client:
        second = _created(client.post("/api/tickets", json=theirs, headers=headers))
        ticket = client.get(f"/api/tickets/{second['ticket']['ticket_id']}").json()["ticket"]
        assert ticket["description"] == "Une autre demande"
    again = _created(customer.post("/api/tickets", json=TICKET, headers=headers))
    assert again["ticket"] == first["ticket"]
