"""Row X05: an agent corrects an answer by one call, and the gate plays that turn ever after."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx

from tests.e2e.commands import run_command
from tests.serving import Server

CORSICA = "Combien coûte la livraison en Corse ?"


def test_x05_one_call_makes_a_test_that_the_gate_plays(
    server: Server, agent: httpx.Client, anyone: httpx.Client
) -> None:
    session_id = f"session_{uuid4().hex}"
    asked = anyone.post("/api/chat", json={"message": CORSICA, "session_id": session_id})
    anyone.headers["X-Visitor-Token"] = asked.headers["x-visitor-token"]
    history = anyone.get("/api/chat/history", params={"session_id": session_id}).json()
    name = f"la Corse {session_id}"
    # The tests of other files lie beside it: what must hold is that of this one.
    correction = {"says": ["une réponse que personne ne donne"]}
    body = {"message_id": history["messages"][-1]["id"], "correction": correction, "name": name}
    made = agent.post("/api/v1/evaluations/cases", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["data"]["scenario"]["turns"][-1]["expect"]["says"] == correction["says"]

    played = run_command(server.data_dir, "eval", "--stored", "--json")
    assert played.returncode == 1, played.stderr
    tests = json.loads(played.stdout)["results"]
    (mine,) = [test for test in tests if name in json.dumps(test, ensure_ascii=False)]
    assert "une réponse que personne ne donne" in json.dumps(mine, ensure_ascii=False)
