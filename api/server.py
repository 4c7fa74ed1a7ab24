"""What the HTTP server itself guards: who is slow is let go, and who ends says so first."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEADER_TIMEOUT_SECONDS = 8.0
# A frame that is larger closes its socket with 1009.
MAXIMUM_FRAME_BYTES = 64 * 1024
CLOSE_SECONDS = 5.0
SEND_BUFFER_BYTES = 128 * 1024
BACKLOG = 2048
SHUTDOWN_SECONDS = 20


def server_config(app: Any, **more: Any) -> uvicorn.Config:
    """How the product is served."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        http=PatientProtocol,
        ws=LeanSocketProtocol,
        ws_max_size=MAXIMUM_FRAME_BYTES,
        # Compression would keep tables of its own for every idle socket.
        ws_per_message_deflate=False,
        server_header=False,
        proxy_headers=False,
        **more,
    )


class PoliteServer(uvicorn.Server):
    """Calls back once it accepts requests, and before it lets go of those that it has."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        before_end: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._before_end = before_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await self._before_end()
        await super().shutdown(sockets)


class GatheredWrites:
    """A transport whose writes of one moment are one: each costs its way through the system."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._transport.is_closing():
            self._transport.write(b"".join(waiting))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class LeanSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket whose peer cannot put off its end: it is cut off when it does not read."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast(asyncio.Transport, GatheredWrites(transport, self.loop)))
        # Else the system keeps megabytes for a client that does not read.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES
        )

    async def send(self, message: Any) -> None:
        if message["type"] != "websocket.close" or self.writable.is_set():
            await super().send(message)
            return
        # What waits before the close frame would never leave.
        self.writable.set()
        await super().send(message)
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose patience for the headers of a request is `HEADER_TIMEOUT_SECONDS`.

    Hand it to uvicorn as `http=PatientProtocol`. Bodies have the deadline of the request.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._header_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._expect_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def _expect_headers(self) -> None:
        if self._header_deadline is None:
            self._header_deadline = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._header_deadline is not None:
            self._header_deadline.cancel()
            self._header_deadline = None

    def _give_up(self) -> None:
        self._header_deadline = None
        if not self.transport.is_closing():
            self.transport.close()
