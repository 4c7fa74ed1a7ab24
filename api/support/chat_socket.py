"""A conversation over a WebSocket: `/api/chat/ws`, one socket a conversation.

Browsers cannot set headers: credentials may also come as the subprotocol `bearer.<token>` beside
`mdf.chat`, or in a first frame `authenticate`. docs/streaming.md describes the frames.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Response, WebSocket
from fastapi.websockets import WebSocketDisconnect
from pydantic import BaseModel, FailFast, Field, TypeAdapter, ValidationError

from api.callers import address_of
from api.dependencies import Caller, signed_in_or_visitor
from api.errors import write_error
from api.json_body import parse_json
from api.limits import CHAT, count_request
from api.support.chat_stream import MAXIMUM_SEQUENCE, session_ended_frame
from api.support.envelope import Request, failure_body
from bot.messages import IncomingMessage
from channels.desk import show_typing
from channels.frames import POSITIONS, Frame, frame
from channels.live import HEARTBEAT_SECONDS, Listener, OpenListeners
from channels.turns import KEPT_SECONDS, LiveTurns, RunningTurn
from core.errors import (
    InvalidRequest,
    NotAuthenticated,
    PermissionDenied,
    RateLimitExceeded,
    ServiceUnavailable,
    SupportError,
)
from core.runtime import Runtime
from core.security import Principal, random_token
from core.telemetry import new_request_id, request_id_variable
from core.text import Text
from services.accounts.api_keys import is_api_key, principal_from_api_key
from services.accounts.sessions import principal_from_any_token
from services.uploads.attachments import MAXIMUM_ATTACHMENTS

PATH = "/api/chat/ws"
SUBPROTOCOL = "mdf.chat"
TOKEN_SUBPROTOCOL = "bearer."  # noqa: S105
AUTHENTICATE_SECONDS = 10.0
MAXIMUM_MESSAGE_CHARACTERS = 20_000
# RFC 6455, and 4000 and above for our own.
GOING_AWAY, NOT_TEXT, TRY_AGAIN_LATER, NOT_AUTHENTICATED = 1001, 1003, 1013, 4401

router = APIRouter()

Session = Annotated[Text, Field(min_length=1, max_length=200)]
Sequence = Annotated[int, Field(ge=0, le=MAXIMUM_SEQUENCE)]


class Authenticate(Request):
    type: Literal["authenticate"]
    # Left out: a new visitor.
    token: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None
    session_id: Session | None = None
    after: Sequence | None = None


class Resume(Request):
    type: Literal["resume"]
    after: Sequence


class Say(Request):
    type: Literal["message"]
    message: Text = Field(min_length=1, max_length=MAXIMUM_MESSAGE_CHARACTERS)
    client_message_id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    language: Literal["fr", "en", "es", "de", "it", "nl"] | None = None
    attachments: Annotated[list[Text], FailFast()] = Field([], max_length=MAXIMUM_ATTACHMENTS)


class Typing(Request):
    """The customer is writing: agents who look see it."""

    type: Literal["typing"]


class Heartbeat(Request):
    type: Literal["heartbeat"]


class Opening(BaseModel):
    """What the address says."""

    session_id: Session | None = None
    after: Sequence | None = None


ClientFrame = Annotated[
    Authenticate | Resume | Say | Typing | Heartbeat, Field(discriminator="type")
]
_client_frames: TypeAdapter[Authenticate | Resume | Say | Typing | Heartbeat] = TypeAdapter(
    ClientFrame
)


@router.websocket(PATH)
async def chat_socket(websocket: WebSocket) -> None:
    """Open a conversation; see the module's docstring."""
    request_id_variable.set(new_request_id())
    runtime: Runtime = websocket.app.state.runtime
    try:
        check_origin(websocket, runtime)
        opening = _opening(websocket)
        caller = await _caller(websocket, runtime)
        caller.principal.require("chat:write")
        if runtime.part(OpenListeners).is_full or runtime.part(OpenListeners).is_closing:
            raise ServiceUnavailable("Too many sockets are open; try again in a moment.")
    except SupportError as error:
        await refuse(websocket, PATH, error)
        return
    await accept(websocket, SUBPROTOCOL)
    with suppress(WebSocketDisconnect):
        opened = await _identified(websocket, runtime, caller, opening)
        if opened is not None:
            await _ChatSocket(websocket, runtime, *opened).run()


async def refuse(websocket: WebSocket, path: str, error: SupportError) -> None:
    """Answer a handshake with an error, in the shape of the contract that the path belongs to."""
    written = write_error(path, error)
    await websocket.send_denial_response(
        Response(written.body, written.status, dict(written.headers))
    )


