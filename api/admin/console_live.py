"""What happens at the desk, as it happens: the consoles' WebSocket `/api/v1/console/live`.

The console is told of every conversation that changes (ids only), and of those that it watches
it gets the customers' own frames: messages, sentences, typing, handoffs. Browsers authenticate by
the subprotocol `bearer.<token>` beside `mdf.console`, or in a first frame `authenticate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, WebSocket
from fastapi.websockets import WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.admin.envelope import failure_body
from api.dependencies import bearer_token
from api.json_body import parse_json
from api.support.chat_socket import (
    AUTHENTICATE_SECONDS,
    GOING_AWAY,
    NOT_AUTHENTICATED,
    TOKEN_SUBPROTOCOL,
    TRY_AGAIN_LATER,
    accept,
    check_origin,
    principal_of_token,
    refuse,
)
from channels import desk
from channels.consoles import desk_channel
from channels.frames import Frame, channel_of
from channels.live import HEARTBEAT_SECONDS, OpenListeners
from core.errors import InvalidRequest, NotAuthenticated, ServiceUnavailable, SupportError
from core.runtime import Runtime
from core.security import Principal
from core.telemetry import new_request_id, request_id_variable
from services.conversations.desk import read_conversation

PATH = "/api/v1/console/live"
SUBPROTOCOL = "mdf.console"
WORK = "conversations:write"
MAXIMUM_WATCHED = 20
# Frames that a console may leave unread before it is let go; it reads the queues anew.
MAXIMUM_WAITING = 2_000

router = APIRouter()


class _ClientFrame(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Authenticate(_ClientFrame):
    type: Literal["authenticate"]
    token: Annotated[str, Field(min_length=1, max_length=4_000)]


class Watch(_ClientFrame):
    type: Literal["watch", "unwatch", "typing"]
    conversation_id: UUID


class Heartbeat(_ClientFrame):
    type: Literal["heartbeat"]


_client_frames: TypeAdapter[Authenticate | Watch | Heartbeat] = TypeAdapter(
    Annotated[Authenticate | Watch | Heartbeat, Field(discriminator="type")]
)


@router.websocket(PATH)
async def console_socket(websocket: WebSocket) -> None:
    """Open a console; see the module's docstring."""
    request_id_variable.set(new_request_id())
    runtime: Runtime = websocket.app.state.runtime
    try:
        check_origin(websocket, runtime)
        principal = await _principal(websocket, runtime)
        listeners = runtime.part(OpenListeners)
        if listeners.is_full or listeners.is_closing:
            raise ServiceUnavailable("Too many sockets are open; try again in a moment.")
    except SupportError as error:
        await refuse(websocket, PATH, error)
        return
    await accept(websocket, SUBPROTOCOL)
    with suppress(WebSocketDisconnect):
        principal = principal or await _first_frame(websocket, runtime)
        if principal is not None:
            await _ConsoleSocket(websocket, runtime, principal).run()


async def _principal(websocket: WebSocket, runtime: Runtime) -> Principal | None:
    """Who connects by header or subprotocol; None for who says it in the first frame."""
    token = bearer_token(websocket)
    for name in websocket.scope["subprotocols"]:
        if name.startswith(TOKEN_SUBPROTOCOL):
            token = name.removeprefix(TOKEN_SUBPROTOCOL)
    return await _agent(runtime, token) if token is not None else None


async def _agent(runtime: Runtime, token: str) -> Principal:
    principal = await principal_of_token(runtime, token)
    principal.require(WORK)
    return principal


async def _first_frame(websocket: WebSocket, runtime: Runtime) -> Principal | None:
    try:
        async with asyncio.timeout(AUTHENTICATE_SECONDS):
            first = _parsed(await websocket.receive_text())
        if not isinstance(first, Authenticate):
            raise NotAuthenticated("The first frame must be of type authenticate.")
        return await _agent(runtime, first.token)
    except TimeoutError:
        error: SupportError = NotAuthenticated("No authenticate frame came in time.")
    except SupportError as raised:
        error = raised
    await websocket.send_text(_json(_error(error)))
    await websocket.close(NOT_AUTHENTICATED, error.code)
    return None


def _parsed(text: str) -> Authenticate | Watch | Heartbeat:
    body = parse_json(text.encode("utf-8", "surrogatepass"))
    try:
        return _client_frames.validate_python(body)
    except ValidationError:
        raise InvalidRequest(
            "The frame is not valid: send authenticate, watch, unwatch, typing or heartbeat."
        ) from None


