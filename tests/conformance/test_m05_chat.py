"""Rows M05 and M06: sending a message, and reading one's own conversation."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conformance.shapes import assert_failure, moment
from tests.serving import Server

SEED_MESSAGE = "Bonjour, j'ai un problème avec mon canapé"


@pytest.fixture
def visitor(server: Server) -> Iterator[httpx.Client]:
    """A client that has said nothing yet."""
    with server.client() as client:
        yield client


def say(client: httpx.Client, message: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/chat", json={"message": message, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_m05_the_seeds_own_message_is_answered(customer: httpx.Client) -> None:
    session_id = f"session_{uuid4().hex}"
    body = say(customer, SEED_MESSAGE, language="fr", session_id=session_id)
    assert body["success"] is True
    assert body["response"]
    assert body["language"] == "fr"
    assert body["session_id"] == session_id
    assert body["intent"] == "support_request"
    assert isinstance(body["confidence"], float)
    assert 0 <= body["confidence"] <= 1
    for extra in ("sources", "products", "tool_results", "suggestions"):
        assert isinstance(body[extra], list)
    assert body["message_id"]
    assert "visitor_token" not in body


def test_m05_an_answer_from_knowledge_names_its_sources(customer: httpx.Client) -> None:
    body = say(customer, "Quels sont les délais de livraison ?", session_id=uuid4().hex)
    assert body["sources"]
    for source in body["sources"]:
        assert set(source) == {"id", "title", "quote", "score"}
        assert source["quote"]
        assert 0 < source["score"] <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"message": ""},
        {"message": "   "},
        {"message": None},
        {"message": 5},
        {"message": ["a"]},
        {"message": "x" * 100_001},
        {"language": "xx"},
        {"language": 5},
        {"session_id": ""},
        {"session_id": "x" * 201},
        {"session_id": 5},
        {"client_message_id": {}},
        {"role": "admin"},
    ],
)
def test_m05_what_is_not_valid_is_400(customer: httpx.Client, changes: dict[str, Any]) -> None:
    answer = customer.post("/api/chat", json={"message": SEED_MESSAGE, **changes})
    assert_failure(answer, 400, "invalid_request")


def test_m05_bad_credentials_are_401_and_not_a_visitor(anyone: httpx.Client) -> None:
    for headers in ({"Authorization": "Bearer x.y.z"}, {"X-Visitor-Token": "x.y.z"}):
        answer = anyone.post("/api/chat", json={"message": "Bonjour"}, headers=headers)
        assert_failure(answer, 401, "unauthorized")


def test_m05_the_same_client_message_id_is_answered_once(customer: httpx.Client) -> None:
    sent = {"session_id": uuid4().hex, "client_message_id": "m1"}
    first, second = (say(customer, "Bonjour", **sent) for _ in range(2))
    assert first["message_id"] == second["message_id"]
    assert first["response"] == second["response"]
    history = customer.get("/api/chat/history", params={"session_id": sent["session_id"]}).json()
    assert history["total"] == 2


def test_m05_two_messages_at_once_are_answered_each_once(server: Server) -> None:
    session_id = uuid4().hex
    texts = [f"Bonjour numéro {number}" for number in range(6)]
    server.token("customer@example.com")

    def send(text: str) -> str:
        with server.client("customer@example.com") as client:
            answer: str = say(client, text, session_id=session_id)["message_id"]
            return answer

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(send, texts))
    assert len(set(ids)) == len(texts)
    with server.client("customer@example.com") as client:
        query = {"session_id": session_id, "limit": 100}
        messages = client.get("/api/chat/history", params=query).json()["messages"]
    assert [item["role"] for item in messages] == ["user", "assistant"] * len(texts)
    assert {item["content"] for item in messages if item["role"] == "user"} == set(texts)


def test_m06_the_history_is_paged_oldest_first(customer: httpx.Client) -> None:
    session_id = uuid4().hex
    for text in ("Bonjour", "Merci beaucoup"):
        say(customer, text, session_id=session_id)
    query = {"session_id": session_id, "limit": 3, "offset": 0}
    body = customer.get("/api/chat/history", params=query).json()
    assert body["success"] is True
    assert (body["total"], body["limit"], body["offset"]) == (4, 3, 0)
    assert [item["role"] for item in body["messages"]] == ["user", "assistant", "user"]
    for item in body["messages"]:
        assert set(item) >= {"id", "role", "content", "intent", "sources", "created_at"}
        moment(item["created_at"])
    rest = customer.get("/api/chat/history", params={**query, "offset": 3}).json()
    assert [item["role"] for item in rest["messages"]] == ["assistant"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", "limit=x"])
def test_m06_a_history_refuses_bad_pages(customer: httpx.Client, query: str) -> None:
    assert_failure(customer.get(f"/api/chat/history?{query}"), 400, "invalid_request")


def test_m06_a_customer_sees_only_their_own(customer: httpx.Client, agent: httpx.Client) -> None:
    session_id = uuid4().hex
    say(customer, "Bonjour", session_id=session_id)
    theirs = agent.get("/api/chat/history", params={"session_id": session_id}).json()
    assert theirs["total"] == 0
    # The same name is another conversation for another caller.
    say(agent, "Bonsoir", session_id=session_id)
    own = customer.get("/api/chat/history", params={"session_id": session_id}).json()
    assert [item["content"] for item in own["messages"] if item["role"] == "user"] == ["Bonjour"]


def test_m06_a_visitors_token_comes_once_and_opens_the_history(
    server: Server, visitor: httpx.Client
) -> None:
    answer = visitor.post("/api/chat", json={"message": "Bonjour", "session_id": "session_123"})
    token = answer.json()["visitor_token"]
    assert len(token) > 100
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    # The cookie alone continues the conversation.
    again = visitor.post("/api/chat", json={"message": "Merci", "session_id": "session_123"})
    assert "visitor_token" not in again.json()
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-Visitor-Token": token}):
        with server.client() as other:
            body = other.get("/api/chat/history", headers=headers).json()
            assert body["total"] == 4


def test_m06_nothing_else_opens_a_visitors_conversation(
    server: Server, visitor: httpx.Client, customer: httpx.Client
) -> None:
    session_id = f"session_{uuid4().hex}"
    say(visitor, "Bonjour", session_id=session_id)
    query = {"session_id": session_id}
    with server.client() as stranger:
        assert_failure(stranger.get("/api/chat/history", params=query), 401, "unauthorized")
        say(stranger, "Bonsoir", session_id=session_id)
        seen = stranger.get("/api/chat/history", params=query).json()
        assert seen["messages"][0]["content"] == "Bonsoir"
    assert customer.get("/api/chat/history", params=query).json()["total"] == 0


def test_m06_a_visitor_opens_nothing_but_their_chat(visitor: httpx.Client) -> None:
    token = say(visitor, "Bonjour")["visitor_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert_failure(visitor.get("/api/tickets", headers=headers), 401, "unauthorized")
    answer = visitor.get("/api/v1/knowledge/documents", headers=headers)
    assert answer.status_code == 403