async def accept(websocket: WebSocket, subprotocol: str) -> None:
    """Open the socket; a browser that offers the subprotocol must be told that it is taken."""
    offered = subprotocol in websocket.scope["subprotocols"]
    await websocket.accept(subprotocol if offered else None)


def check_origin(websocket: WebSocket, runtime: Runtime) -> None:
    """Pages of other origins must not speak with a customer's cookie. Raises PermissionDenied."""
    origin = websocket.headers.get("origin")
    if origin is None:
        return
    allowed = runtime.settings.origins
    if "*" in allowed or origin.lower() in allowed:
        return
    if urlsplit(origin).netloc.lower() != websocket.headers.get("host", "").lower():
        raise PermissionDenied("Pages of this origin may not open a chat; see ALLOWED_ORIGINS.")


async def _caller(websocket: WebSocket, runtime: Runtime) -> Caller:
    """Who connects; a new visitor where nothing says who."""
    for name in websocket.scope["subprotocols"]:
        if name.startswith(TOKEN_SUBPROTOCOL):
            return Caller(await principal_of_token(runtime, name.removeprefix(TOKEN_SUBPROTOCOL)))
    return await signed_in_or_visitor(websocket, runtime)


async def principal_of_token(runtime: Runtime, token: str) -> Principal:
    """Who a token or API key of a browser's socket belongs to; raises NotAuthenticated."""
    if is_api_key(token):
        return await principal_from_api_key(runtime, token)
    return await principal_from_any_token(runtime, token)


def _opening(websocket: WebSocket) -> Opening:
    try:
        return Opening.model_validate(dict(websocket.query_params))
    except ValidationError:
        raise InvalidRequest("session_id or after is not valid.") from None


async def _identified(
    websocket: WebSocket, runtime: Runtime, caller: Caller, opening: Opening
) -> tuple[Caller, Opening] | None:
    """Who speaks and about what; a client without credentials says it in its first frame."""
    if caller.new_visitor_token is None:
        return caller, opening
    try:
        async with asyncio.timeout(AUTHENTICATE_SECONDS):
            first = _parsed(await websocket.receive_text())
        if not isinstance(first, Authenticate):
            raise NotAuthenticated("The first frame must be of type authenticate.")
        if first.token is not None:
            caller = Caller(await principal_of_token(runtime, first.token))
            caller.principal.require("chat:write")
    except TimeoutError:
        await _refuse(websocket, NotAuthenticated("No authenticate frame came in time."))
        return None
    except SupportError as error:
        await _refuse(websocket, error)
        return None
    return caller, Opening(
        session_id=first.session_id or opening.session_id,
        after=opening.after if first.after is None else first.after,
    )


async def _refuse(websocket: WebSocket, error: SupportError) -> None:
    await websocket.send_text(_error_frame(error).text)
    await websocket.close(NOT_AUTHENTICATED, error.code)


def _parsed(text: str) -> Authenticate | Resume | Say | Typing | Heartbeat:
    """A frame of the client; raises InvalidRequest."""
    body = parse_json(text.encode("utf-8", "surrogatepass"))
    try:
        return _client_frames.validate_python(body)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"][1:]) or "type"
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise InvalidRequest(f"The frame is not valid. {field[:60]}: {message[:200]}.") from None


def _error_frame(error: SupportError, **more: Any) -> Frame:
    return frame("error", **failure_body(error, request_id_variable.get()), **more)


