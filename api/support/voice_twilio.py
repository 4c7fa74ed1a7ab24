"""Telephone calls over Twilio: what a number is pointed at, and the stream that carries a call.

`POST /api/voice/twilio/call` answers an incoming call, `…/after` says what follows its stream,
and `/api/voice/twilio/stream` is the stream; docs/voice_calls.md tells how to set a number up.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, WebSocket
from fastapi.websockets import WebSocketDisconnect

from api.dependencies import CurrentRuntime
from api.json_body import StrictRoute
from api.support.chat_socket import AUTHENTICATE_SECONDS, NOT_AUTHENTICATED, refuse
from api.support.envelope import failures
from api.support.voice_call import FAILED, MALFORMED, NORMAL, SEND_SECONDS, SILENT_SECONDS, TOO_FAST
from channels.live import OpenListeners
from channels.voice import twilio
from channels.voice.answering import Caller
from channels.voice.call import Call, Opening
from channels.voice.calls import OpenCalls, new_call
from channels.voice.phone import PhoneLine
from channels.voice.saying import call_phrase
from core.errors import InvalidRequest, NotAuthenticated, PermissionDenied, SupportError
from core.runtime import Runtime
from core.security import Principal, keyed_hash, random_token
from core.telemetry import new_request_id, request_id_variable
from services.accounts.organizations import recent_organizations
from services.accounts.sessions import issue_visitor_token
from services.conversations.calls import end_reason_of

PREFIX = "/api/voice/twilio"
# Between our instructions and the stream that they ask for.
TOKEN_SECONDS = 120
SIGNATURE_HEADER = "X-Twilio-Signature"
_LOCALES = {"fr": "fr-FR", "en": "en-GB", "es": "es-ES", "de": "de-DE", "it": "it-IT"}

router = APIRouter(prefix=PREFIX, tags=["Voice"], route_class=StrictRoute)

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["CallSid"],
                    "properties": {
                        "CallSid": {"type": "string", "example": "CA0123456789abcdef"},
                        "From": {"type": "string", "example": "+33612345678"},
                    },
                }
            }
        },
    }
}
_TWIML: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Instructions for the carrier.",
        "content": {"text/xml": {"example": twilio.hang_up_document()}},
    }
}
Organization = Annotated[
    str | None, Query(max_length=200, description="The shop's public key, where there are several.")
]
Language = Annotated[
    Literal["fr", "en", "es", "de", "it"], Query(description="The language to answer in.")
]


@router.post(
    "/call",
    summary="Answer a telephone call",
    response_class=Response,
    responses={**failures(403), **_TWIML},
    openapi_extra=_FORM,
)
async def answer_call(
    request: Request,
    runtime: CurrentRuntime,
    organization: Organization = None,
    language: Language = "fr",
) -> Response:
    """For the carrier: carry the call over a stream. Requests must be signed by the carrier."""
    form = await _signed_form(request, runtime)
    call_id = form.get("CallSid", "")
    if not call_id or len(call_id) > 80:
        raise InvalidRequest("CallSid: send the call's id.", {"field": "CallSid"})
    if OpenCalls.of(runtime).is_full(runtime):
        busy = call_phrase(language, "busy")
        return _twiml(twilio.hang_up_document(busy, _LOCALES[language]))
    organization_id = await _organization(runtime, organization)
    base = _base_url(request, runtime)
    stream_url = base.replace("http", "ws", 1) + f"{PREFIX}/stream"
    parameters = {
        "token": _token(runtime, organization_id, call_id),
        "language": language,
    }
    return _twiml(twilio.connect_document(stream_url, f"{base}{PREFIX}/after", parameters))


@router.post(
    "/after",
    summary="Say what follows a telephone call",
    response_class=Response,
    responses={**failures(403), **_TWIML},
    openapi_extra=_FORM,
)
async def after_call(request: Request, runtime: CurrentRuntime) -> Response:
    """For the carrier: put the caller through to a person where they asked for one, or hang up."""
    form = await _signed_form(request, runtime)
    number = runtime.settings.voice_transfer_number
    async with runtime.database.reading(None, every_organization=True) as transaction:
        reason = await end_reason_of(transaction, form.get("CallSid", "")[:80])
    if number and reason == "transferred":
        return _twiml(twilio.dial_document(number))
    return _twiml(twilio.hang_up_document())


def _twiml(document: str) -> Response:
    return Response(document, media_type="text/xml")


async def _signed_form(request: Request, runtime: Runtime) -> dict[str, str]:
    """The fields of a request that the carrier has signed; raises PermissionDenied."""
    body = await request.body()
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=100
        )
    except ValueError:
        raise InvalidRequest("Send a form of the carrier's fields.") from None
    url = _base_url(request, runtime) + request.url.path
    if request.url.query:
        url += f"?{request.url.query}"
    token = runtime.settings.twilio_auth_token.get_secret_value()
    if not twilio.is_signed(token, url, fields, request.headers.get(SIGNATURE_HEADER, "")):
        raise PermissionDenied(
            "The request is not signed by the carrier; see TWILIO_AUTH_TOKEN and PUBLIC_URL."
        )
    return dict(fields)


def _base_url(request: Request, runtime: Runtime) -> str:
    return (runtime.settings.public_url or str(request.base_url)).rstrip("/")


async def _organization(runtime: Runtime, public_key: str | None) -> UUID:
    for organization in await recent_organizations(runtime, public_key):
        if public_key in (None, organization.public_key):
            return organization.id
    raise InvalidRequest("organization: no shop has this public key.", {"field": "organization"})


def _token(runtime: Runtime, organization_id: UUID, call_id: str) -> str:
    """What lets a stream in that our own instructions have asked for, once they are given."""
    expires = int(runtime.clock().timestamp()) + TOKEN_SECONDS
    return f"{organization_id.hex}.{expires}.{_seal(runtime, organization_id, call_id, expires)}"


def _seal(runtime: Runtime, organization_id: UUID, call_id: str, expires: int) -> str:
    secret = runtime.settings.secret_key.get_secret_value()
    return keyed_hash(secret, f"stream|{organization_id}|{call_id}|{expires}")


def _organization_of_stream(runtime: Runtime, started: twilio.Started) -> UUID:
    """Whose call a stream carries; raises NotAuthenticated."""
    refusal = NotAuthenticated("This stream was not asked for, or too long ago.")
    try:
        organization, expires, seal = started.parameters["token"].split(".")
        organization_id, until = UUID(hex=organization), int(expires)
    except (KeyError, ValueError):
        raise refusal from None
    expected = _seal(runtime, organization_id, started.call_id, until)
    is_ours = hmac.compare_digest(seal.encode(), expected.encode())
    if not is_ours or until < runtime.clock().timestamp():
        raise refusal
    return organization_id


@router.websocket("/stream")
async def stream(websocket: WebSocket) -> None:
    """Carry one call; see the module's docstring."""
    request_id_variable.set(new_request_id())
    runtime: Runtime = websocket.app.state.runtime
    try:
        with OpenCalls.of(runtime).line(runtime):
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await _Stream(websocket, runtime).run()
    except SupportError as error:
        await refuse(websocket, PREFIX, error)


