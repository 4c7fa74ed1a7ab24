"""Row M07: chat over server-sent events and WebSocket, with resume after a lost connection."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.serving import Server
from tests.sockets import ChatSocket, chat_socket, events, text_of, types

DELIVERY = "Quels sont vos délais de livraison ?"
EVENT_STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def token(server: Server) -> str:
    return server.token("customer@example.com")


@pytest.fixture
def session_id() -> str:
    return f"stream-{uuid4().hex}"


@pytest.fixture
def socket(server: Server, token: str, session_id: str) -> Iterator[ChatSocket]:
    with chat_socket(server.base_url, session_id, token) as opened:
        assert opened.receive()["type"] == "ready"
        yield opened


def stored_reply(client: httpx.Client, session_id: str) -> str:
    query = {"session_id": session_id, "limit": 100}
    messages = client.get("/api/chat/history", params=query).json()["messages"]
    return str(messages[-1]["content"])


def test_m07_a_reply_comes_as_events(customer: httpx.Client, session_id: str) -> None:
    body = {"message": DELIVERY, "session_id": session_id}
    with customer.stream("POST", "/api/chat", json=body, headers=EVENT_STREAM) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        frames = list(events(response))
    kinds = types(frames)
    assert kinds[:2] == ["accepted", "understood"]
    assert kinds[-1] == "finished"
    assert kinds.count("sentence") > 1
    sequences = [one["sequence"] for one in frames]
    assert sequences == sorted(set(sequences))
    assert any(one["sources"] for one in frames if one["type"] == "sentence")
    assert text_of(frames) == stored_reply(customer, session_id)


def test_m07_a_visitors_token_comes_with_the_first_event(anyone: httpx.Client) -> None:
    body = {"message": "Bonjour"}
    with anyone.stream("POST", "/api/chat", json=body, headers=EVENT_STREAM) as response:
        first = next(events(response))
        assert response.headers["x-visitor-token"] == first["visitor_token"]
    headers = {"X-Visitor-Token": first["visitor_token"]}
    seen = anyone.get("/api/chat/history", headers=headers).json()
    assert seen["messages"][0]["content"] == "Bonjour"


def test_m07_what_is_refused_before_it_is_accepted_is_no_stream(customer: httpx.Client) -> None:
    refused = customer.post("/api/chat", json={"message": "  "}, headers=EVENT_STREAM)
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_request"


def test_m07_a_socket_answers_in_frames(
    customer: httpx.Client, socket: ChatSocket, session_id: str
) -> None:
    frames = socket.say(DELIVERY, "first")
    assert frames[0] | {"message": DELIVERY, "client_message_id": "first"} == frames[0]
    assert types(frames)[-1] == "finished"
    assert text_of(frames) == stored_reply(customer, session_id)
    again = socket.say("Merci beaucoup")
    sequences = [one["sequence"] for one in [*frames, *again]]
    assert sequences == sorted(set(sequences))


def test_m07_the_same_client_message_id_answers_with_the_first_reply(
    customer: httpx.Client, socket: ChatSocket, session_id: str
) -> None:
    first, second = (socket.say(DELIVERY, "twice") for _ in range(2))
    assert first[-1]["message_id"] == second[-1]["message_id"]
    assert text_of(first) == text_of(second)
    assert all(one["replayed"] for one in second)
    history = customer.get("/api/chat/history", params={"session_id": session_id}).json()
    assert history["total"] == 2


@pytest.mark.parametrize("way", ["frame", "subprotocol"])
def test_m07_browsers_authenticate_without_headers(server: Server, token: str, way: str) -> None:
    address = f"{server.base_url.replace('http', 'ws', 1)}/api/chat/ws"
    protocols = ["mdf.chat", f"bearer.{token}"] if way == "subprotocol" else None
    with connect(address, subprotocols=protocols, proxy=None) as connection:  # type: ignore[arg-type]
        opened = ChatSocket(connection)
        if way == "frame":
            opened.send(type="authenticate", token=token)
        ready = opened.receive()
        assert ready["type"] == "ready"
        assert "visitor_token" not in ready
        assert types(opened.say("Bonjour"))[-1] == "finished"


def test_m07_bad_credentials_open_nothing(server: Server) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        chat_socket(server.base_url, token="not-a-token"),
    ):
        pass
    assert refused.value.response.status_code == 401
    body = json.loads(refused.value.response.body or b"")
    assert (body["success"], body["error"]) == (False, "unauthorized")
    address = f"{server.base_url.replace('http', 'ws', 1)}/api/chat/ws"
    with connect(address, proxy=None) as connection:
        opened = ChatSocket(connection)
        opened.send(type="message", message="Bonjour")
        assert opened.receive()["error"] == "unauthorized"
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)
        assert connection.close_code == 4401


@pytest.mark.parametrize(
    "sent", ["{", "[]", '{"type":"unknown"}', '{"type":"message"}', '{"type":"resume","after":-1}']
)
def test_m07_a_bad_frame_is_answered_and_the_socket_goes_on(socket: ChatSocket, sent: str) -> None:
    socket.connection.send(sent)
    error = socket.receive()
    assert (error["type"], error["success"], error["error"]) == ("error", False, "invalid_request")
    assert error["detail"]
    assert error["request_id"]
    assert types(socket.say("Bonjour"))[-1] == "finished"


def test_m07_resume_gives_every_frame_once(
    server: Server, socket: ChatSocket, token: str, session_id: str
) -> None:
    frames = [*socket.say(DELIVERY), *socket.say("Merci beaucoup")]
    for place in (0, 2, len(frames) // 2, len(frames) - 1):
        after = frames[place]["sequence"]
        with chat_socket(server.base_url, session_id, token, after) as other:
            other.receive()
            missed = frames[place + 1 :]
            assert [other.receive() for _ in missed] == missed
            # Nothing else comes before what is said next.
            assert other.say("Bonjour")[0]["type"] == "accepted"


def test_m07_resume_works_as_a_frame_and_as_events(
    server: Server, socket: ChatSocket, customer: httpx.Client, token: str, session_id: str
) -> None:
    frames = socket.say(DELIVERY)
    with chat_socket(server.base_url, session_id, token) as other:
        other.receive()
        other.send(type="resume", after=frames[1]["sequence"])
        assert other.until("finished") == frames[2:]
    query = {"session_id": session_id}
    headers = {"Last-Event-ID": str(frames[1]["sequence"])}
    with customer.stream("GET", "/api/chat/stream", params=query, headers=headers) as response:
        stream = events(response)
        assert [next(stream) for _ in frames[2:]] == frames[2:]
        later = socket.say("Merci beaucoup")
        assert [next(stream) for _ in later] == later


def test_m07_a_turn_goes_on_without_its_client(
    server: Server, customer: httpx.Client, token: str, session_id: str
) -> None:
    body = {"message": DELIVERY, "session_id": session_id}
    with customer.stream("POST", "/api/chat", json=body, headers=EVENT_STREAM) as response:
        first = next(events(response))
    with chat_socket(server.base_url, session_id, token, first["sequence"]) as other:
        rest = other.until("finished")[1:]
    assert text_of(rest) == stored_reply(customer, session_id)


def test_m07_a_plain_answer_reaches_open_sockets(
    customer: httpx.Client, socket: ChatSocket, session_id: str
) -> None:
    body = {"message": DELIVERY, "session_id": session_id}
    answer = customer.post("/api/chat", json=body).json()
    frames = socket.until("finished")
    assert text_of(frames) == answer["response"]
    assert frames[-1]["message_id"] == answer["message_id"]


def test_m07_a_lost_beginning_is_made_anew_and_a_lost_middle_is_said(
    server: Server, customer: httpx.Client, token: str
) -> None:
    # Answered without listeners: no frames are kept, the database has the replies.
    session_id = f"plain-{uuid4().hex}"
    for text in (DELIVERY, "Merci beaucoup"):
        customer.post("/api/chat", json={"message": text, "session_id": session_id})
    with chat_socket(server.base_url, session_id, token, after=1_999) as other:
        other.receive()
        rebuilt = other.until("finished")
        assert types(rebuilt)[:3] == ["accepted", "understood", "sentence"]
        assert text_of(rebuilt) == stored_reply(customer, session_id)
        assert all(one["rebuilt"] for one in rebuilt)
    with chat_socket(server.base_url, session_id, token, after=1_003) as other:
        other.receive()
        lost = other.receive()
        assert (lost["type"], lost["after"]) == ("continuity_lost", 1_003)
        whole = other.until("finished")
        assert types(whole)[0] == "accepted"
        assert whole[0]["message"] == DELIVERY
    with chat_socket(server.base_url, session_id, token, after=77_001) as other:
        other.receive()
        assert other.receive()["type"] == "continuity_lost"


def test_m07_a_stranger_hears_nothing(server: Server, socket: ChatSocket, session_id: str) -> None:
    agent = server.token("agent@example.com")
    with chat_socket(server.base_url, session_id, agent, after=0) as other:
        other.receive()
        socket.say("Bonjour")
        with pytest.raises(TimeoutError):
            other.receive(1.0)


def test_m07_messages_sent_together_are_answered_in_order(
    customer: httpx.Client, socket: ChatSocket, session_id: str
) -> None:
    names = [f"m{number}" for number in range(5)]
    for name in names:
        socket.send(type="message", message=f"Bonjour {name}", client_message_id=name)
    frames = [one for _ in names for one in socket.until("finished")]
    accepted = [one["client_message_id"] for one in frames if one["type"] == "accepted"]
    assert accepted == names
    query = {"session_id": session_id, "limit": 100}
    messages = customer.get("/api/chat/history", params=query).json()["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant"] * len(names)


def test_m07_silence_is_broken_by_heartbeats(server: Server, token: str) -> None:
    address = f"{server.base_url.replace('http', 'ws', 1)}/api/chat/ws"
    headers = {"Authorization": f"Bearer {token}"}
    with connect(address, additional_headers=headers, proxy=None) as connection:
        ready = json.loads(connection.recv(timeout=5))
        assert ready["heartbeat_seconds"] == 15
        began = time.monotonic()
        assert json.loads(connection.recv(timeout=20))["type"] == "heartbeat"
        assert 13 < time.monotonic() - began < 18


def test_m07_a_session_that_ends_closes_its_socket(server: Server) -> None:
    account = {"email": "agent@example.com", "password": "password123"}
    with server.client() as client:
        signed_in = client.post("/api/auth/login", json=account).json()
    with chat_socket(server.base_url, "main", signed_in["access_token"]) as opened:
        opened.receive()
        with server.client() as client:
            client.post("/api/auth/logout", json={"refresh_token": signed_in["refresh_token"]})
        began = time.monotonic()
        assert opened.receive(8)["error"] == "unauthorized"
        with pytest.raises(ConnectionClosed):
            opened.receive(8)
        assert time.monotonic() - began < 5.5
        assert opened.connection.close_code == 4401


def test_m07_many_listeners_hear_the_same(server: Server, token: str, session_id: str) -> None:
    heard: list[list[str]] = []

    def listen(ready: threading.Barrier) -> None:
        with chat_socket(server.base_url, session_id, token) as opened:
            opened.receive()
            ready.wait(20)
            heard.append([str(one["sequence"]) for one in opened.until("finished")])

    ready = threading.Barrier(6)
    threads = [threading.Thread(target=listen, args=(ready,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    with chat_socket(server.base_url, session_id, token) as speaker:
        speaker.receive()
        ready.wait(20)
        said = [str(one["sequence"]) for one in speaker.say(DELIVERY)]
    for thread in threads:
        thread.join(30)
    assert heard == [said] * 5