class _ChatSocket:
    """One open socket. It reads in the request's task and writes in one that ends when idle."""

    def __init__(
        self, websocket: WebSocket, runtime: Runtime, caller: Caller, opening: Opening
    ) -> None:
        self._websocket = websocket
        self._runtime = runtime
        self.principal = caller.principal
        self._visitor_token = caller.new_visitor_token
        self._after = opening.after
        session_id = opening.session_id or random_token("session_")
        self._listener = Listener(runtime, caller.principal, session_id, self.wake)
        self._writer: asyncio.Task[None] | None = None
        self._running: set[RunningTurn] = set()
        self._seen_accepted: set[RunningTurn] = set()
        self._directly: set[RunningTurn] = set()
        # Why to close once everything is sent.
        self._closing: tuple[int, str] | None = None
        self._closed = False

    async def run(self) -> None:
        listeners = self._runtime.part(OpenListeners)
        await self._listener.open()
        listeners.add(self)
        try:
            self._listener.put([self._ready()])
            if self._after is not None:
                await self._listener.resume(self._after)
            self.wake()
            while True:
                text = await self._receive()
                if text is None:
                    return
                await self._handle(text)
        finally:
            self._closed = True
            listeners.remove(self)
            await self._listener.close()

    def _ready(self) -> Frame:
        token: dict[str, Any] = {}
        if self._visitor_token is not None:
            token["visitor_token"] = self._visitor_token
        return frame(
            "ready",
            session_id=self._listener.session_id,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            resume_seconds=KEPT_SECONDS,
            **token,
        )

    async def _receive(self) -> str | None:
        """The client's next frame; None when it is gone."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        if not isinstance(text, str):
            self._close_when_sent(NOT_TEXT, "send JSON text")
            return ""
        return text

    async def _handle(self, text: str) -> None:
        if self._closing is not None:
            return
        request_id_variable.set(new_request_id())
        client_message_id = None
        try:
            said = _parsed(text)
            if isinstance(said, Say):
                client_message_id = said.client_message_id
                await self._say(said)
            elif isinstance(said, Resume):
                await self._listener.resume(said.after)
                self.wake()
            elif isinstance(said, Typing):
                await self._types()
            elif isinstance(said, Authenticate):
                raise InvalidRequest("This socket is authenticated already.")
        except SupportError as error:
            self._send(_error_frame(error, client_message_id=client_message_id))

    async def _say(self, said: Say) -> None:
        if not said.message.strip():
            raise InvalidRequest("The message is empty; write something.")
        await self._count()
        message = IncomingMessage(
            principal=self.principal,
            session_id=self._listener.session_id,
            text=said.message,
            language=said.language,
            client_message_id=said.client_message_id,
            attachments=tuple(said.attachments),
        )
        turn = self._runtime.part(LiveTurns).start(message, streamed=True)
        self._running.add(turn)
        turn.on_change.append(lambda: self._follow(turn))

    async def _types(self) -> None:
        owner = self.principal
        await show_typing(
            self._runtime,
            owner.organization_id,
            owner.actor,
            self._listener.session_id,
            "user",
            None,
        )

    async def _count(self) -> None:
        """Count a message as a request to `POST /api/chat` is; raises RateLimitExceeded."""
        settings = self._runtime.settings
        if settings.rate_limits == "off":
            return
        known = self.principal.actor if not self.principal.is_visitor else None
        caller = known or address_of(self._websocket.scope, settings.proxy_networks)
        allowance = await count_request(self._runtime.cache, CHAT, caller)
        if not allowance.allowed:
            raise RateLimitExceeded(
                "Too many requests. Please try again later.", allowance.retry_after_seconds
            )

    def _follow(self, turn: RunningTurn) -> None:
        """Send what the conversation's listeners are not sent: repeated replies, early errors."""
        if turn.accepted is not None and turn not in self._seen_accepted:
            self._seen_accepted.add(turn)
            if turn.accepted.sequence * POSITIONS <= self._listener.last:
                # Answered late: the listener takes its frames for ones that it has sent.
                self._directly.add(turn)
        if not turn.is_done:
            return
        self._running.discard(turn)
        self._seen_accepted.discard(turn)
        if turn.accepted is None:
            extra = {"client_message_id": turn.message.client_message_id}
            self._listener.put([one.with_fields(**extra) for one in turn.frames])
        elif turn.was_repeated or turn in self._directly:
            self._listener.put(turn.frames)
            self._directly.discard(turn)
        self.wake()

    def _send(self, one: Frame) -> None:
        self._listener.put([one])
        self.wake()

    def wake(self) -> None:
        if self._listener.overflowed and self._closing is None:
            self._closing = (TRY_AGAIN_LATER, "too slow; resume")
            if self._writer is not None:
                self._writer.cancel()
            self._writer = asyncio.create_task(self._close())
        elif self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Send everything that waits, then end."""
        listeners = self._runtime.part(OpenListeners)
        with suppress(WebSocketDisconnect, RuntimeError):
            while frames := await self._listener.take():
                for one in frames:
                    await self._websocket.send_text(one.text)
                listeners.sent(self)
            if self._closing is not None and not self._running:
                await self._close()

    async def _close(self) -> None:
        if self._closing is not None and not self._closed:
            self._closed = True
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close(*self._closing)

    def _close_when_sent(self, code: int, reason: str) -> None:
        if self._closing is None:
            self._closing = (code, reason)
            self.wake()

    def heartbeat(self) -> None:
        self._send(frame("heartbeat"))

    def session_ended(self) -> None:
        self._listener.put([session_ended_frame()])
        self._close_when_sent(NOT_AUTHENTICATED, "session ended")

    def going_away(self) -> None:
        self._close_when_sent(GOING_AWAY, "restarting; resume")
