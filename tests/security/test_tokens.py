"""Forged and misused tokens: lines 1 to 4 of the list of what must be withstood."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import jwt
import pytest

from core.settings import DEVELOPMENT_SECRET
from tests.conformance.shapes import assert_failure
from tests.serving import PASSWORD, Server


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, Any], **options: Any) -> str:
    return jwt.encode(claims, DEVELOPMENT_SECRET, algorithm="HS256", **options)


def part(values: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def ask(client: httpx.Client, token: str) -> httpx.Response:
    return client.get("/api/tickets", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def claims(server: Server) -> dict[str, Any]:
    return claims_of(server.token("customer@example.com"))


def test_00_a_token_that_is_signed_like_ours_is_accepted(
    anyone: httpx.Client, claims: dict[str, Any]
) -> None:
    assert ask(anyone, signed(claims)).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS512", "RS256", "ES256"])
def test_01_another_algorithm_is_401(
    anyone: httpx.Client, claims: dict[str, Any], algorithm: str
) -> None:
    payload = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    signature = signed(claims).rpartition(".")[2]
    for ending in ("", signature):
        assert_failure(ask(anyone, f"{payload}.{ending}"), 401, "unauthorized")


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "http://127.0.0.1:9/keys"},
        {"x5u": "http://127.0.0.1:9/cert"},
        {"jwk": {"kty": "oct", "k": "YXR0YWNrZXI"}},
        {"kid": "../../../../dev/null"},
    ],
)
def test_02_a_token_cannot_bring_its_own_key(
    anyone: httpx.Client, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    token = jwt.encode(claims, "attacker" * 8, algorithm="HS256", headers=header)
    assert_failure(ask(anyone, token), 401, "unauthorized")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 10},
        {"nbf": int(time.time()) + 3600},
        {"aud": "another"},
        {"iss": "another"},
        {"sub": "nobody"},
        {"org": "nowhere"},
        {"org": "00000000-0000-0000-0000-000000000000"},
        {"typ": "visitor"},
    ],
)
def test_03_a_token_that_does_not_hold_is_401(
    anyone: httpx.Client, claims: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert_failure(ask(anyone, signed({**claims, **changes})), 401, "unauthorized")


def test_04_a_refresh_token_is_no_access_token(anyone: httpx.Client) -> None:
    credentials = {"email": "customer@example.com", "password": PASSWORD}
    tokens = anyone.post("/api/auth/login", json=credentials).json()
    assert_failure(ask(anyone, tokens["refresh_token"]), 401, "unauthorized")
    body = {"refresh_token": tokens["access_token"]}
    assert_failure(anyone.post("/api/auth/refresh", json=body), 401, "unauthorized")
