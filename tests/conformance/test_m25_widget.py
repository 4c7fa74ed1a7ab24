"""Row M25: what the customers' widget is made of and asks for: files, visitors, proof, ratings."""

from __future__ import annotations

import gzip
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conformance.shapes import assert_failure
from tests.serving import Server

QUESTION = "Quels sont vos délais de livraison ?"


@pytest.fixture
def visitor(server: Server, anyone: httpx.Client) -> httpx.Client:
    """A visitor as the widget becomes one: a token, no cookie."""
    answer = anyone.post("/api/chat/visitor", json={})
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    anyone.headers["Authorization"] = f"Bearer {answer.json()['visitor_token']}"
    return anyone


@pytest.fixture
def answered(visitor: httpx.Client) -> dict[str, Any]:
    """A conversation with one sourced answer."""
    answer = visitor.post("/api/chat", json={"message": QUESTION})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    assert body["sources"]
    return body


def test_m25_a_visitor_token_opens_the_chat(visitor: httpx.Client, answered: Any) -> None:
    history = visitor.get("/api/chat/history", params={"session_id": answered["session_id"]})
    assert [one["role"] for one in history.json()["messages"]] == ["user", "assistant"]


def test_m25_an_unknown_shop_has_no_visitors(anyone: httpx.Client) -> None:
    answer = anyone.post("/api/chat/visitor", json={}, headers={"X-Public-Key": "pk_none"})
    assert_failure(answer, 401, "unauthorized")


def test_m25_a_quote_is_shown_within_its_document(visitor: httpx.Client, answered: Any) -> None:
    source = answered["sources"][0]
    asked = {"session_id": answered["session_id"], "quote": source["quote"]}
    answer = visitor.get(f"/api/chat/sources/{source['id']}", params=asked)
    assert answer.status_code == 200
    shown = answer.json()["source"]
    assert shown["title"] == source["title"]
    assert shown["quote"] == source["quote"]
    assert shown["before"] + shown["after"], "nothing around the quote"
    assert shown["begins_document"]


def test_m25_only_what_was_cited_to_the_caller_can_be_read(
    server: Server, visitor: httpx.Client, answered: Any
) -> None:
    source = answered["sources"][0]
    path, session = f"/api/chat/sources/{source['id']}", answered["session_id"]
    another = {"session_id": session, "quote": source["quote"][:-5]}
    assert_failure(visitor.get(path, params=another), 404, "not_found")
    cited = {"session_id": session, "quote": source["quote"]}
    unknown = visitor.get(f"/api/chat/sources/{uuid4()}", params=cited)
    assert_failure(unknown, 404, "not_found")
    with server.client() as stranger:
        assert_failure(stranger.get(path, params=cited), 401, "unauthorized")
        token = stranger.post("/api/chat/visitor", json={}).json()["visitor_token"]
        stranger.headers["Authorization"] = f"Bearer {token}"
        assert_failure(stranger.get(path, params=cited), 404, "not_found")


def test_m25_a_conversation_has_one_rating_the_last(visitor: httpx.Client, answered: Any) -> None:
    session = answered["session_id"]
    for score, comment in ((2, "Trop long."), (5, " Finalement parfait. ")):
        body = {"session_id": session, "score": score, "comment": comment}
        answer = visitor.post("/api/chat/rating", json=body)
        assert answer.status_code == 200
        expected = {"session_id": session, "score": score, "comment": comment.strip()}
        assert answer.json() == {"success": True, "rating": expected}
    told = visitor.get("/api/privacy/export")
    if told.status_code == 405:
        told = visitor.post("/api/privacy/export", json={})
    ratings = told.json()["data"]["ratings"]
    assert [(one["score"], one["comment"]) for one in ratings] == [(5, "Finalement parfait.")]


@pytest.mark.parametrize("score", [0, 6, 4.5, "5", True, None])
def test_m25_a_score_is_a_whole_number_from_one_to_five(
    visitor: httpx.Client, answered: Any, score: Any
) -> None:
    body = {"session_id": answered["session_id"], "score": score}
    assert_failure(visitor.post("/api/chat/rating", json=body), 400, "invalid_request")


def test_m25_nobody_rates_the_conversation_of_another(
    server: Server, customer: httpx.Client, answered: Any
) -> None:
    body = {"session_id": answered["session_id"], "score": 1}
    assert_failure(customer.post("/api/chat/rating", json=body), 404, "not_found")
    with server.client() as stranger:
        assert_failure(stranger.post("/api/chat/rating", json=body), 401, "unauthorized")


def test_m25_the_script_is_compressed_kept_and_asked_for_again(anyone: httpx.Client) -> None:
    plain = anyone.get("/widget.js", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"].startswith("text/javascript")
    assert "content-encoding" not in plain.headers
    with anyone.stream("GET", "/widget.js", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(answer.iter_raw())) == plain.content
        etag = answer.headers["etag"]
    assert etag != plain.headers["etag"]
    known = {"Accept-Encoding": "gzip", "If-None-Match": f'"x", W/{etag}'}
    again = anyone.get("/widget.js", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    refused = anyone.get("/widget.js", headers={"Accept-Encoding": "gzip;q=0, br; q=0.0"})
    assert "content-encoding" not in refused.headers
    assert anyone.head("/widget.js").status_code == 200


def test_m25_files_of_this_version_may_be_kept_for_ever(anyone: httpx.Client) -> None:
    found = re.search(r"/assets/\w+/widget/app\.js", anyone.get("/widget.js").text)
    assert found is not None
    current = anyone.get(found[0])
    assert "immutable" in current.headers["cache-control"]
    # Pages of any shop load it as a module.
    assert current.headers["access-control-allow-origin"] == "*"
    old = anyone.get("/assets/0123/widget/app.js")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    assert old.content == current.content


@pytest.mark.parametrize(
    "path",
    ["none.js", "../api/app.py", "..%2f..%2fapi/app.py", "%2e%2e/pyproject.toml", "widget", ""],
)
def test_m25_nothing_but_the_pages_files_is_served(anyone: httpx.Client, path: str) -> None:
    assert anyone.get(f"/assets/0123/{path}").status_code == 404


def test_m25_licence_notices_of_others_stay(anyone: httpx.Client) -> None:
    for name in ("preact", "hooks", "htm", "signals", "signals-core"):
        text = anyone.get(f"/assets/0123/vendor/{name}.js").text
        assert re.match(r"/\*! \S+ [\d.]+ \| \(c\) .+ licence", text), name


def test_m25_the_page_may_load_nothing_but_its_own(anyone: httpx.Client) -> None:
    answer = anyone.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
