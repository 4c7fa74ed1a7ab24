"""Two server processes on one PostgreSQL, one Redis and one Chroma answer as one would."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from core.settings import Settings
from knowledge.sharing import LOOK_SECONDS
from tests.cluster import Services, services
from tests.e2e.test_worker import start_worker
from tests.product import reuse_models
from tests.serving import Server, serving
from tests.sockets import chat_socket, text_of

DELIVERY = "Quels sont vos délais de livraison ?"
CUSTOMER = "customer@example.com"
ADMIN = "admin@example.com"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture(scope="module")
def both(
    shared: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    folders = [tmp_path_factory.mktemp(f"process{number}") / "data" for number in range(2)]
    for folder in folders:
        reuse_models(folder)
    environment = shared.environment()
    with serving(folders[0], **environment) as one, serving(folders[1], **environment) as other:
        yield one, other


def test_a_message_to_one_process_reaches_a_socket_on_the_other(
    both: tuple[Server, Server],
) -> None:
    one, other = both
    session_id, token = uuid4().hex, one.token(CUSTOMER)
    with chat_socket(other.base_url, session_id, token) as socket, one.client(CUSTOMER) as client:
        socket.receive()
        body = {"message": DELIVERY, "session_id": session_id}
        answer = client.post("/api/chat", json=body).json()
        frames = socket.until("finished")
        assert text_of(frames) == answer["response"]
        assert frames[-1]["message_id"] == answer["message_id"]


def test_a_missing_worker_is_said_until_there_is_one(
    both: tuple[Server, Server], shared: Services, tmp_path: Path
) -> None:
    with both[0].client() as client:
        before = client.get("/ready").json()
        assert before["checks"]["jobs"] == {"healthy": False, "workers": 0}
        assert (before["ready"], before["critical_ready"]) == (False, True)
        settings = Settings(database_url=shared.database_url, data_dir=tmp_path)
        worker = start_worker(settings, tmp_path)
        try:
            until = time.monotonic() + 30
            while client.get("/ready").json()["checks"]["jobs"]["workers"] == 0:
                assert time.monotonic() < until
                time.sleep(0.2)
        finally:
            worker.terminate()
            worker.communicate(timeout=30)


def test_a_lost_socket_goes_on_with_the_other_process(both: tuple[Server, Server]) -> None:
    one, other = both
    session_id, token = uuid4().hex, one.token(CUSTOMER)
    with chat_socket(one.base_url, session_id, token) as socket:
        socket.receive()
        frames = socket.say(DELIVERY, "m1")
    with chat_socket(other.base_url, session_id, token, frames[2]["sequence"]) as socket:
        socket.receive()
        assert socket.until("finished") == frames[3:]
        again = socket.say(DELIVERY, "m1")
        assert again[-1]["message_id"] == frames[-1]["message_id"]


def test_messages_to_both_at_once_are_answered_one_after_another(
    both: tuple[Server, Server],
) -> None:
    session_id = uuid4().hex
    token = both[0].token(CUSTOMER)
    both[1].tokens[CUSTOMER] = token

    def send(number: int) -> str:
        with both[number % 2].client(CUSTOMER) as client:
            # Each message twice, to different processes.
            body = {
                "message": f"Bonjour numéro {number // 2}",
                "session_id": session_id,
                "client_message_id": f"m{number // 2}",
            }
            answer = client.post("/api/chat", json=body)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["message_id"])

    with ThreadPoolExecutor(12) as pool:
        ids = list(pool.map(send, range(12)))
    assert ids[::2] == ids[1::2]
    assert len(set(ids)) == 6
    with both[0].client(CUSTOMER) as client:
        query = {"session_id": session_id, "limit": 100}
        messages = client.get("/api/chat/history", params=query).json()["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant"] * 6


def test_a_document_written_to_one_is_found_by_both(both: tuple[Server, Server]) -> None:
    word = f"zephirine{uuid4().hex[:6]}"
    body = {
        "title": f"Le service {word}",
        "text": f"Le service {word} livre les fauteuils le dimanche pour 12 €.",
        "language": "fr",
    }
    for writer in both:
        with writer.client(ADMIN) as client:
            created = client.post("/api/v1/knowledge/documents", json=body)
            assert created.status_code in {200, 201}, created.text
            document_id = created.json()["data"]["id"]
        assert _found(both, word, document_id) == [True, True]
        with writer.client(ADMIN) as client:
            client.delete(f"/api/v1/knowledge/documents/{document_id}")
        assert _found(both, word, document_id, wanted=False) == [False, False]


def _found(
    both: tuple[Server, Server], word: str, document_id: str, wanted: bool = True
) -> list[bool]:
    """Whether each process finds the document, waiting up to 4 s until it is as wanted."""
    until = time.monotonic() + 4
    while True:
        found = []
        for server in both:
            with server.client(ADMIN) as client:
                answer = client.get(
                    "/api/v1/knowledge/search", params={"q": f"service {word}"}
                ).json()
                found.append(document_id in str(answer["data"]))
        if found == [wanted] * 2 or time.monotonic() > until:
            return found
        time.sleep(0.1)


def test_a_copy_of_the_index_follows_what_the_other_process_writes(
    both: tuple[Server, Server],
) -> None:
    """Asked in another language, so that no word of the document helps to find it."""
    title = "Chasse aux papillons"
    body = {
        "title": title,
        "text": "Les filets sont prêtés aux enfants pour attraper des papillons volants.",
        "language": "fr",
    }
    # Long enough for each process to hold a copy of the index as it is.
    time.sleep(3 * LOOK_SECONDS)
    _first_titles(both)
    for writer in both:
        with writer.client(ADMIN) as client:
            created = client.post("/api/v1/knowledge/documents", json=body)
            document_id = created.json()["data"]["id"]
        assert _first_titles(both, title) == [title, title]
        with writer.client(ADMIN) as client:
            client.delete(f"/api/v1/knowledge/documents/{document_id}")
        time.sleep(3 * LOOK_SECONDS)
        assert title not in _first_titles(both)


def _first_titles(both: tuple[Server, Server], wanted: str | None = None) -> list[str]:
    """What each process finds first, waiting up to 4 s until it is what is wanted."""
    until = time.monotonic() + 4
    while True:
        found = []
        for server in both:
            with server.client(ADMIN) as client:
                answer = client.get(
                    "/api/v1/knowledge/search", params={"q": "butterfly hunting with nets"}
                )
                found.append(str(answer.json()["data"][0]["title"]))
        if wanted is None or found == [wanted] * 2 or time.monotonic() > until:
            return found
        time.sleep(0.1)


def test_a_restart_says_goodbye_and_loses_nothing(
    shared: Services, both: tuple[Server, Server], tmp_path: Path
) -> None:
    staying = both[0]
    session_id, token = uuid4().hex, staying.token(CUSTOMER)
    folder = tmp_path / "data"
    reuse_models(folder)
    with serving(folder, **shared.environment()) as leaving:
        with chat_socket(leaving.base_url, session_id, token) as socket:
            socket.receive()
            first = socket.say(DELIVERY, "m1")
            socket.send(type="message", message="Merci beaucoup", client_message_id="m2")
            os.kill(leaving.process_id, signal.SIGTERM)
            received = []
            try:
                while True:
                    received.append(socket.receive())
            except ConnectionClosed:
                code = socket.connection.close_code
    assert code == 1001
    last = (received or first)[-1]["sequence"]
    with chat_socket(staying.base_url, session_id, token, last) as socket:
        socket.receive()
        answered = socket.say("Merci beaucoup", "m2")
        assert answered[-1]["type"] == "finished"
    with staying.client(CUSTOMER) as client:
        history = client.get("/api/chat/history", params={"session_id": session_id}).json()
    assert history["total"] == 4
