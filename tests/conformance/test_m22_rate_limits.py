"""Row M22: how often, said in three headers, and what comes after."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.conformance.shapes import assert_admin_failure, assert_failure
from tests.product import reuse_models
from tests.serving import PASSWORD, Server, serving

LOGIN = "/api/auth/login"
WRONG = {"email": "nobody@example.com", "password": "wrong-password"}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own whose rate limits are on."""
    data_dir = tmp_path_factory.mktemp("limited") / "data"
    reuse_models(data_dir)
    with serving(data_dir, RATE_LIMITS="on") as running:
        running.token("customer@example.com")
        running.token("agent@example.com")
        yield running


def assert_refused(answer: httpx.Response, limit: int) -> None:
    body = assert_failure(answer, 429, "rate_limit_exceeded")
    assert body["detail"] == "Too many requests. Please try again later."
    assert 1 <= body["retry_after"] <= 60
    assert answer.headers["retry-after"] == str(body["retry_after"])
    assert answer.headers["x-ratelimit-limit"] == str(limit)
    assert answer.headers["x-ratelimit-remaining"] == "0"


def test_m22_every_answer_says_what_is_left(limited: Server) -> None:
    with limited.client("customer@example.com") as client:
        for path in ("/api/tickets", "/api/nothing", "/api/products"):
            first, second = client.get(path).headers, client.get(path).headers
            assert first["x-ratelimit-limit"] == "100"
            left = int(first["x-ratelimit-remaining"])
            assert int(second["x-ratelimit-remaining"]) == left - 1
            reset = int(first["x-ratelimit-reset"])
            assert time.time() < reset <= time.time() + 61


def test_m22_the_operators_addresses_are_counted_apart(limited: Server) -> None:
    with limited.client("agent@example.com") as client:
        path = "/api/v1/knowledge/documents"
        left = [int(client.get(path).headers["x-ratelimit-remaining"]) for _ in range(2)]
        client.get("/api/tickets")
        left.append(int(client.get(path).headers["x-ratelimit-remaining"]))
        assert left == [left[0], left[0] - 1, left[0] - 2]


def test_m22_a_sixth_sign_in_within_a_minute_is_refused(limited: Server) -> None:
    with limited.client() as client:
        answers = [client.post(LOGIN, json=WRONG) for _ in range(4)]
        # Two sign-ins of the fixture count too: three are left of five.
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert answers[0].headers["x-ratelimit-limit"] == "5"
        assert_refused(answers[-1], 5)
        good = {"email": "customer@example.com", "password": PASSWORD}
        assert_refused(client.post(LOGIN, json=good), 5)


def test_m22_a_forged_address_changes_nothing(limited: Server) -> None:
    with limited.client() as client:
        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
            client.post(LOGIN, json=WRONG)
            answer = client.post(LOGIN, json=WRONG, headers={header: "203.0.113.9"})
            assert_refused(answer, 5)


async def status_of_one(port: int) -> int:
    """Ask once on a connection of its own; returns the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


def test_m22_of_five_hundred_at_once_exactly_a_hundred_pass(limited: Server) -> None:
    async def statuses() -> Counter[int]:
        return Counter(await asyncio.gather(*(status_of_one(limited.port) for _ in range(500))))

    assert asyncio.run(statuses()) == {404: 100, 429: 400}
    with limited.client() as client:
        assert_refused(client.get("/api/nowhere"), 100)


def test_m22_callers_are_counted_apart(limited: Server) -> None:
    with limited.client() as client:
        client.get("/api/nowhere")
    with limited.client("agent@example.com") as client:
        assert client.get("/api/tickets").status_code == 200


def test_m22_a_bad_token_does_not_make_a_new_caller(limited: Server) -> None:
    with limited.client() as client:
        for number in range(101):
            headers = {"Authorization": f"Bearer forged-{number}"}
            answer = client.get("/api/tickets", headers=headers)
        assert_refused(answer, 100)


def test_m22_the_operators_contract_refuses_in_its_own_shape(limited: Server) -> None:
    with limited.client() as client:
        for _ in range(101):
            answer = client.get("/api/v1/nothing")
        error = assert_admin_failure(answer, 429, "RATE_LIMIT_EXCEEDED")
        assert answer.headers["retry-after"] == str(error["details"]["retry_after"])
        assert answer.headers["x-ratelimit-remaining"] == "0"


def test_m22_a_limited_body_is_refused_before_it_is_read(limited: Server) -> None:
    with limited.client() as client:
        for _ in range(6):
            answer = client.post(LOGIN, content=b"a" * 1_000_000)
        assert_refused(answer, 5)
