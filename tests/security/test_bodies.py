"""Hostile bodies and texts: lines 8 and 13 to 24 of the list of what must be withstood."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from api.json_body import parse_json
from core.errors import InvalidRequest
from core.text import clean_text
from tests.conformance.shapes import assert_failure, assert_schema_failure
from tests.serving import Server

JSON = {"Content-Type": "application/json"}
DOCUMENTS = "/api/v1/knowledge/documents"
MARK = "sésame-9f2c"


def comment_path(client: httpx.Client) -> str:
    ticket = {
        "problem_category": "autre",
        "problem_severity": "faible",
        "description": "Pour les essais",
    }
    number = client.post("/api/tickets", json=ticket).json()["ticket"]["ticket_id"]
    return f"/api/tickets/{number}/comments"


def post(client: httpx.Client, content: bytes, path: str = "/api/tickets") -> httpx.Response:
    return client.post(path, content=content, headers=JSON)


def test_08_extra_fields_are_refused(customer: httpx.Client, admin: httpx.Client) -> None:
    for name in ("role", "organization_id", "actor", "__proto__"):
        body = {"email": "customer@example.com", "password": "password123", name: "admin"}
        assert_failure(customer.post("/api/auth/login", json=body), 400, "invalid_request")
        document = {"title": "a", "text": "b", name: "admin"}
        assert_schema_failure(admin.post(DOCUMENTS, json=document))


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000],
)
def test_13_deep_nesting_is_400(customer: httpx.Client, content: bytes) -> None:
    assert_failure(post(customer, content), 400, "invalid_request")


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "9" * 5000, "1e999", "0." + "1" * 5000])
def test_13_endless_numbers_are_400(customer: httpx.Client, number: str) -> None:
    content = f'{{"description": {number}}}'.encode()
    assert_failure(post(customer, content), 400, "invalid_request")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_14_nan_and_infinity_are_refused(
    customer: httpx.Client, admin: httpx.Client, word: str
) -> None:
    content = f'{{"title": "a", "text": {word}}}'.encode()
    assert_failure(post(customer, content), 400, "invalid_request")
    assert_schema_failure(post(admin, content, DOCUMENTS))


def test_15_a_large_body_is_refused_before_it_is_parsed(server: Server) -> None:
    process = psutil.Process(server.process_id)
    before = process.memory_info().rss
    with server.client("customer@example.com") as client:
        answer = post(client, b"[" + b"1," * 25_000_000 + b"1]")
    assert_failure(answer, 413, "payload_too_large")
    assert process.memory_info().rss - before < 20 * 1024 * 1024


@pytest.mark.parametrize(
    "body",
    [
        {"description": MARK * 1000},
        {"description": MARK, "problem_category": MARK, "problem_severity": [MARK]},
        {MARK * 100: MARK},
        [MARK],
        MARK,
        {"description": {MARK: MARK}},
    ],
)
def test_15_no_error_repeats_what_was_sent(
    customer: httpx.Client, admin: httpx.Client, body: Any
) -> None:
    for answer in (customer.post("/api/tickets", json=body), admin.post(DOCUMENTS, json=body)):
        assert answer.status_code in {400, 422}
        assert MARK not in answer.text
        assert json.dumps(MARK).strip('"') not in answer.text
        assert len(answer.content) < 4000


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"1," * 999_999 + b"1]",
        b'{"attachments": [' + b"1," * 999_999 + b"1]}",
        b'{"attachments": [' + b"1," * 199_000 + b"1]}",
        b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}",
    ],
)
def test_16_a_million_items_cost_little(server: Server, content: bytes) -> None:
    process = psutil.Process(server.process_id)
    with server.client("customer@example.com") as client:
        client.get("/api/tickets")
        before = process.cpu_times()
        answer = post(client, content)
        after = process.cpu_times()
    assert answer.status_code == 400
    seconds = after.user + after.system - before.user - before.system
    # Fifty milliseconds of reading, and what the network and the clock's own step add.
    assert seconds <= 0.1


def test_16_reading_a_million_items_takes_fifty_milliseconds() -> None:
    content = b"[" + b"1," * 999_999 + b"1]"
    started = time.process_time()
    with pytest.raises(InvalidRequest):
        parse_json(content)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("id", [2**31, 2**63, 2**64, -1, 10**400])
def test_17_huge_ids_are_not_found(customer: httpx.Client, admin: httpx.Client, id: int) -> None:
    assert_failure(customer.get(f"/api/tickets/{id}"), 404, "not_found")
    assert admin.get(f"{DOCUMENTS}/{id}").status_code == 404
    assert customer.get("/api/tickets", params={"offset": id}).status_code == 400


@pytest.mark.parametrize(
    "content",
    [
        b'{"email": "customer@example.com", "email": "admin@example.com", "password": "x"}',
        b'{"email": "a@b.fr", "password": "x", "\\u0065mail": "c@d.fr"}',
        b'{"email": "a@b.fr", "password": {"a": 1, "a": 2}}',
        b'{"email": "a:b\\u003ac", "email": "a:b", "password": "x"}',
        '{"email": "a@b.fr", "password": "x"}'.encode("utf-16"),
        '{"email": "a@b.fr", "password": "x"}'.encode("utf-32-le"),
        b'\xef\xbb\xbf{"email": "a@b.fr", "password": "x"}',
        '{"email": "é@b.fr", "password": "x"}'.encode("latin-1"),
        b'{"email": "a@b.fr", "password": "x"} {}',
        b"{'email': 'a@b.fr'}",
        b'{"email": "a@b.fr",}',
        b'// comment\n{"email": "a@b.fr"}',
    ],
)
def test_18_what_two_parsers_read_differently_is_400(anyone: httpx.Client, content: bytes) -> None:
    assert_failure(post(anyone, content, "/api/auth/login"), 400, "invalid_request")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": ":", "b": "\\u003a"}', {"a": ":", "b": ":"}),
        (
            b'{"a": "\\\\u003a", "b:c": ["x:y", {"d": 1}]}',
            {"a": "\\u003a", "b:c": ["x:y", {"d": 1}]},
        ),
        (b'{"a": "\\\\\\u003a"}', {"a": "\\:"}),
        (b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{"é": "\U0001f6cb"}'.encode(), {"é": "\U0001f6cb"}),
    ],
)
def test_18_what_only_looks_like_a_repeated_key_is_read(content: bytes, expected: Any) -> None:
    assert parse_json(content) == expected == json.loads(content)


def test_18_another_media_type_is_not_read_as_json(anyone: httpx.Client) -> None:
    content = b'{"email": "customer@example.com", "password": "password123"}'
    for media_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = anyone.post(
            "/api/auth/login", content=content, headers={"Content-Type": media_type}
        )
        assert_failure(answer, 400, "invalid_request")


def seconds_until_closed(port: int, start: bytes) -> float:
    """How long a connection lives whose headers begin with `start` and never end."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(start)
        while time.monotonic() - started < 15:
            try:
                if start:
                    connection.sendall(b"a")
                if connection.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - started


