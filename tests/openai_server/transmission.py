"""How does an answer reach the client: in which pieces, how slowly, and does it arrive whole?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.openai_server.steps import Ending


@dataclass(frozen=True)
class Transmission:
    """What goes over the wire, and how.

    `ending`: `end` is a whole answer; `cut` drops the connection after the last piece; `hang`
    keeps silent for `hang_seconds` before it does.
    """

    pieces: tuple[bytes, ...]
    media_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0
    piece_delay_seconds: float = 0.0
    ending: Ending = "end"
    hang_seconds: float = 0.0


class ClientGone(Exception):
    """The client has closed its connection, or the server is stopping."""


class Transmitted(Response):
    """A response that keeps to its transmission, and stops as soon as nobody listens."""

    def __init__(
        self, transmission: Transmission, stopping: asyncio.Event, gone: Callable[[], None]
    ) -> None:
        super().__init__(status_code=transmission.status)
        self.transmission = transmission
        self.stopping = stopping
        self.gone = gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ends = [
            asyncio.create_task(_until_disconnected(receive)),
            asyncio.create_task(self.stopping.wait()),
        ]
        try:
            await _transmit(self.transmission, send, ends)
        except ClientGone:
            self.gone()
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)


async def _transmit(
    transmission: Transmission, send: Send, ends: list[asyncio.Task[object]]
) -> None:
    """Returning without a last, empty piece makes the server cut the connection."""
    await _pause(transmission.wait_seconds, ends)
    headers = {"content-type": transmission.media_type, **transmission.headers}
    await send(
        {
            "type": "http.response.start",
            "status": transmission.status,
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        }
    )
    for number, piece in enumerate(transmission.pieces):
        if number:
            await _pause(transmission.piece_delay_seconds, ends)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if transmission.ending == "hang":
        await _pause(transmission.hang_seconds, ends)
    elif transmission.ending == "end":
        await send({"type": "http.response.body", "body": b""})


async def _pause(seconds: float, ends: list[asyncio.Task[object]]) -> None:
    """Wait, but not for a client that has left. Even no time lets a departure be seen."""
    done, _ = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if done:
        raise ClientGone


async def _until_disconnected(receive: Receive) -> object:
    while (await receive())["type"] != "http.disconnect":
        pass
    return None
