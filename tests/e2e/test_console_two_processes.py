"""Agents on one process and customers on another: one takes, everybody sees, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.cluster import services
from tests.conformance.test_x07_handoff import (
    AGENT,
    OTHER,
    act,
    ask_for_person,
    console_socket,
    reply,
    until,
    waiting,
)
from tests.product import reuse_models
from tests.serving import Server, serving
from tests.sockets import chat_socket


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folders = [tmp_path_factory.mktemp(f"desk{number}") / "data" for number in range(2)]
    for folder in folders:
        reuse_models(folder)
    with services(tmp_path_factory.mktemp("desk_shared")) as running:
        environment = running.environment()
        with serving(folders[0], **environment) as one, serving(folders[1], **environment) as two:
            yield one, two


def test_a_desk_and_its_customers_may_be_on_different_processes(
    both: tuple[Server, Server],
) -> None:
    one, two = both
    with (
        chat_socket(two.base_url, uuid4().hex) as customer,
        console_socket(one, one.token(AGENT)) as console,
        one.client(AGENT) as agent,
        two.client(OTHER) as rival,
    ):
        id = waiting(agent, ask_for_person(customer))["id"]
        until(console, type="conversation", conversation_id=id, owner="waiting")
        with ThreadPoolExecutor(2) as pool:
            taken = list(pool.map(lambda who: act(who, id, "take").status_code, (agent, rival)))
        assert sorted(taken) == [200, 409]
        owner = agent if taken[0] == 200 else rival
        assert customer.until("message")[-1]["role"] == "system"
        for number in range(5):
            customer.send(
                type="message", message=f"Question {number}", client_message_id=f"q{number}"
            )
            assert reply(owner, id, f"Réponse {number}").status_code == 201
        answers: list[str] = []
        finished = 0
        while len(answers) < 5 or finished < 5:
            frame = customer.receive()
            if frame["type"] == "message":
                answers.append(frame["message"])
            finished += frame["type"] == "finished"
        assert answers == [f"Réponse {number}" for number in range(5)]
        numbers = [frame["sequence"] for frame in customer.frames if frame.get("sequence")]
        assert numbers == sorted(set(numbers))
        assert act(owner, id, "hand_back").status_code == 200
        until(console, type="conversation", conversation_id=id, owner="bot")