def test_19_slow_headers_are_closed_within_ten_seconds(server: Server) -> None:
    starts = [b"", b"GET / HTTP/1.1\r\nX-Slow: ", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "]
    with ThreadPoolExecutor(len(starts)) as pool:
        lives = list(pool.map(lambda start: seconds_until_closed(server.port, start), starts))
    assert max(lives) < 10


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud800a"])
def test_20_lone_surrogates_are_refused(
    customer: httpx.Client, admin: httpx.Client, escape: str
) -> None:
    content = f'{{"body": "Bonjour {escape}"}}'.encode()
    assert_failure(post(customer, content, comment_path(customer)), 400, "invalid_request")
    document = f'{{"title": "a", "text": "b {escape}"}}'.encode()
    assert_schema_failure(post(admin, document, DOCUMENTS))


def test_21_nul_is_refused_everywhere(customer: httpx.Client, admin: httpx.Client) -> None:
    path = comment_path(customer)
    assert_failure(post(customer, b'{"body": "a\\u0000b"}', path), 400, "invalid_request")
    assert_failure(post(customer, b'{"body": "a\x00b"}', path), 400, "invalid_request")
    assert_failure(customer.get("/api/tickets?customer_id=%00"), 400, "invalid_request")
    assert_failure(customer.get("/api/tickets/%00"), 404, "not_found")
    assert_schema_failure(post(admin, b'{"title": "a", "text": "\\u0000"}', DOCUMENTS))


def test_22_invisible_characters_are_kept_as_text(customer: httpx.Client) -> None:
    body = "retour \u202efr\u202c \u200b\U000e0041 fin"
    answer = customer.post(comment_path(customer), json={"body": body})
    assert answer.json()["comment"]["body"] == body


def test_24_a_megabyte_of_combining_marks_is_refused_at_once(
    server: Server, customer: httpx.Client, admin: httpx.Client
) -> None:
    marks = "a" + "\u0301\u0323" * 250_000
    process = psutil.Process(server.process_id)
    path = comment_path(customer)
    before = process.cpu_times()
    assert_failure(customer.post(path, json={"body": marks}), 400, "invalid_request")
    assert_schema_failure(admin.post(DOCUMENTS, json={"title": "a", "text": marks}))
    after = process.cpu_times()
    assert after.user + after.system - before.user - before.system < 0.3


def test_24_honest_marks_are_read() -> None:
    assert clean_text("e\u0301te\u0301") == "été"
    assert clean_text("Zalgo" + "\u0301" * 60)
    with pytest.raises(ValueError, match="combining marks"):
        clean_text("Zalgo" + "\u0301" * 70)
