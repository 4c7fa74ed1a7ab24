"""Many customers at once, each with an open socket of their own until all are answered."""

from __future__ import annotations

import asyncio
import json

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.serving import Server

PATIENCE_SECONDS = 120.0


def talk_over_sockets(server: Server, count: int) -> int:
    """Open as many sockets, then say something over each; returns how many were answered."""
    return asyncio.run(_talk(server, count))


async def _talk(server: Server, count: int) -> int:
    async with httpx.AsyncClient(base_url=server.base_url, timeout=60, trust_env=False) as client:
        made = [(await client.post("/api/chat/visitor")).json() for _ in range(count)]
    sockets = await asyncio.gather(
        *(_open(server, one["visitor_token"], number) for number, one in enumerate(made))
    )
    try:
        ends = await asyncio.gather(
            *(_say(socket, number) for number, socket in enumerate(sockets))
        )
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
    return sum(ends)


async def _open(server: Server, token: str, number: int) -> ClientConnection:
    address = server.base_url.replace("http", "ws", 1) + f"/api/chat/ws?session_id=crowd-{number}"
    headers = {"Authorization": f"Bearer {token}"}
    socket = await connect(address, additional_headers=headers, open_timeout=PATIENCE_SECONDS)
    assert json.loads(await socket.recv())["type"] == "ready"
    return socket


async def _say(socket: ClientConnection, number: int) -> bool:
    said = {"type": "message", "message": f"Bonjour, je suis le numéro {number}"}
    await socket.send(json.dumps({**said, "client_message_id": f"crowd-{number}"}))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            frame = json.loads(await socket.recv())
            if frame["type"] in ("finished", "error"):
                return bool(frame["type"] == "finished")
