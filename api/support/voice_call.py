"""A live call from a browser: `/api/voice/call`, one socket a call; docs/voice_calls.md.

The first frame is `start`; then binary frames carry the caller's sound and JSON frames the rest.
Credentials are those of the chat socket, or a `token` in the first frame.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, WebSocket
from fastapi.websockets import WebSocketDisconnect
from pydantic import Field, TypeAdapter, ValidationError

from api.callers import address_of
from api.dependencies import Caller as Known
from api.dependencies import signed_in_or_visitor
from api.json_body import parse_json
from api.limits import CHAT, count_request
from api.support.chat_socket import (
    AUTHENTICATE_SECONDS,
    GOING_AWAY,
    NOT_AUTHENTICATED,
    TOKEN_SUBPROTOCOL,
    TRY_AGAIN_LATER,
    Session,
    accept,
    check_origin,
    principal_of_token,
    refuse,
)
from api.support.envelope import Request, failure_body
from channels.live import HEARTBEAT_SECONDS, OpenListeners
from channels.voice.answering import Caller
from channels.voice.call import Call, EndReason, Opening
from channels.voice.calls import OpenCalls, new_call
from channels.voice.intake import Intake, open_intake
from core.errors import (
    InvalidRequest,
    NotAuthenticated,
    RateLimitExceeded,
    ServiceUnavailable,
    SupportError,
)
from core.providers.speech import SAMPLE_RATE_HERTZ
from core.runtime import Runtime
from core.security import Principal, random_token
from core.telemetry import new_request_id, request_id_variable
from services.accounts.organizations import recent_organizations
from services.accounts.sessions import issue_visitor_token

PATH = "/api/voice/call"
SUBPROTOCOL = "mdf.voice"
FRAME_MILLISECONDS = 40
# A client that sends nothing, not even a heartbeat, is gone.
SILENT_SECONDS = 20.0
SEND_SECONDS = 5.0
# How late sound may be before it counts as silence; compressed sound comes in larger pieces.
PLAIN_GAP_SECONDS, COMPRESSED_GAP_SECONDS = 0.4, 1.5
# RFC 6455, and 4000 and above for our own.
NORMAL, NOT_UNDERSTOOD, MALFORMED, TOO_FAST = 1000, 1003, 1007, 1008
FAILED, SILENT = 1011, 4408
_CLOSE_CODES: dict[EndReason, int] = {"restart": GOING_AWAY, "failed": FAILED}
_SEQUENCE = struct.Struct(">I")

router = APIRouter()


class Start(Request):
    """How the call is to be held; `recording` left out: the caller is asked by voice."""

    type: Literal["start"]
    # Left out: a new visitor, unless the handshake said who calls.
    token: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None
    # The public key of the shop, for visitors where there is more than one.
    organization: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    session_id: Session | None = None
    language: Literal["fr", "en", "es", "de", "it"] | None = None
    recording: bool | None = None
    format: Literal["pcm", "opus", "webm"] = "pcm"


class Played(Request):
    """The caller has heard the frame of this number."""

    type: Literal["played"]
    sequence: int = Field(ge=0, le=2**32 - 1)


class Key(Request):
    type: Literal["dtmf"]
    key: Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]


class HangUp(Request):
    type: Literal["hang_up"]


class Heartbeat(Request):
    type: Literal["heartbeat"]


_client_frames: TypeAdapter[Start | Played | Key | HangUp | Heartbeat] = TypeAdapter(
    Annotated[Start | Played | Key | HangUp | Heartbeat, Field(discriminator="type")]
)


class _Closed(Exception):
    """The socket has to be closed for what the client sent."""

    def __init__(self, code: int, error: SupportError) -> None:
        super().__init__(error.message)
        self.code = code
        self.error = error


@router.websocket(PATH)
async def voice_call(websocket: WebSocket) -> None:
    """Hold a call; see the module's docstring."""
    request_id_variable.set(new_request_id())
    runtime: Runtime = websocket.app.state.runtime
    try:
        check_origin(websocket, runtime)
        caller = await _caller(websocket, runtime)
        caller.principal.require("chat:write")
        await _count(websocket, runtime, caller.principal)
        with OpenCalls.of(runtime).line(runtime):
            await accept(websocket, SUBPROTOCOL)
            with suppress(WebSocketDisconnect):
                await _hold(websocket, runtime, caller)
    except SupportError as error:
        await refuse(websocket, PATH, error)


