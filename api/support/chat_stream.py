"""A conversation as server-sent events: `POST /api/chat` on request, and `GET /api/chat/stream`.

Each event's `id` is the frame's sequence, its name the frame's type, its data the frame as JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from api.dependencies import Caller, CurrentRuntime, KnownChatCaller, remember_visitor
from api.json_body import StrictRoute
from api.support.envelope import failures
from channels.frames import Frame, frame
from channels.live import HEARTBEAT_SECONDS, Listener, OpenListeners
from channels.turns import RunningTurn
from core.errors import InvalidRequest, ServiceUnavailable
from core.runtime import Runtime
from core.security import Principal
from core.text import Text

EVENT_STREAM = "text/event-stream"
MAXIMUM_SEQUENCE = 2**53
# How long a browser waits before it connects again.
RETRY_MS = 2_000
# One event, as a client reads it.
_EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(prefix="/api/chat", tags=["Chat"], route_class=StrictRoute)


class EventStream(StreamingResponse):
    media_type = EVENT_STREAM

    def __init__(self, content: AsyncIterator[str]) -> None:
        super().__init__(content, headers=_HEADERS)


def wants_stream(accept: str | None) -> bool:
    """Whether a client asks for events rather than for one JSON answer."""
    return accept is not None and any(
        kind.partition(";")[0].strip().lower() == EVENT_STREAM for kind in accept.split(",")
    )


def event_of(one: Frame) -> str:
    """A frame as an event; JSON holds no line break."""
    numbered = f"id: {one.sequence}\n" if one.sequence else ""
    return f"{numbered}event: {one.type}\ndata: {one.text}\n\n"


async def stream_turn(turn: RunningTurn, caller: Caller, runtime: Runtime) -> EventStream:
    """Answer with a turn's frames; what fails before the message is accepted is raised."""
    frames = turn.stream(HEARTBEAT_SECONDS)
    first = await anext(frames)
    while first.type == "heartbeat":
        first = await anext(frames)
    if turn.accepted is None and turn.error is not None:
        await frames.aclose()
        raise turn.error
    if caller.new_visitor_token is not None:
        first = first.with_fields(visitor_token=caller.new_visitor_token)
    response = EventStream(_events_of_turn(first, frames))
    remember_visitor(response, caller, runtime)
    return response


async def _events_of_turn(first: Frame, frames: AsyncGenerator[Frame, None]) -> AsyncIterator[str]:
    async with aclosing(frames):
        yield event_of(first)
        async for one in frames:
            yield event_of(one)


class _Window:
    """An event stream that is open."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.news = asyncio.Event()
        self.own: list[Frame] = []
        self.is_ending = False

    def wake(self) -> None:
        self.news.set()

    def heartbeat(self) -> None:
        if not self.news.is_set():
            self.own.append(frame("heartbeat"))
            self.news.set()

    def session_ended(self) -> None:
        self.own.append(session_ended_frame())
        self.going_away()

    def going_away(self) -> None:
        self.is_ending = True
        self.news.set()


def session_ended_frame() -> Frame:
    return frame(
        "error",
        success=False,
        error="unauthorized",
        detail="This session has ended; sign in again.",
    )


@router.get(
    "/stream",
    response_class=EventStream,
    status_code=200,
    responses={
        200: {
            "description": "Events of the conversation.",
            "content": {EVENT_STREAM: {"schema": _EVENT}},
        },
        **failures(401),
    },
    summary="Listen to a conversation, or go on where the connection was lost",
)
async def get_stream(
    caller: KnownChatCaller,
    runtime: CurrentRuntime,
    session_id: Annotated[Text, Query(min_length=1, max_length=200)],
    last_event_id: Annotated[
        str | None, Header(description="The last event that was received; browsers send it.")
    ] = None,
    after: Annotated[
        int | None,
        Query(ge=0, le=MAXIMUM_SEQUENCE, description="The same, for clients without headers."),
    ] = None,
) -> EventStream:
    """Everything that is said in the caller's conversation from now on, as server-sent events.

    With the id of the last event that was received the stream begins behind that event: nothing
    is repeated and nothing lost; where that cannot be, an event `continuity_lost` says so.
    """
    caller.principal.require("chat:write")
    if runtime.part(OpenListeners).is_full:
        raise ServiceUnavailable("Too many streams are open; try again in a moment.")
    begin = after if last_event_id is None else _sequence(last_event_id)
    return EventStream(_listen(runtime, caller.principal, session_id, begin))


def _sequence(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdecimal()) or len(last_event_id) > 16:
        raise InvalidRequest("Last-Event-ID must be the id of an event of this stream.")
    return int(last_event_id)


async def _listen(
    runtime: Runtime, principal: Principal, session_id: str, after: int | None
) -> AsyncIterator[str]:
    window = _Window(principal)
    listener = Listener(runtime, principal, session_id, window.wake)
    listeners = runtime.part(OpenListeners)
    await listener.open()
    listeners.add(window)
    try:
        yield f"retry: {RETRY_MS}\n\n"
        if after is not None:
            await listener.resume(after)
            window.wake()
        while not listener.overflowed:
            await window.news.wait()
            window.news.clear()
            own, window.own = window.own, []
            for one in [*await listener.take(), *own]:
                yield event_of(one)
                listeners.sent(window)
            if window.is_ending:
                return
    finally:
        listeners.remove(window)
        await listener.close()
