"""What a desk is set up with, over HTTP: notes, macros, filters, agents."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.serving import Server

CONSOLE = "/api/v1/console"


@pytest.fixture
def conversation_id(server: Server, agent: httpx.Client) -> str:
    word = f"mot{uuid4().hex[:12]}"
    with server.client() as visitor:
        visitor.post("/api/chat", json={"message": f"Bonjour {word}"})
    (found,) = agent.get(f"{CONSOLE}/conversations", params={"search": word}).json()["data"]
    return str(found["id"])


def test_notes_are_for_staff_and_their_author_removes_them(
    server: Server, agent: httpx.Client, admin: httpx.Client, conversation_id: str
) -> None:
    path = f"{CONSOLE}/conversations/{conversation_id}"
    word = f"note{uuid4().hex[:10]}"
    note = agent.post(f"{path}/note", json={"body": f"À rappeler {word}"}).json()["data"]
    assert note["author"]["name"]
    thread = admin.get(path).json()["data"]
    assert [one["id"] for one in thread["notes"]] == [note["id"]]
    assert word not in str(thread["messages"])
    found = admin.get(f"{CONSOLE}/conversations", params={"search": word}).json()["data"]
    assert [one["id"] for one in found] == [conversation_id]
    assert admin.delete(f"{path}/note/{note['id']}").status_code == 404
    assert agent.delete(f"{path}/note/{note['id']}").status_code == 200
    assert admin.get(path).json()["data"]["notes"] == []


def test_macros_are_shared_and_their_names_unique(agent: httpx.Client, admin: httpx.Client) -> None:
    name = f"Photo {uuid4().hex[:8]}"
    body = {"name": name, "body": "Bonjour {customer}, une photo ?", "language": "fr"}
    made = agent.post(f"{CONSOLE}/macros", json=body)
    assert made.status_code == 201, made.text
    assert admin.post(f"{CONSOLE}/macros", json=body).status_code == 409
    id = made.json()["data"]["id"]
    changed = admin.put(f"{CONSOLE}/macros/{id}", json={**body, "body": "Une photo, svp."})
    assert changed.json()["data"]["body"] == "Une photo, svp."
    names = [one["name"] for one in agent.get(f"{CONSOLE}/macros").json()["data"]]
    assert names.count(name) == 1
    assert agent.delete(f"{CONSOLE}/macros/{id}").status_code == 200
    assert agent.delete(f"{CONSOLE}/macros/{id}").status_code == 404
    assert agent.put(f"{CONSOLE}/macros/{id}", json=body).status_code == 404


def test_filters_are_one_s_own(agent: httpx.Client, admin: httpx.Client) -> None:
    name = f"Retards {uuid4().hex[:8]}"
    for text in ("retard", "retards"):
        saved = agent.post(f"{CONSOLE}/filters", json={"name": name, "query": {"search": text}})
        assert saved.status_code == 201, saved.text
    mine = [one for one in agent.get(f"{CONSOLE}/filters").json()["data"] if one["name"] == name]
    assert [one["query"] for one in mine] == [{"search": "retards"}]
    assert all(one["name"] != name for one in admin.get(f"{CONSOLE}/filters").json()["data"])
    assert admin.delete(f"{CONSOLE}/filters/{mine[0]['id']}").status_code == 404
    assert agent.delete(f"{CONSOLE}/filters/{mine[0]['id']}").status_code == 200


def test_agents_say_what_they_can_do_and_get_it(agent: httpx.Client, conversation_id: str) -> None:
    skill = f"cuir{uuid4().hex[:6]}"
    path = f"{CONSOLE}/conversations/{conversation_id}/assign"
    asked = {"to": "skill", "skill": skill}
    assert agent.post(path, json=asked).status_code == 409
    mine = agent.patch(f"{CONSOLE}/agents/me", json={"skills": [skill.upper()]}).json()["data"]
    assert mine["skills"] == [skill]
    given = agent.post(path, json=asked)
    assert given.json()["data"]["conversation"]["assignee"]["id"] == mine["id"]
    others = agent.get(f"{CONSOLE}/agents").json()["data"]
    someone = next(one for one in others if one["id"] != mine["id"])
    assert agent.patch(f"{CONSOLE}/agents/{someone['id']}", json={}).status_code == 403
    assert agent.post(path, json={"to": str(uuid4())}).status_code == 400
    assert agent.post(path, json={"to": "round_robin"}).status_code == 200


@pytest.mark.parametrize("cursor", ["x", "%%%", "e30", "MjAyNnx4"])
def test_a_made_up_cursor_is_refused(agent: httpx.Client, cursor: str) -> None:
    for path in ("conversations", "tickets"):
        answer = agent.get(f"{CONSOLE}/{path}", params={"cursor": cursor})
        assert answer.status_code == 400, answer.text


def test_what_is_not_there_is_not_found(agent: httpx.Client) -> None:
    for id in ("x", str(uuid4())):
        path = f"{CONSOLE}/conversations/{id}"
        assert agent.get(path).status_code == 404
        assert agent.post(f"{path}/take").status_code == 404
        assert agent.get(f"{path}/suggestion").status_code == 404
        assert agent.get(f"{path}/file").status_code == 404
        assert agent.post(f"{path}/typing").status_code == 404
        assert agent.post(f"{path}/note", json={"body": "x"}).status_code == 404
