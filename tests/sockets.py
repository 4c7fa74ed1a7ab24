"""A chat socket and event streams as a client sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from websockets.sync.client import ClientConnection, connect

ENDINGS = ("finished", "error")
PATIENCE_SECONDS = 30.0

Frame = dict[str, Any]


@dataclass
class ChatSocket:
    """An open socket, and every frame that it has received."""

    connection: ClientConnection
    frames: list[Frame] = field(default_factory=list)

    def receive(self, seconds: float = PATIENCE_SECONDS) -> Frame:
        """The next frame that is no heartbeat."""
        while True:
            received: Frame = json.loads(self.connection.recv(timeout=seconds))
            if received["type"] != "heartbeat":
                self.frames.append(received)
                return received

    def until(self, *types: str, seconds: float = PATIENCE_SECONDS) -> list[Frame]:
        """The frames up to the first of one of these types."""
        received = [self.receive(seconds)]
        while received[-1]["type"] not in types:
            received.append(self.receive(seconds))
        return received

    def send(self, **body: Any) -> None:
        self.connection.send(json.dumps(body))

    def say(self, text: str, client_message_id: str | None = None) -> list[Frame]:
        """Send a message and receive its frames."""
        self.send(type="message", message=text, client_message_id=client_message_id or uuid4().hex)
        return self.until(*ENDINGS)


@contextmanager
def chat_socket(
    base_url: str, session_id: str = "", token: str = "", after: int | None = None, **headers: str
) -> Iterator[ChatSocket]:
    """Open a socket and receive its `ready` frame."""
    address = base_url.replace("http", "ws", 1) + f"/api/chat/ws?session_id={session_id or 'main'}"
    if after is not None:
        address += f"&after={after}"
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    with connect(
        address, additional_headers={**sent, **headers}, proxy=None, compression=None
    ) as connection:
        socket = ChatSocket(connection)
        if not token and not headers:
            socket.send(type="authenticate")
        yield socket


def events(response: httpx.Response) -> Iterator[Frame]:
    """The frames of a stream of events; each event's id and name are checked against its frame."""
    lines: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            lines[name] = value
            continue
        if "data" in lines:
            frame: Frame = json.loads(lines["data"])
            assert lines["event"] == frame["type"]
            assert lines.get("id", "0") == str(frame.get("sequence", 0))
            if frame["type"] != "heartbeat":
                yield frame
        lines = {}


def types(frames: list[Frame]) -> list[str]:
    return [one["type"] for one in frames]


def text_of(frames: list[Frame]) -> str:
    """The reply that a client puts together."""
    sentences = [one for one in frames if one["type"] == "sentence"]
    return "".join(one["joint"] + one["text"] for one in sentences)
