"""Fault 68: a server killed in mid-conversation, twenty times: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from uuid import uuid4

import httpx

from tests.product import reuse_models
from tests.serving import Server, serving

KILLS = 20
MESSAGES = 3
TEXTS = (
    "Quels sont vos délais de livraison ?",
    "Mon canapé Oslo est cassé depuis trois jours",
    "Combien coûte la livraison en Corse ?",
)


def _send(client: httpx.Client, session_id: str, name: str, text: str) -> str | None:
    """The id of the reply; None where the server fell before it answered."""
    body = {"message": text, "session_id": session_id, "client_message_id": name}
    try:
        answer = client.post("/api/chat", json=body)
    except httpx.TransportError:
        return None
    assert answer.status_code == 200, answer.text
    return str(answer.json()["message_id"])


def _kill_later(server: Server, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, os.kill, (server.process_id, signal.SIGKILL))
    timer.start()
    return timer


def test_68_what_was_acknowledged_is_kept_and_what_is_sent_again_is_answered_once(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    reuse_models(data_dir)
    chance = random.Random(68)
    session_id = uuid4().hex
    token = ""
    # By client_message_id: what was acknowledged, and what is still to be answered.
    acknowledged: dict[str, str] = {}
    unanswered: dict[str, str] = {}
    for number in range(KILLS + 1):
        with serving(data_dir) as server:
            token = token or server.token("customer@example.com")
            server.tokens["customer@example.com"] = token
            with server.client("customer@example.com") as client:
                for name, text in unanswered.items():
                    reply = _send(client, session_id, name, text)
                    assert reply is not None
                    acknowledged[name] = reply
                unanswered.clear()
                if number == KILLS:
                    break
                timer = _kill_later(server, chance.uniform(0.0, 0.12))
                for place in range(MESSAGES):
                    name, text = f"{number}-{place}", TEXTS[place]
                    reply = _send(client, session_id, name, text)
                    if reply is None:
                        unanswered[name] = text
                        break
                    acknowledged[name] = reply
                timer.join()
                time.sleep(0.05)
    with serving(data_dir) as server, server.client() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        for name, reply in acknowledged.items():
            assert _send(client, session_id, name, "again") == reply
        messages, offset = [], 0
        while True:
            query = {"session_id": session_id, "limit": 100, "offset": offset}
            page = client.get("/api/chat/history", params=query).json()
            messages += page["messages"]
            offset += 100
            if offset >= page["total"]:
                break
    replies = [one["id"] for one in messages if one["role"] == "assistant"]
    assert sorted(replies) == sorted(acknowledged.values())
    assert len(replies) == len(set(replies))
    assert len(messages) == 2 * len(replies)
    assert "again" not in {one["content"] for one in messages}