class _Stream:
    """One open stream."""

    principal: Principal

    def __init__(self, websocket: WebSocket, runtime: Runtime) -> None:
        self._websocket = websocket
        self._runtime = runtime
        self._is_closed = False
        self._call: Call | None = None

    async def run(self) -> None:
        try:
            async with asyncio.timeout(AUTHENTICATE_SECONDS):
                started = await self._start()
            organization_id = _organization_of_stream(self._runtime, started)
        except TimeoutError:
            await self._close(NOT_AUTHENTICATED, "no start message came in time")
        except NotAuthenticated as error:
            await self._close(NOT_AUTHENTICATED, error.message)
        except SupportError as error:
            await self._close(MALFORMED, error.message)
        else:
            await self._hold(started, organization_id)

    async def _start(self) -> twilio.Started:
        while True:
            message = await self._receive()
            if isinstance(message, twilio.Started):
                return message
            if not isinstance(message, twilio.Connected | twilio.Other):
                raise InvalidRequest("A stream begins with connected and start.")

    async def _receive(self) -> twilio.Message:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", NORMAL))
        return twilio.read_message(message.get("text") or "")

    async def _hold(self, started: twilio.Started, organization_id: UUID) -> None:
        """Hold the call of a visitor: a caller's number can be forged and opens nothing."""
        runtime = self._runtime
        visitor = issue_visitor_token(runtime, organization_id)[1]
        line = PhoneLine(started.stream_id, self._send, self._end)
        language = started.parameters.get("language", "fr")
        opening = Opening(
            Caller(visitor, random_token("call_")),
            "twilio",
            language if language in _LOCALES else "fr",
            None,
            runtime.settings.voice_name,
            started.call_id,
            bool(runtime.settings.voice_transfer_number),
        )
        call = self._call = new_call(runtime, line, opening)
        self.principal = visitor
        listeners = runtime.part(OpenListeners)
        listeners.add(self)
        holding = asyncio.create_task(OpenCalls.of(runtime).hold(call, runtime), name="phone call")
        receiving = asyncio.create_task(self._take(line, call), name="phone stream")
        try:
            await asyncio.wait({holding, receiving}, return_when=asyncio.FIRST_COMPLETED)
            call.hang_up("caller")
            await holding
        finally:
            listeners.remove(self)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def _take(self, line: PhoneLine, call: Call) -> None:
        """Hand on what the carrier sends, until the stream is over."""
        try:
            while True:
                async with asyncio.timeout(SILENT_SECONDS):
                    message = await self._receive()
                if not line.take(message, call):
                    return
        except TimeoutError:
            await self._close(FAILED, "nothing came for a while")
        except SupportError as error:
            code = TOO_FAST if error.code == "too_much_sound" else MALFORMED
            await self._close(code, error.message)

    async def _send(self, text: str) -> None:
        if self._is_closed:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(text)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            self._is_closed = True
            if self._call is not None:
                self._call.hang_up("lost")

    async def _end(self, reason: str) -> None:
        await self._close(NORMAL, reason)

    # What the process tells every window.

    def wake(self) -> None:
        """Everything is sent as it comes."""

    def heartbeat(self) -> None:
        """The call's own sound keeps the stream open."""

    def session_ended(self) -> None:
        """A visitor's session does not end."""

    def going_away(self) -> None:
        if self._call is not None:
            self._call.hang_up("restart")

    async def _close(self, code: int, reason: str) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close(code, reason.encode()[:120].decode(errors="ignore"))
