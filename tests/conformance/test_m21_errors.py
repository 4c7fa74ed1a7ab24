"""Row M21: the shape of every error, its texts, and the limits of size and time."""

from __future__ import annotations

import http.client
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from tests.conformance.shapes import assert_admin_failure, assert_failure
from tests.serving import Server

MEBIBYTE = 1024 * 1024
TOO_LARGE = "Request body exceeds maximum size of 5.0MB"


def starve(port: int, path: str) -> tuple[bytes, float]:
    """Announce a body and never send it; returns the answer and how long it took."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n".encode() + b'{"message":')
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
    return answer, time.monotonic() - started


@pytest.fixture(scope="module", autouse=True)
def starved(server: Server) -> Iterator[Future[tuple[bytes, float]]]:
    """The answer to a body that never comes, asked for while the other tests run."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(starve, server.port, "/api/auth/login")


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/chat/", "/nothing", "/api", "/api//chat", "/api/%00"]
)
def test_m21_an_unknown_path_is_404(anyone: httpx.Client, path: str) -> None:
    assert_failure(anyone.get(path), 404, "not_found")


def test_m21_an_unknown_path_of_the_operators_is_404_in_their_shape(
    anyone: httpx.Client,
) -> None:
    assert_admin_failure(anyone.get("/api/v1/nothing"), 404, "NOT_FOUND")


def test_m21_a_wrong_method_is_405(anyone: httpx.Client) -> None:
    answer = anyone.put("/api/tickets")
    assert_failure(answer, 405, "method_not_allowed")
    answer = anyone.put("/api/v1/knowledge/documents")
    assert_admin_failure(answer, 405, "METHOD_NOT_ALLOWED")


def test_m21_missing_and_bad_credentials_are_401(anyone: httpx.Client) -> None:
    for header in (None, "Bearer", "Bearer x.y.z", "Basic YTpi", "Token abc"):
        headers = {"Authorization": header} if header else {}
        answer = anyone.get("/api/tickets", headers=headers)
        assert_failure(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_m21_a_request_id_is_made_for_each_request(anyone: httpx.Client) -> None:
    first, second = (anyone.get("/health").headers["x-request-id"] for _ in range(2))
    assert re.fullmatch(r"req_[0-9a-f]{16}", first)
    assert first != second


def test_m21_a_sane_request_id_is_kept(anyone: httpx.Client) -> None:
    headers = {"X-Request-ID": "shop-42.trace_7"}
    answer = anyone.get("/api/nothing", headers=headers)
    assert assert_failure(answer, 404, "not_found")["request_id"] == "shop-42.trace_7"


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", '"quoted"', "<script>"])
def test_m21_any_other_request_id_is_replaced(anyone: httpx.Client, offered: str) -> None:
    answer = anyone.get("/health", headers={"X-Request-ID": offered})
    assert answer.headers["x-request-id"].startswith("req_")


def test_m21_five_megabytes_pass_and_one_byte_more_does_not(anyone: httpx.Client) -> None:
    body = b'{"message":"' + b"a" * (5 * MEBIBYTE - 14) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert len(body) == 5 * MEBIBYTE
    assert_failure(
        anyone.post("/api/auth/login", content=body, headers=headers), 400, "invalid_request"
    )
    answer = anyone.post("/api/auth/login", content=body + b" ", headers=headers)
    assert assert_failure(answer, 413, "payload_too_large")["detail"] == TOO_LARGE


def test_m21_a_body_without_length_is_cut_off_too(anyone: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(80):
            yield b"a" * 100_000

    answer = anyone.post(
        "/api/auth/login", content=chunks(), headers={"Content-Type": "application/json"}
    )
    assert assert_failure(answer, 413, "payload_too_large")["detail"] == TOO_LARGE


def test_m21_the_connection_lives_on_after_a_refused_body(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/api/auth/login", body=b"a" * (20 * MEBIBYTE))
    first = connection.getresponse()
    first.read()
    assert first.status == 413
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_m21_uploads_of_documents_may_take_ten_megabytes(admin: httpx.Client) -> None:
    path = "/api/v1/knowledge/documents"
    files = {"file": ("x.md", b"a" * (10 * MEBIBYTE + 200_000), "text/markdown")}
    error = assert_admin_failure(admin.post(path, files=files), 413, "PAYLOAD_TOO_LARGE")
    assert error["message"] == "Request body exceeds maximum size of 10.0MB"


def test_m21_a_request_over_its_time_is_504(starved: Future[tuple[bytes, float]]) -> None:
    answer, seconds = starved.result(timeout=45)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b'"error":"gateway_timeout"' in answer
    assert b'"detail":"Request exceeded maximum processing time of 30s"' in answer
    assert b'"request_id":"req_' in answer
    assert 29 < seconds < 35
