"""Hostile inputs 59 to 62: oversized frames, slow readers, a storm of sockets, foreign pages."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import time
from contextlib import ExitStack
from uuid import uuid4

import psutil
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.serving import Server
from tests.sockets import chat_socket

LIMIT_BYTES = 64 * 1024
STORM = 300
# A storm of 5,000 is measured by `scripts/bench sockets`.
STORM_SECONDS = 10.0


@pytest.fixture
def token(server: Server) -> str:
    return server.token("customer@example.com")


def test_59_a_frame_over_64_kib_closes_with_1009(server: Server, token: str) -> None:
    with chat_socket(server.base_url, uuid4().hex, token) as opened:
        opened.receive()
        opened.connection.send("x" * LIMIT_BYTES)
        assert opened.receive()["error"] == "invalid_request"
        opened.connection.send("x" * (LIMIT_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            opened.receive()
        assert opened.connection.close_code == 1009


def _handshake(server: Server, token: str, session_id: str) -> sockets.socket:
    """A socket whose client reads nothing after the handshake, with a small buffer."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    raw.sendall(
        f"GET /api/chat/ws?session_id={session_id}&after=0 HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return raw


def test_60_a_reader_who_does_not_read_costs_bounded_memory_and_is_let_go(
    server: Server, token: str
) -> None:
    session_id = uuid4().hex
    process = psutil.Process(server.process_id)
    with chat_socket(server.base_url, session_id, token) as speaker, ExitStack() as stack:
        speaker.receive()
        speaker.say("Quels sont vos délais de livraison ?")
        raw = [stack.enter_context(_handshake(server, token, session_id)) for _ in range(3)]
        time.sleep(0.5)
        before = process.memory_info().rss
        # Each frame `accepted` repeats its message.
        for _ in range(90):
            speaker.say("Bonjour " + "à tous et à toutes, " * 900)
            if not _connected(process, raw):
                break
        grown = process.memory_info().rss - before
        until = time.monotonic() + 10
        while _connected(process, raw) and time.monotonic() < until:
            time.sleep(0.2)
        assert not _connected(process, raw)
        assert grown < 60 * 1024 * 1024
        assert speaker.say("Merci beaucoup")[-1]["type"] == "finished"


def _connected(process: psutil.Process, raw: list[sockets.socket]) -> bool:
    ports = {one.getsockname()[1] for one in raw}
    return any(
        one.raddr and one.raddr.port in ports and one.status == psutil.CONN_ESTABLISHED
        for one in process.net_connections(kind="tcp")
    )


def test_61_a_storm_of_reconnecting_sockets_loses_and_doubles_nothing(
    server: Server, token: str
) -> None:
    session_id = uuid4().hex
    with chat_socket(server.base_url, session_id, token) as speaker:
        speaker.receive()
        said = speaker.say("Quels sont vos délais de livraison ?")
        began = time.monotonic()
        heard = asyncio.run(_storm(server, token, session_id, said[1]["sequence"]))
        took = time.monotonic() - began
    wanted = [one["sequence"] for one in said[2:]]
    assert len(heard) == STORM
    assert all(one == wanted for one in heard)
    assert took < STORM_SECONDS


async def _storm(server: Server, token: str, session_id: str, after: int) -> list[list[int]]:
    address = f"ws://127.0.0.1:{server.port}/api/chat/ws?session_id={session_id}&after={after}"
    headers = {"Authorization": f"Bearer {token}"}

    async def reconnect() -> list[int]:
        received: list[int] = []
        async with websockets.connect(
            address, additional_headers=headers, proxy=None, open_timeout=20, compression=None
        ) as connection:
            while True:
                frame = json.loads(await asyncio.wait_for(connection.recv(), 20))
                if "sequence" in frame:
                    received.append(frame["sequence"])
                if frame["type"] == "finished":
                    return received

    return await asyncio.gather(*(reconnect() for _ in range(STORM)))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"]
)
def test_62_a_page_of_another_origin_opens_no_socket(
    server: Server, token: str, origin: str
) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        chat_socket(server.base_url, uuid4().hex, token, Origin=origin),
    ):
        pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["error"] == "forbidden"


def test_62_our_own_page_opens_one(server: Server, token: str) -> None:
    with chat_socket(server.base_url, uuid4().hex, token, Origin=server.base_url) as opened:
        assert opened.receive()["type"] == "ready"
