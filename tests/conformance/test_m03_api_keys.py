"""Row M03: keys are made, shown once, listed and revoked by administrators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conformance.shapes import assert_failure, moment

KEYS = "/api/auth/api-keys"
SEED_EXAMPLE = {"name": "Application Mobile", "expires_in_days": 365}
DEFAULT_PERMISSIONS = ["chat:write", "products:read", "tickets:read", "tickets:write"]


def make(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post(KEYS, json={"name": "Test", **fields})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def listed(client: httpx.Client, key_id: str) -> dict[str, Any]:
    keys = client.get(KEYS, params={"limit": 100}).json()["api_keys"]
    found: dict[str, Any] = next(key for key in keys if key["key_id"] == key_id)
    return found


def test_m03_a_new_key_answers_exactly_what_the_seed_shows(admin: httpx.Client) -> None:
    answer = admin.post(KEYS, json=SEED_EXAMPLE)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"success", "api_key", "key_id", "name", "expires_at"}
    assert body["success"] is True
    assert body["api_key"].startswith("mdf_live_")
    assert len(body["api_key"]) > 40
    assert body["key_id"].startswith("api_key_")
    assert body["name"] == "Application Mobile"
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    assert abs(moment(body["expires_at"]) - in_a_year) < timedelta(minutes=1)
    assert answer.headers["cache-control"] == "no-store"


def test_m03_the_key_is_shown_once(admin: httpx.Client) -> None:
    made = make(admin)
    answer = admin.get(KEYS)
    assert made["api_key"] not in answer.text
    assert made["api_key"][9:-4] not in answer.text


def test_m03_a_key_is_listed_with_all_but_itself(admin: httpx.Client) -> None:
    made = make(admin)
    key = listed(admin, made["key_id"])
    assert set(key) == {
        "key_id",
        "name",
        "hint",
        "permissions",
        "created_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    }
    assert key["permissions"] == DEFAULT_PERMISSIONS
    assert key["hint"] == f"mdf_live_…{made['api_key'][-4:]}"
    assert key["last_used_at"] is None
    assert key["revoked_at"] is None
    moment(key["created_at"])


def test_m03_keys_come_in_pages_newest_first(admin: httpx.Client) -> None:
    older, newer = make(admin)["key_id"], make(admin)["key_id"]
    first = admin.get(KEYS, params={"limit": 1}).json()
    assert [key["key_id"] for key in first["api_keys"]] == [newer]
    assert (first["limit"], first["offset"]) == (1, 0)
    assert first["total"] >= 2
    second = admin.get(KEYS, params={"limit": 1, "offset": 1}).json()
    assert [key["key_id"] for key in second["api_keys"]] == [older]


def test_m03_the_last_use_is_noted(admin: httpx.Client, anyone: httpx.Client) -> None:
    made = make(admin)
    assert anyone.get("/api/products", headers={"X-API-Key": made["api_key"]}).status_code == 200
    used = moment(listed(admin, made["key_id"])["last_used_at"])
    assert abs(used - datetime.now(UTC)) < timedelta(seconds=30)


def test_m03_permissions_are_chosen_within_ones_own(admin: httpx.Client) -> None:
    made = make(admin, permissions=["products:read", "knowledge:read", "products:read"])
    assert listed(admin, made["key_id"])["permissions"] == ["knowledge:read", "products:read"]
    beyond = admin.post(KEYS, json={"name": "x", "permissions": ["organization:manage"]})
    assert_failure(beyond, 403, "forbidden")
    unknown = admin.post(KEYS, json={"name": "x", "permissions": ["everything"]})
    assert_failure(unknown, 400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "x", "expires_in_days": 0},
        {"name": "x", "expires_in_days": 3651},
        {"name": "x", "expires_in_days": "365"},
        {"name": "x", "expires_in_days": 2**63},
        {"name": "x", "permissions": "chat:write"},
        {"name": "x", "role": "owner"},
        {"name": "x", "organization_id": "other"},
        [],
    ],
)
def test_m03_what_does_not_fit_is_400(admin: httpx.Client, body: object) -> None:
    assert_failure(admin.post(KEYS, json=body), 400, "invalid_request")


def test_m03_only_administrators_manage_keys(
    admin: httpx.Client, agent: httpx.Client, customer: httpx.Client, anyone: httpx.Client
) -> None:
    key_id = make(admin)["key_id"]
    for client, status, error in ((agent, 403, "forbidden"), (customer, 403, "forbidden")):
        assert_failure(client.post(KEYS, json=SEED_EXAMPLE), status, error)
        assert_failure(client.get(KEYS), status, error)
        assert_failure(client.delete(f"{KEYS}/{key_id}"), status, error)
    assert_failure(anyone.post(KEYS, json=SEED_EXAMPLE), 401, "unauthorized")


def test_m03_a_key_makes_no_keys(admin: httpx.Client, anyone: httpx.Client) -> None:
    made = make(admin, permissions=["keys:manage", "products:read"])
    headers = {"X-API-Key": made["api_key"]}
    assert_failure(anyone.post(KEYS, json=SEED_EXAMPLE, headers=headers), 403, "forbidden")
    assert anyone.get(KEYS, headers=headers).status_code == 200


def test_m03_a_revoked_key_is_refused(admin: httpx.Client, anyone: httpx.Client) -> None:
    made = make(admin)
    headers = {"X-API-Key": made["api_key"]}
    assert anyone.get("/api/products", headers=headers).status_code == 200
    first = admin.delete(f"{KEYS}/{made['key_id']}")
    assert first.status_code == 200
    assert set(first.json()) == {"success", "key_id", "revoked_at"}
    # On the process that revoked it, at once.
    assert_failure(anyone.get("/api/tickets", headers=headers), 401, "unauthorized")
    assert admin.delete(f"{KEYS}/{made['key_id']}").json() == first.json()
    assert listed(admin, made["key_id"])["revoked_at"] == first.json()["revoked_at"]


@pytest.mark.parametrize("key_id", ["api_key_123", "nothing", "api_key_" + "0" * 32, "2" * 40])
def test_m03_an_unknown_key_is_404(admin: httpx.Client, key_id: str) -> None:
    assert_failure(admin.delete(f"{KEYS}/{key_id}"), 404, "not_found")
