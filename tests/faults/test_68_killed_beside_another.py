"""Fault 68 where several processes share a database: what one drops, another takes up."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.cluster import services
from tests.product import reuse_models
from tests.serving import Server, serving

KILLS = 5
CONVERSATIONS = 4
CUSTOMER = "customer@example.com"
TEXTS = (
    "Quels sont vos délais de livraison ?",
    "Mon canapé Oslo est cassé depuis trois jours",
    "Combien coûte la livraison en Corse ?",
)


@dataclass
class Talk:
    """One conversation: what was acknowledged, by client_message_id."""

    session_id: str = field(default_factory=lambda: uuid4().hex)
    acknowledged: dict[str, str] = field(default_factory=dict)

    def say(self, server: Server, token: str, name: str, text: str) -> bool:
        """Whether the server lived to answer."""
        body = {"message": text, "session_id": self.session_id, "client_message_id": name}
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = httpx.post(
                f"{server.base_url}/api/chat",
                json=body,
                headers=headers,
                timeout=60,
                trust_env=False,
            )
        except httpx.TransportError:
            return False
        assert answer.status_code == 200, answer.text
        self.acknowledged[name] = str(answer.json()["message_id"])
        return True


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[dict[str, str]]:
    with services(tmp_path / "shared") as running:
        yield running.environment()


def test_68_another_process_takes_up_what_a_killed_one_dropped(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    talks = [Talk() for _ in range(CONVERSATIONS)]
    folders = [tmp_path / "stays" / "data", tmp_path / "falls" / "data"]
    for folder in folders:
        reuse_models(folder)
    with serving(folders[0], **shared) as stays:
        token = stays.token(CUSTOMER)
        for number in range(KILLS):
            with serving(folders[1], **shared) as falls:
                _talk_until_killed(talks, (falls, stays), token, number)
        for talk in talks:
            _check(talk, stays, token)


def _talk_until_killed(
    talks: list[Talk], servers: tuple[Server, Server], token: str, number: int
) -> None:
    falls, stays = servers

    def play(talk: Talk) -> None:
        for place, text in enumerate(TEXTS):
            name = f"{number}-{place}"
            if not talk.say(falls, token, name, text):
                assert talk.say(stays, token, name, text)

    delay_seconds = random.Random(number).uniform(0.02, 0.15)
    timer = threading.Timer(delay_seconds, os.kill, (falls.process_id, signal.SIGKILL))
    timer.start()
    with ThreadPoolExecutor(len(talks)) as pool:
        list(pool.map(play, talks))
    timer.join()


def _check(talk: Talk, server: Server, token: str) -> None:
    for name, reply in talk.acknowledged.items():
        talk.say(server, token, name, "again")
        assert talk.acknowledged[name] == reply
    with httpx.Client(base_url=server.base_url, timeout=30, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        query = {"session_id": talk.session_id, "limit": 100}
        messages = client.get("/api/chat/history", params=query).json()["messages"]
    replies = [one["id"] for one in messages if one["role"] == "assistant"]
    assert len(talk.acknowledged) == KILLS * len(TEXTS)
    assert sorted(replies) == sorted(talk.acknowledged.values())
    assert len(messages) == 2 * len(replies)
    assert "again" not in {one["content"] for one in messages}
