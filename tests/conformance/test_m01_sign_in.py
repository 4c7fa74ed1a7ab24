"""Rows M01 and M02: signing in, and staying signed in."""

from __future__ import annotations

import statistics
import time

import httpx
import jwt
import pytest

from tests.conformance.shapes import assert_failure
from tests.serving import PASSWORD

CUSTOMER = {"email": "customer@example.com", "password": PASSWORD}


def sign_in(client: httpx.Client) -> dict[str, str]:
    answer = client.post("/api/auth/login", json=CUSTOMER)
    assert answer.status_code == 200
    tokens: dict[str, str] = answer.json()
    return tokens


def test_m01_login_answers_exactly_what_the_seed_shows(anyone: httpx.Client) -> None:
    answer = anyone.post("/api/auth/login", json=CUSTOMER)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"success", "access_token", "refresh_token", "token_type", "expires_in"}
    assert body["success"] is True
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 1800
    assert answer.headers["cache-control"] == "no-store"
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 1800


def test_m01_the_token_opens_what_the_seed_opens_with_it(anyone: httpx.Client) -> None:
    token = sign_in(anyone)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert anyone.get("/api/chat/history", headers=headers).status_code == 200
    assert anyone.get("/api/tickets", headers=headers).status_code == 200


def test_m01_an_address_is_the_same_in_capitals(anyone: httpx.Client) -> None:
    answer = anyone.post(
        "/api/auth/login", json={"email": " Customer@Example.COM ", "password": PASSWORD}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"email": "customer@example.com", "password": "wrong-password"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": "no address", "password": PASSWORD},
        {"email": "customer@example.com", "password": PASSWORD.upper()},
        # Cyrillic letters that look like Latin ones are other letters.
        {"email": "сustomer@example.com", "password": PASSWORD},
    ],
)
def test_m01_wrong_credentials_are_401(anyone: httpx.Client, credentials: dict[str, str]) -> None:
    answer = anyone.post("/api/auth/login", json=credentials)
    body = assert_failure(answer, 401, "unauthorized")
    assert body["detail"] == "The e-mail address or the password is wrong."
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "body",
    [{}, {"email": "customer@example.com"}, {"email": 1, "password": 2}, [], "text", None],
)
def test_m01_incomplete_credentials_are_400(anyone: httpx.Client, body: object) -> None:
    assert_failure(anyone.post("/api/auth/login", json=body), 400, "invalid_request")


def test_m01_an_unknown_address_takes_as_long_as_a_wrong_password(anyone: httpx.Client) -> None:
    def median_seconds(email: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            anyone.post("/api/auth/login", json={"email": email, "password": "wrong-password"})
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    known, unknown = median_seconds("customer@example.com"), median_seconds("x@example.com")
    assert 0.4 < known / unknown < 2.5


def test_m02_refresh_gives_a_new_pair(anyone: httpx.Client) -> None:
    first = sign_in(anyone)
    answer = anyone.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert answer.status_code == 200
    second = answer.json()
    assert set(second) == set(first)
    assert second["refresh_token"] != first["refresh_token"]
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert anyone.get("/api/tickets", headers=headers).status_code == 200


def test_m02_a_reused_refresh_token_ends_its_family(anyone: httpx.Client) -> None:
    first = sign_in(anyone)
    spent = {"refresh_token": first["refresh_token"]}
    second = anyone.post("/api/auth/refresh", json=spent).json()
    assert_failure(anyone.post("/api/auth/refresh", json=spent), 401, "unauthorized")
    descendant = anyone.post("/api/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert_failure(descendant, 401, "unauthorized")
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert_failure(anyone.get("/api/tickets", headers=headers), 401, "unauthorized")


def test_m02_another_session_of_the_same_user_lives_on(anyone: httpx.Client) -> None:
    first, other = sign_in(anyone), sign_in(anyone)
    spent = {"refresh_token": first["refresh_token"]}
    for _ in range(2):
        anyone.post("/api/auth/refresh", json=spent)
    answer = anyone.post("/api/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert answer.status_code == 200


@pytest.mark.parametrize("token", ["", "eyJhbGci...", "a.b.c", "x" * 5000])
def test_m02_what_is_no_refresh_token_is_refused(anyone: httpx.Client, token: str) -> None:
    answer = anyone.post("/api/auth/refresh", json={"refresh_token": token})
    assert answer.status_code in {400, 401}
    assert answer.json()["success"] is False
