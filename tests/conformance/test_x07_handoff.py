"""Row X07: a person takes over and hands back, live; never silent, and their turns rejoin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.serving import Server
from tests.sockets import ChatSocket, chat_socket, text_of, types

CONSOLE = "/api/v1/console"
AGENT, OTHER = "agent@example.com", "admin@example.com"


def session() -> str:
    return f"session_{uuid4().hex}"


@contextmanager
def console_socket(server: Server, token: str) -> Iterator[ClientConnection]:
    """An agent's live connection, behind its `ready`."""
    address = server.base_url.replace("http", "ws", 1) + f"{CONSOLE}/live"
    with connect(address, proxy=None, subprotocols=[Subprotocol("mdf.console")]) as connection:
        connection.send(json.dumps({"type": "authenticate", "token": token}))
        assert json.loads(connection.recv(timeout=10))["type"] == "ready"
        yield connection


def until(connection: ClientConnection, **fields: Any) -> dict[str, Any]:
    """The first event that holds these fields."""
    while True:
        event: dict[str, Any] = json.loads(connection.recv(timeout=10))
        if all(event.get(name) == value for name, value in fields.items()):
            return event


def waiting(agent: httpx.Client, search: str) -> dict[str, Any]:
    """The conversation that waits and in which this was said."""
    answer = agent.get(f"{CONSOLE}/conversations", params={"queue": "unassigned", "search": search})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["data"]
    return dict(found)


def ask_for_person(customer: ChatSocket) -> str:
    """Ask for a human; returns a word by which the conversation is found."""
    word = f"mot{uuid4().hex[:12]}"
    frames = customer.say(f"Je veux parler à un conseiller humain ({word})")
    assert "handoff" in types(frames), frames
    assert "minutes" in text_of(frames) or "rouvre" in text_of(frames)
    return word


def act(agent: httpx.Client, id: str, what: str, **body: Any) -> httpx.Response:
    return agent.post(f"{CONSOLE}/conversations/{id}/{what}", json=body)


def reply(agent: httpx.Client, id: str, text: str) -> httpx.Response:
    return act(agent, id, "reply", message=text, client_message_id=uuid4().hex)


def test_x07_a_person_takes_over_answers_and_hands_back(
    server: Server, agent: httpx.Client
) -> None:
    with (
        chat_socket(server.base_url, session()) as customer,
        console_socket(server, server.token(AGENT)) as console,
    ):
        word = ask_for_person(customer)
        found = waiting(agent, word)
        id = found["id"]
        until(console, type="conversation", conversation_id=id, owner="waiting")
        queues = {row["name"]: row for row in agent.get(f"{CONSOLE}/queues").json()["data"]}
        assert queues["unassigned"]["conversations"] >= 1

        assert act(agent, id, "take").json()["data"]["conversation"]["owner"] == "human"
        handoff, joined = customer.until("message")[-2:]
        assert (handoff["type"], handoff["owner"]) == ("handoff", "human")
        assert joined["role"] == "system"
        until(console, type="conversation", conversation_id=id, owner="human")

        console.send(json.dumps({"type": "watch", "conversation_id": id}))
        until(console, type="watching")
        console.send(json.dumps({"type": "typing", "conversation_id": id}))
        assert customer.until("typing")[-1]["role"] == "agent"
        customer.send(type="typing")
        seen = until(console, type="frame", conversation_id=id)
        while seen["frame"]["type"] != "typing" or seen["frame"]["role"] != "user":
            seen = until(console, type="frame", conversation_id=id)

        answered = reply(agent, id, "Bonjour, je regarde votre commande CMD-2026-000101.")
        assert answered.status_code == 201, answered.text
        said = customer.until("message")[-1]
        assert (said["role"], said["message"][:7]) == ("agent", "Bonjour")
        assert said["author"]["name"]

        frames = customer.say("Merci, j'attends votre retour")
        assert frames[-1]["owner"] == "human"
        assert text_of(frames), "a customer's message is answered by silence"
        frames = customer.say("Prenez votre temps")
        assert frames[-1]["owner"] == "human"
        assert not text_of(frames), "the customer knows already that a person has it"
        until(console, type="conversation", conversation_id=id, role="user")

        assert act(agent, id, "hand_back").status_code == 200
        returned = customer.until("message")[-1]
        assert returned["handoff"]["owner"] == "bot"
        frames = customer.say("Combien coûte la livraison en Corse ?")
        assert frames[-1]["owner"] == "bot"
        assert "149" in text_of(frames)

    thread = agent.get(f"{CONSOLE}/conversations/{id}").json()["data"]
    roles = [one["role"] for one in thread["messages"]]
    assert {"user", "assistant", "agent", "system"} <= set(roles)
    kinds = [event["kind"] for event in thread["events"]]
    assert kinds == ["requested", "taken", "handed_back"]
    last = thread["messages"][-1]
    assert last["sources"]
    assert last["trace"]