async def _caller(websocket: WebSocket, runtime: Runtime) -> Known:
    """Who calls; a new visitor where the handshake does not say."""
    for name in websocket.scope["subprotocols"]:
        if name.startswith(TOKEN_SUBPROTOCOL):
            return Known(await principal_of_token(runtime, name.removeprefix(TOKEN_SUBPROTOCOL)))
    return await signed_in_or_visitor(websocket, runtime)


async def _count(websocket: WebSocket, runtime: Runtime, principal: Principal) -> None:
    """Count a call as a request to the chat is; raises RateLimitExceeded."""
    settings = runtime.settings
    if settings.rate_limits == "off":
        return
    address = address_of(websocket.scope, settings.proxy_networks)
    actor = address if principal.is_visitor else principal.actor
    allowance = await count_request(runtime.cache, CHAT, actor)
    if not allowance.allowed:
        raise RateLimitExceeded(
            "Too many calls. Please try again later.", allowance.retry_after_seconds
        )


async def _hold(websocket: WebSocket, runtime: Runtime, known: Known) -> None:
    """Read the first frame and hold the call that it asks for."""
    line = BrowserLine(websocket)
    try:
        start = await _first_frame(websocket)
        known = await _identified(runtime, known, start)
        session_id = start.session_id or random_token("session_")
        line.ready = _ready(known, session_id)
        if start.format != "pcm":
            line.longest_gap_seconds = COMPRESSED_GAP_SECONDS
        opening = Opening(
            Caller(known.principal, session_id),
            "browser",
            start.language,
            start.recording,
            runtime.settings.voice_name,
        )
        call = new_call(runtime, line, opening)
        line.call = call
        async with open_intake(start.format, call.hear) as intake:
            await _Socket(websocket, runtime, line, call, intake, known.principal).run()
    except _Closed as closed:
        await line.refuse(closed.code, closed.error)
    except SupportError as error:
        # The handshake is over: what is missing is said in a frame.
        await line.refuse(FAILED, error)


def _ready(known: Known, session_id: str) -> dict[str, Any]:
    token = {"visitor_token": known.new_visitor_token} if known.new_visitor_token else {}
    return {
        "session_id": session_id,
        "sample_rate": SAMPLE_RATE_HERTZ,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        **token,
    }


async def _first_frame(websocket: WebSocket) -> Start:
    refusal = NotAuthenticated("The first frame must be of type start.")
    try:
        async with asyncio.timeout(AUTHENTICATE_SECONDS):
            message = await websocket.receive()
    except TimeoutError:
        raise _Closed(NOT_AUTHENTICATED, NotAuthenticated("No start frame came in time.")) from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", NORMAL))
    if not isinstance(message.get("text"), str):
        raise _Closed(NOT_UNDERSTOOD, refusal)
    first = _parsed(message["text"])
    if not isinstance(first, Start):
        raise _Closed(NOT_AUTHENTICATED, refusal)
    return first


async def _identified(runtime: Runtime, known: Known, start: Start) -> Known:
    """Who calls, once the first frame has had its say."""
    try:
        if start.token is not None:
            known = Known(await principal_of_token(runtime, start.token))
            known.principal.require("chat:write")
        if start.organization is None:
            return known
        for organization in await recent_organizations(runtime, start.organization):
            if organization.public_key != start.organization:
                continue
            if known.new_visitor_token is not None:
                token, visitor = issue_visitor_token(runtime, organization.id)
                return Known(visitor, token)
            if known.principal.organization_id == organization.id:
                return known
        raise NotAuthenticated("This public key is not known, or belongs to another shop.")
    except SupportError as error:
        raise _Closed(NOT_AUTHENTICATED, error) from None


def _parsed(text: str) -> Start | Played | Key | HangUp | Heartbeat:
    """A frame of the client; raises _Closed."""
    try:
        return _client_frames.validate_python(parse_json(text.encode("utf-8", "surrogatepass")))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"][1:]) or "type"
        raise _Closed(
            MALFORMED, InvalidRequest(f"The frame is not valid. {field[:60]}: {problem['msg']}.")
        ) from None
    except SupportError as error:
        raise _Closed(MALFORMED, error) from None


