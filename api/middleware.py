"""What happens to every request before a route sees it: a name, a limit, a deadline, a size.

All are plain ASGI, outermost first: `RequestContext`, `RateLimit`, `TimeLimit`, `BodyLimit`.
"""

from __future__ import annotations

import asyncio
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.callers import Networks, address_of, caller_of, header
from api.errors import write_error
from api.limits import body_limit_bytes, count_request, group_of, time_limit_seconds
from core.errors import (
    DeadlineExceeded,
    NotFound,
    PayloadTooLarge,
    RateLimitExceeded,
    SupportError,
)
from core.runtime import Runtime
from core.telemetry import (
    HTTP_IN_PROGRESS,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    logger,
    new_request_id,
    request_id_variable,
)

MAXIMUM_PATH_LENGTH = 1_000
# Where inner middleware leaves the headers that the outermost puts on whatever is answered.
_HEADERS = "mdf.headers"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = logger("api.middleware")


async def send_error(scope: Scope, send: Send, error: SupportError) -> None:
    """Answer with an error, in the shape of the contract that the path belongs to."""
    written = write_error(scope["path"], error)
    headers = {**written.headers, "content-length": str(len(written.body))}
    await send(
        {
            "type": "http.response.start",
            "status": written.status,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
    )
    await send({"type": "http.response.body", "body": written.body})


class UnexpectedError(SupportError):
    """Something that no code foresaw; the log has it under the request id."""

    status = 500
    code = "internal_error"


class RequestContext:
    """Names the request, logs, counts and traces it, and answers for what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        offered = header(scope, b"x-request-id")
        request_id = offered if _REQUEST_ID.fullmatch(offered) else new_request_id()
        token = request_id_variable.set(request_id)
        try:
            if scope["type"] == "websocket":
                await self.app(scope, receive, send)
            else:
                await self._observe(scope, receive, send, request_id)
        finally:
            request_id_variable.reset(token)

    async def _observe(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        HTTP_IN_PROGRESS.inc()
        status = 500
        try:
            traces = scope["app"].state.runtime.traces
            if traces is None:
                status = await self._answer(scope, receive, send, request_id)
            else:
                with traces.request(scope["method"], scope["headers"], request_id) as span:
                    status = await self._answer(scope, receive, send, request_id)
                    span.describe(_route(scope), status)
        finally:
            HTTP_IN_PROGRESS.dec()
            _record(scope, status, started)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        """Let the application answer; returns the status, 499 where the client has left."""
        status = 0
        extra = [
            (b"x-request-id", request_id.encode("latin-1")),
            (b"x-content-type-options", b"nosniff"),
        ]
        scope[_HEADERS] = extra

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
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
        return status or 499


def _route(scope: Scope) -> str:
    """The declared path that answered, so that ids do not become names of metrics."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "other"


def _record(scope: Scope, status: int, started: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    seconds = time.perf_counter() - started
    HTTP_REQUESTS.labels(method, str(status)).inc()
    HTTP_SECONDS.labels(_route(scope)).observe(seconds)
    duration_ms = round(seconds * 1000, 1)
    _log.info("request", method=method, path=scope["path"], status=status, duration_ms=duration_ms)


class RateLimit:
    """Counts requests by caller and group; the three headers go on every counted answer."""

    def __init__(self, app: ASGIApp, proxies: Networks = ()) -> None:
        self.app = app
        self.proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        group = group_of(scope["path"]) if scope["type"] == "http" else None
        if group is None:
            await self.app(scope, receive, send)
            return
        runtime: Runtime = scope["app"].state.runtime
        if group.by_address:
            caller = address_of(scope, self.proxies)
        else:
            caller = await caller_of(scope, runtime, self.proxies)
        allowance = await count_request(runtime.cache, group, caller)
        scope[_HEADERS] += allowance.headers()
        if allowance.allowed:
            await self.app(scope, receive, send)
        else:
            error = RateLimitExceeded(
                "Too many requests. Please try again later.", allowance.retry_after_seconds
            )
            await send_error(scope, send, error)


class TimeLimit:
    """Ends a request that has not begun to answer in time; streams go on as long as they like."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seconds = time_limit_seconds(scope["path"])
        try:
            async with asyncio.timeout(seconds) as deadline:

                async def timed(message: Message) -> None:
                    if message["type"] == "http.response.start" and not deadline.expired():
                        deadline.reschedule(None)
                    await send(message)

                await self.app(scope, receive, timed)
        except TimeoutError:
            if not deadline.expired():
                raise
            message = f"Request exceeded maximum processing time of {seconds:g}s"
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
        length = header(scope, b"content-length")
        if length.isdecimal() and (len(length) > 18 or int(length) > limit_bytes):
            await send_error(scope, send, _too_large(announced_bytes))
            return
        body = _CountedBody(receive, send, limit_bytes, announced_bytes)
        try:
            await self.app(scope, body.receive, body.send)
        except Exception:
            if not body.exceeded:
                raise
        if body.exceeded and not body.started:
            await send_error(scope, send, _too_large(announced_bytes))


def _too_large(limit_bytes: int) -> PayloadTooLarge:
    size = limit_bytes / (1024 * 1024)
    return PayloadTooLarge(f"Request body exceeds maximum size of {size:.1f}MB")


class _CountedBody:
    """The two channels of one request, cut off when its body grows too large.

    `announced_bytes` is the limit that the error names.
    """

    def __init__(self, receive: Receive, send: Send, limit_bytes: int, announced_bytes: int):
        self._receive = receive
        self._send = send
        self._left_bytes = limit_bytes
        self._announced_bytes = announced_bytes
        self.exceeded = False
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left_bytes -= len(message.get("body", b""))
            if self._left_bytes < 0:
                self.exceeded = True
                raise _too_large(self._announced_bytes)
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the app answers, unless it answers to the cut-off itself."""
        if self.exceeded and not self.started:
            return
        self.started = True
        await self._send(message)