def _error(error: SupportError) -> dict[str, Any]:
    return {"type": "error", **failure_body(error, request_id_variable.get())}


def _json(body: dict[str, Any]) -> str:
    return orjson.dumps(body, default=str).decode()


class _ConsoleSocket:
    """One open console. It reads in the request's task and writes in another."""

    def __init__(self, websocket: WebSocket, runtime: Runtime, principal: Principal) -> None:
        self._websocket = websocket
        self._runtime = runtime
        self.principal = principal
        self._channel = desk_channel(principal.organization_id)
        self._watched: dict[UUID, tuple[str, Callable[[Sequence[bytes] | None], None]]] = {}
        self._waiting: asyncio.Queue[str | tuple[int, str]] = asyncio.Queue(MAXIMUM_WAITING)

    async def run(self) -> None:
        listeners, broadcast = self._runtime.part(OpenListeners), self._runtime.broadcast
        await broadcast.listen(self._channel, self._on_event)
        listeners.add(self)
        writer = asyncio.create_task(self._write(listeners), name="console")
        try:
            self._send({"type": "ready", "heartbeat_seconds": HEARTBEAT_SECONDS})
            while True:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._handle(message.get("text"))
        finally:
            listeners.remove(self)
            writer.cancel()
            await broadcast.stop(self._channel, self._on_event)
            for id in tuple(self._watched):
                await self._unwatch(id)

    async def _handle(self, text: Any) -> None:
        request_id_variable.set(new_request_id())
        try:
            said = _parsed(text if isinstance(text, str) else "")
            if isinstance(said, Authenticate):
                raise InvalidRequest("This socket is authenticated already.")
            if isinstance(said, Watch):
                await self._do(said)
        except SupportError as error:
            self._send(_error(error))

    async def _do(self, said: Watch) -> None:
        if said.type == "typing":
            await desk.agent_types(self._runtime, self.principal, said.conversation_id)
        elif said.type == "unwatch":
            await self._unwatch(said.conversation_id)
        elif said.conversation_id not in self._watched:
            await self._watch(said.conversation_id)

    async def _watch(self, id: UUID) -> None:
        if len(self._watched) >= MAXIMUM_WATCHED:
            raise InvalidRequest(f"At most {MAXIMUM_WATCHED} conversations are watched at once.")
        organization_id = self.principal.organization_id
        async with self._runtime.database.reading(organization_id) as transaction:
            row = await read_conversation(transaction, id)
        channel = channel_of(organization_id, row.actor, row.session_id)
        receiver = partial(self._on_frames, id)
        self._watched[id] = (channel, receiver)
        await self._runtime.broadcast.listen(channel, receiver)
        self._send({"type": "watching", "conversation_id": id})

    async def _unwatch(self, id: UUID) -> None:
        watched = self._watched.pop(id, None)
        if watched is not None:
            await self._runtime.broadcast.stop(*watched)

    def _on_event(self, items: Sequence[bytes] | None) -> None:
        if items is None:
            self._send({"type": "continuity_lost", "detail": "Read the queues anew."})
            return
        for item in items:
            self._put(item.decode())

    def _on_frames(self, id: UUID, items: Sequence[bytes] | None) -> None:
        if items is None:
            self._send({"type": "continuity_lost", "conversation_id": id})
            return
        for item in items:
            text = Frame.from_bytes(item).text
            self._put(f'{{"type":"frame","conversation_id":"{id}","frame":{text}}}')

    def _send(self, body: dict[str, Any]) -> None:
        self._put(_json(body))

    def _put(self, item: str | tuple[int, str]) -> None:
        try:
            self._waiting.put_nowait(item)
        except asyncio.QueueFull:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait((TRY_AGAIN_LATER, "too slow; connect again"))

    async def _write(self, listeners: OpenListeners) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                item = await self._waiting.get()
                if isinstance(item, tuple):
                    await self._websocket.close(*item)
                    return
                await self._websocket.send_text(item)
                listeners.sent(self)

    def wake(self) -> None:
        """Everything to send is in the queue already."""

    def heartbeat(self) -> None:
        self._send({"type": "heartbeat"})

    def session_ended(self) -> None:
        self._put((NOT_AUTHENTICATED, "session ended"))

    def going_away(self) -> None:
        self._put((GOING_AWAY, "restarting; connect again"))