def test_x07_of_two_agents_one_gets_the_conversation(server: Server, agent: httpx.Client) -> None:
    with chat_socket(server.base_url, session()) as customer:
        id = waiting(agent, ask_for_person(customer))["id"]
    with server.client(OTHER) as other:
        answers = [act(agent, id, "take"), act(other, id, "take")]
        assert [answer.status_code for answer in answers] == [200, 409]
        assert act(agent, id, "take").status_code == 200, "taking it again is no error"
        assert reply(other, id, "Et moi ?").status_code == 409
        # Given to another by hand.
        given = act(agent, id, "assign", to="me")
        assert given.status_code == 200
        given = act(other, id, "assign", to="me")
        assert given.json()["data"]["conversation"]["assignee"]["name"]
        assert reply(agent, id, "Encore moi").status_code == 409
        assert act(other, id, "close").status_code == 200


def test_x07_what_a_resuming_customer_missed_comes_in_order(
    server: Server, agent: httpx.Client
) -> None:
    name = session()
    with chat_socket(server.base_url, name) as customer:
        ready = customer.receive()
        id = waiting(agent, ask_for_person(customer))["id"]
        last = customer.frames[-1]["sequence"]
    act(agent, id, "take")
    reply(agent, id, "Je suis là.")
    with chat_socket(
        server.base_url, name, after=last, **{"X-Visitor-Token": ready["visitor_token"]}
    ) as customer:
        customer.receive()
        frames = customer.until("message") + customer.until("message")
    assert types(frames) == ["handoff", "message", "message"]
    assert frames[-1]["message"] == "Je suis là."


def test_x07_the_answer_to_a_closed_chat_is_sent_and_the_reply_joins(
    server: Server, agent: httpx.Client, customer: httpx.Client
) -> None:
    name, word = session(), f"mot{uuid4().hex[:12]}"
    customer.post(
        "/api/chat", json={"message": f"Un conseiller humain svp {word}", "session_id": name}
    )
    id = waiting(agent, word)["id"]
    act(agent, id, "take")
    act(agent, id, "close")
    message = f"Votre pied de table part demain {word}."
    assert reply(agent, id, message).status_code == 201
    mail = _mail_with(server, word)
    assert "customer@example.com" in mail["to"]
    answer = EmailMessage()
    answer["From"], answer["To"] = "customer@example.com", mail["reply-to"]
    answer["Message-ID"] = f"<{word}@example.com>"
    answer.set_content("Merci beaucoup !\n\nLe lun. 12 janv. 2026, la boutique a écrit :\n> ancien")
    for _ in range(2):
        joined = agent.post(f"{CONSOLE}/inbound-email", content=answer.as_bytes())
        assert joined.status_code == 200, joined.text
        assert joined.json()["data"]["conversation_id"] == id
    thread = agent.get(f"{CONSOLE}/conversations/{id}").json()["data"]
    mine = [one["content"] for one in thread["messages"] if one["role"] == "user"]
    assert mine[1:] == ["Merci beaucoup !"]
    del answer["To"]
    answer["To"] = mail["reply-to"].replace("@", "x@")
    assert agent.post(f"{CONSOLE}/inbound-email", content=answer.as_bytes()).status_code == 404


def _mail_with(server: Server, word: str) -> Any:
    import time
    from email import message_from_bytes
    from email.policy import default

    for _ in range(100):
        for file in (server.data_dir / "mail").glob("answer-*.eml"):
            mail: Any = message_from_bytes(file.read_bytes(), policy=default)
            if word in mail.get_body().get_content():
                return mail
        time.sleep(0.1)
    pytest.fail("no e-mail was sent")


def test_x07_only_agents_reach_the_desk(
    server: Server, customer: httpx.Client, anyone: httpx.Client
) -> None:
    for path in ("queues", "conversations", f"conversations/{uuid4()}", "tickets", "macros"):
        assert customer.get(f"{CONSOLE}/{path}").status_code == 403
        assert anyone.get(f"{CONSOLE}/{path}").status_code == 403
    address = server.base_url.replace("http", "ws", 1) + f"{CONSOLE}/live"
    with pytest.raises(InvalidStatus) as refused:
        connect(
            address,
            proxy=None,
            additional_headers={"Authorization": f"Bearer {server.token('customer@example.com')}"},
        )
    assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        connect(address, proxy=None, origin=Origin("https://elsewhere.example"))
    assert refused.value.response.status_code == 403


def test_x07_a_proposed_reply_has_sources_and_changes_nothing(
    server: Server, agent: httpx.Client
) -> None:
    with chat_socket(server.base_url, session()) as customer:
        id = waiting(agent, ask_for_person(customer))["id"]
        act(agent, id, "take")
        customer.say("Combien coûte la livraison en Corse ?")
    before = agent.get(f"{CONSOLE}/conversations/{id}").json()["data"]["messages"]
    proposed = agent.get(f"{CONSOLE}/conversations/{id}/suggestion").json()["data"]
    assert "149" in proposed["text"]
    assert proposed["sources"]
    assert agent.get(f"{CONSOLE}/conversations/{id}").json()["data"]["messages"] == before
    case = {
        "message_id": proposed["message_id"],
        "correction": {"says": ["149 €"]},
        "name": f"corrigé {uuid4().hex}",
    }
    assert agent.post("/api/v1/evaluations/cases", json=case).status_code == 201
