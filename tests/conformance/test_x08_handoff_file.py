"""Row X08: who takes a conversation over finds facts, steps, sources, photos, mood and consents."""

from __future__ import annotations

from uuid import uuid4

import httpx

from tests.pictures import photo
from tests.serving import Server

CONSOLE = "/api/v1/console"


def test_x08_the_file_tells_what_was_said_tried_and_shown(
    server: Server, agent: httpx.Client, customer: httpx.Client
) -> None:
    session_id, word = f"session_{uuid4().hex}", f"mot{uuid4().hex[:12]}"
    sent = customer.post("/api/upload", files={"file": ("sofa.jpg", photo(), "image/jpeg")})
    assert sent.status_code in (200, 201), sent.text
    file_id = sent.json()["file_id"]

    def say(message: str, *files: str) -> None:
        body = {"message": message, "session_id": session_id, "attachments": list(files)}
        assert customer.post("/api/chat", json=body).status_code == 200

    say("Combien coûte la livraison en Corse ?")
    say("C'est inadmissible !! Mon canapé Oslo est arrivé cassé !!", file_id)
    say(f"Je veux parler à un conseiller humain {word}")
    listed = agent.get(f"{CONSOLE}/conversations", params={"search": word}).json()["data"]
    answer = agent.get(f"{CONSOLE}/conversations/{listed[0]['id']}/file")
    assert answer.status_code == 200, answer.text
    page = answer.json()["data"]
    assert any("149" in source["quote"] for source in page["sources"])
    assert {"answered", "tool"} <= {step["step"] for step in page["steps"]}
    assert [photo["file_id"] for photo in page["photos"]] == [file_id]
    assert httpx.get(page["photos"][0]["file_url"], trust_env=False).status_code == 200
    assert page["mood"] == "upset"
    assert page["signs"]
    assert page["customer"]["reference"] == "CUST123"
    assert page["orders"]
    assert page["orders"][0]["total_cents"] > 0
    assert page["facts"]
    assert isinstance(page["consents"], dict)


def test_x08_a_calm_visitor_has_a_short_file(server: Server, agent: httpx.Client) -> None:
    word = f"mot{uuid4().hex[:12]}"
    with server.client() as visitor:
        # A person is asked for in the words of the catalogue: nothing is looked up for it.
        message = f"Je voudrais parler à un conseiller, dossier {word}"
        visitor.post("/api/chat", json={"message": message})
    listed = agent.get(f"{CONSOLE}/conversations", params={"search": word}).json()["data"]
    page = agent.get(f"{CONSOLE}/conversations/{listed[0]['id']}/file").json()["data"]
    assert (page["mood"], page["signs"]) == ("calm", [])
    assert page["customer"] is None
    assert page["orders"] == page["photos"] == page["sources"] == []
