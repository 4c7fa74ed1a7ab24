"""What happens to every request before a route sees it: a name, a limit, a deadline, a size.

All are plain ASGI, outermost first: `RequestContext`, `RateLimit`, `TimeLimit`, `BodyLimit`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import write_error
from api.limits import TIME_LIMIT_SECONDS, RateLimits, body_limit_bytes, group_of
from core.errors import (
    DeadlineExceeded,
    NotAuthenticated,
    NotFound,
    PayloadTooLarge,
    RateLimitExceeded,
    SupportError,
)
from core.security import read_token
from core.telemetry import HTTP_REQUESTS, logger, new_request_id, request_id_variable

MAXIMUM_PATH_LENGTH = 1_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = logger("api.middleware")


def header(scope: Scope, name: bytes) -> str:
    """The first header of a (lower-case) name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def with_headers(message: Message, headers: Mapping[str, str]) -> Message:
    """The start of a response with more headers."""
    return {**message, "headers": [*message.get("headers", ()), *_encoded(headers.items())]}


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def send_error(scope: Scope, send: Send, error: SupportError) -> None:
    """Answer with an error, in the shape of the contract that the path belongs to."""
    written = write_error(scope["path"], error)
    headers = {**written.headers, "content-length": str(len(written.body))}
    await send(
        {
            "type": "http.response.start",
            "status": written.status,
            "headers": _encoded(headers.items()),
        }
    )
    await send({"type": "http.response.body", "body": written.body})


class UnexpectedError(SupportError):
    """Something that no code foresaw; the log has it under the request id."""

    status = 500
    code = "internal_error"


class RequestContext:
    """Names the request, logs and counts it, and answers for what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        offered = header(scope, b"x-request-id")
        request_id = offered if _REQUEST_ID.fullmatch(offered) else new_request_id()
        token = request_id_variable.set(request_id)
        try:
            await self._answer(scope, receive, send, request_id)
        finally:
            request_id_variable.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = with_headers(
                    message, {"x-request-id": request_id, "x-content-type-options": "nosniff"}
                )
            await send(message)

        path: str = scope["path"]
        try:
            if "\x00" in path or len(path) > MAXIMUM_PATH_LENGTH:
                await send_error(scope, named, NotFound("There is nothing at this address."))
            else:
                await self.app(scope, receive, named)
        except Exception:
            _log.exception("request_failed", method=scope["method"], path=path)
            if status:
                raise
            await send_error(
                scope,
                named,
                UnexpectedError("An unexpected error occurred; quote the request id to support."),
            )
        _record(scope, status, started)


def _record(scope: Scope, status: int, started: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    HTTP_REQUESTS.labels(method, str(status)).inc()
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    _log.info("request", method=method, path=scope["path"], status=status, duration_ms=duration_ms)


class RateLimit:
    """Counts requests by caller and group; the three headers go on every counted answer.

    The caller is the subject of a verified access token, else the address of the connection:
    what a client says about its address is ignored, and so are visitor tokens, which anyone may
    have for the asking.
    """

    def __init__(self, app: ASGIApp, secret_key: str) -> None:
        self.app = app
        self.secret_key = secret_key
        self.limits = RateLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        group = group_of(scope["path"]) if scope["type"] == "http" else None
        if group is None:
            await self.app(scope, receive, send)
            return
        caller = _address(scope) if group.by_address else self._caller(scope)
        allowance = await self.limits.hit(group, caller)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = with_headers(message, allowance.headers())
            await send(message)

        if allowance.allowed:
            await self.app(scope, receive, counted)
        else:
            error = RateLimitExceeded(
                "Too many requests. Please try again later.", allowance.retry_after_seconds
            )
            await send_error(scope, counted, error)

    def _caller(self, scope: Scope) -> str:
        scheme, _, token = header(scope, b"authorization").partition(" ")
        if scheme.lower() == "bearer":
            try:
                claims = read_token(self.secret_key, "access", token.strip())
            except NotAuthenticated:
                return _address(scope)
            return f"user:{claims['sub']}"
        return _address(scope)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return f"address:{client[0]}" if client else "address:unknown"


class TimeLimit:
    """Ends a request that has not begun to answer in time; streams go on as long as they like."""

    def __init__(self, app: ASGIApp, seconds: float = TIME_LIMIT_SECONDS) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds) as deadline:

                async def timed(message: Message) -> None:
                    if message["type"] == "http.response.start" and not deadline.expired():
                        deadline.reschedule(None)
                    await send(message)

                await self.app(scope, receive, timed)
        except TimeoutError:
            if not deadline.expired():
                raise
            message = f"Request exceeded maximum processing time of {self.seconds:g}s"
            await send_error(scope, send, DeadlineExceeded(message))


class BodyLimit:
    """Refuses a body that is too large: by its announced length, else as soon as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit_bytes, announced_bytes = body_limit_bytes(
            scope["path"], header(scope, b"content-type")
        )
        error = _too_large(announced_bytes)
        length = header(scope, b"content-length")
        if length.isdecimal() and (len(length) > 18 or int(length) > limit_bytes):
            await send_error(scope, send, error)
            return
        body = _CountedBody(receive, send, limit_bytes, error)
        try:
            await self.app(scope, body.receive, body.send)
        except Exception:
            if not body.exceeded:
                raise
        if body.exceeded and not body.started:
            await send_error(scope, send, error)


def _too_large(limit_bytes: int) -> PayloadTooLarge:
    size = limit_bytes / (1024 * 1024)
    return PayloadTooLarge(f"Request body exceeds maximum size of {size:.1f}MB")


class _CountedBody:
    """The two channels of one request, cut off when its body grows too large."""

    def __init__(self, receive: Receive, send: Send, limit_bytes: int, error: SupportError):
        self._receive = receive
        self._send = send
        self._left_bytes = limit_bytes
        self._error = error
        self.exceeded = False
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left_bytes -= len(message.get("body", b""))
            if self._left_bytes < 0:
                self.exceeded = True
                raise self._error
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the app answers, unless it answers to the cut-off itself."""
        if self.exceeded and not self.started:
            return
        self.started = True
        await self._send(message)