class BrowserLine:
    """A browser's socket as a call's line: numbered binary frames, and JSON beside them."""

    frame_milliseconds = FRAME_MILLISECONDS

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self.longest_gap_seconds = PLAIN_GAP_SECONDS
        self._is_gone = False
        self.ready: dict[str, Any] = {}
        self.call: Call | None = None
        # Set where something else than the call's own end closes the socket.
        self.close_code: int | None = None

    async def _send(self, **message: Any) -> None:
        """Send; a client that is gone or does not read ends its call."""
        if self._is_gone:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send({"type": "websocket.send", **message})
        except (TimeoutError, WebSocketDisconnect, RuntimeError) as error:
            self._is_gone = not isinstance(error, TimeoutError)
            self.close_code = TRY_AGAIN_LATER
            if self.call is not None:
                self.call.hang_up("lost")

    async def send_sound(self, sequence: int, samples: bytes) -> None:
        await self._send(bytes=_SEQUENCE.pack(sequence) + samples)

    async def clear(self) -> None:
        await self.tell("clear")

    async def tell(self, type: str, **body: Any) -> None:
        more = self.ready if type == "ready" else {}
        await self._send(text=_json({"type": type, **body, **more}))

    async def refuse(self, code: int, error: SupportError) -> None:
        """Say what is wrong and close."""
        await self.tell("error", **failure_body(error, request_id_variable.get()))
        await self._close(code, error.message)

    async def end(self, reason: str) -> None:
        code = _CLOSE_CODES.get(reason, NORMAL)  # type: ignore[call-overload]
        await self._close(self.close_code or code, reason)

    async def _close(self, code: int, reason: str) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        with suppress(WebSocketDisconnect, RuntimeError):
            # A close frame holds 123 bytes of reason.
            await self._websocket.close(code, reason.encode()[:120].decode(errors="ignore"))


class _Socket:
    """One open call: it reads here while the call is held in another task."""

    def __init__(
        self,
        websocket: WebSocket,
        runtime: Runtime,
        line: BrowserLine,
        call: Call,
        intake: Intake,
        principal: Principal,
    ) -> None:
        self._websocket = websocket
        self._runtime = runtime
        self._line = line
        self._call = call
        self._intake = intake
        self.principal = principal

    async def run(self) -> None:
        """Hold the call until one side ends it."""
        listeners = self._runtime.part(OpenListeners)
        listeners.add(self)
        calls = OpenCalls.of(self._runtime)
        holding = asyncio.create_task(calls.hold(self._call, self._runtime), name="call")
        receiving = asyncio.create_task(self._receive(), name="call socket")
        try:
            await asyncio.wait({holding, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                await self._received(receiving)
            await holding
        finally:
            listeners.remove(self)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def _received(self, receiving: asyncio.Task[None]) -> None:
        """The client has left or sent what it may not."""
        error = receiving.exception()
        if error is None or isinstance(error, WebSocketDisconnect):
            self._call.hang_up("caller")
            return
        self._call.hang_up("failed")
        if not isinstance(error, _Closed):
            raise error
        await self._line.refuse(error.code, error.error)

    async def _receive(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    message = await self._websocket.receive()
            except TimeoutError:
                raise _Closed(SILENT, InvalidRequest("Nothing came for a while.")) from None
            if message["type"] == "websocket.disconnect":
                return
            sound = message.get("bytes")
            if sound is not None:
                await self._hear(sound)
            elif not await self._handle(_parsed(message["text"])):
                return

    async def _hear(self, sound: bytes) -> None:
        try:
            await self._intake.put(sound)
        except ServiceUnavailable as error:
            raise _Closed(FAILED, error) from None
        except SupportError as error:
            code = TOO_FAST if error.code == "too_much_sound" else MALFORMED
            raise _Closed(code, error) from None

    async def _handle(self, said: Start | Played | Key | HangUp | Heartbeat) -> bool:
        """Do what a frame says; False where it ends the call."""
        match said:
            case Played():
                self._call.played(said.sequence)
            case Key():
                self._call.press(said.key)
            case HangUp():
                return False
            case Start():
                raise _Closed(NOT_UNDERSTOOD, InvalidRequest("The call has begun already."))
        return True

    # What the process tells every window.

    def wake(self) -> None:
        """Everything is sent as it comes."""

    def heartbeat(self) -> None:
        """The call's own frames keep the socket open."""

    def session_ended(self) -> None:
        self._line.close_code = NOT_AUTHENTICATED
        self._call.hang_up("failed")

    def going_away(self) -> None:
        self._call.hang_up("restart")


def _json(body: dict[str, Any]) -> str:
    return orjson.dumps(body, default=str).decode()
