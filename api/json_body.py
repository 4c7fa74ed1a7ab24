"""How a JSON body is read: strictly, cheaply, and without repeating it in an error.

Refused beside what is not JSON: NaN and infinities, numbers beyond a double, encodings other than
UTF-8, lone surrogates, NUL, keys given twice, nesting over 1,024 levels, and bodies of so many
values that reading them would be an attack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from core.errors import InvalidRequest

MAXIMUM_COMMAS = 200_000
MAXIMUM_FIELDS = 200
LARGE_BODY_BYTES = 256 * 1024


class UnacceptableValue(InvalidRequest):
    """The body is JSON in form, but holds a value that JSON or our databases do not know."""


def parse_json(body: bytes) -> Any:
    """Parse a JSON body.

    Raises InvalidRequest when it is not JSON, UnacceptableValue for a value that is never
    accepted. No message repeats a part of the body.
    """
    if body.count(b",") > MAXIMUM_COMMAS:
        raise InvalidRequest("The JSON body holds too many values.")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(body, error) from None
    if isinstance(parsed, dict) and len(parsed) > MAXIMUM_FIELDS:
        raise InvalidRequest(f"The JSON object holds more than {MAXIMUM_FIELDS} fields.")
    escapes = _escapes(body)
    if b"\\u0000" in escapes:
        raise UnacceptableValue("The JSON body holds a NUL character; remove it.")
    if _holds_repeated_key(body, escapes, parsed):
        raise InvalidRequest("The JSON body gives a key twice.")
    return parsed


def _refusal(body: bytes, error: orjson.JSONDecodeError) -> InvalidRequest:
    """The error for a body that orjson refused, by where it stopped."""
    reason = error.msg
    if "surrogate" in reason and "UTF-8" not in reason:
        return UnacceptableValue("The JSON body holds a lone surrogate; send valid Unicode.")
    if "UTF-8" in reason:
        return InvalidRequest("The body must be JSON encoded in UTF-8, without byte order mark.")
    if "infinity" in reason:
        return InvalidRequest("The JSON body holds a number that is too large.")
    if "depth" in reason:
        return InvalidRequest("The JSON body is nested too deeply.")
    rest = error.doc[error.pos : error.pos + 9] if isinstance(error.doc, str) else ""
    if rest.startswith(("NaN", "Infinity", "-Infinity")):
        return UnacceptableValue("NaN and Infinity are not JSON numbers.")
    return InvalidRequest(f"The body is not valid JSON (line {error.lineno}).")


def _escapes(body: bytes) -> bytes:
    """The body with escaped backslashes removed, so that every `\\u` left is an escape."""
    if b"\\u" not in body:
        return b""
    return body.replace(b"\\\\", b"").lower()


def _holds_repeated_key(body: bytes, escapes: bytes, parsed: Any) -> bool:
    """Whether parsing lost a key: each key has a colon, and strings keep theirs."""
    colons = body.count(b":") + escapes.count(b"\\u003a")
    return colons != orjson.dumps(parsed).count(b":")


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header announces JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


class StrictRoute(APIRoute):
    """A route whose JSON bodies are read by `parse_json`; every router of ours uses it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if is_json(request.headers.get("content-type", "")):
                body = await request.body()
                if body:
                    request._json = await _parse_fairly(body)
            return await handler(request)

        return handle


async def _parse_fairly(body: bytes) -> Any:
    """Parse at once, or in a thread where it takes long enough for others to notice."""
    if len(body) > LARGE_BODY_BYTES:
        return await asyncio.to_thread(parse_json, body)
    return parse_json(body)
