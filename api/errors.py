"""Which contract's shape an error takes, and what became of the framework's own errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from api.admin import envelope as admin
from api.json_body import UnacceptableValue
from api.support import envelope as support
from core.errors import (
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RateLimitExceeded,
    SpeechBusy,
    SupportError,
)
from core.telemetry import request_id_variable

ADMIN_PREFIX = "/api/v1"
MAXIMUM_PROBLEMS = 20
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,60}")


class MethodNotAllowed(SupportError):
    """The path exists, but not for this method."""

    status = 405
    code = "method_not_allowed"


@dataclass(frozen=True)
class WrittenError:
    """An error as it goes over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_admin_path(path: str) -> bool:
    """Whether a path belongs to the operators' contract."""
    return path == ADMIN_PREFIX or path.startswith(ADMIN_PREFIX + "/")


def write_error(path: str, error: SupportError) -> WrittenError:
    """Write an error in the shape of the contract that the path belongs to."""
    request_id = request_id_variable.get()
    headers = {"content-type": "application/json"}
    if isinstance(error, RateLimitExceeded | SpeechBusy):
        headers["retry-after"] = str(error.retry_after_seconds)
    if is_admin_path(path):
        error = _for_admin(error)
        body = admin.failure_body(error, request_id)
    else:
        body = support.failure_body(error, request_id)
        if error.status == NotAuthenticated.status:
            headers["www-authenticate"] = "Bearer"
    return WrittenError(error.status, headers, orjson.dumps(body, default=str))


def _for_admin(error: SupportError) -> SupportError:
    if isinstance(error, UnacceptableValue):
        problem = {"loc": ["body"], "msg": error.message, "type": "value_error"}
        return admin.SchemaViolation("Validation failed", {"errors": [problem]})
    return error


def _response(request: Request, error: SupportError, allow: str | None = None) -> Response:
    written = write_error(request.url.path, error)
    headers = dict(written.headers)
    if allow is not None:
        headers["allow"] = allow
    return Response(written.body, written.status, headers)


async def on_support_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, SupportError):
        raise error
    return _response(request, error)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """A request that does not fit its schema: 400, or 422 on the operators' contract."""
    if not isinstance(error, RequestValidationError):
        raise error
    problems = error.errors()[:MAXIMUM_PROBLEMS]
    if is_admin_path(request.url.path):
        return _response(
            request,
            admin.SchemaViolation(
                "Validation failed", {"errors": [_schema_problem(item) for item in problems]}
            ),
        )
    listed = [
        {"field": ".".join(map(str, _location(item)[1:])) or "body", "problem": _message(item)}
        for item in problems
    ]
    return _response(request, InvalidRequest("The request is not valid.", {"errors": listed}))


def _schema_problem(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"loc": _location(item), "msg": _message(item), "type": item["type"]}


def _location(item: Mapping[str, Any]) -> list[str | int]:
    """Where the problem is; a name that the caller made up is not repeated."""
    location: Sequence[str | int] = item["loc"]
    return [
        part if isinstance(part, int) or _SAFE_NAME.fullmatch(part) else "(unnamed)"
        for part in location
    ]


def _message(item: Mapping[str, Any]) -> str:
    if item["type"] == "model_attributes_type":
        return "send a JSON object with Content-Type: application/json"
    return str(item["msg"]).removeprefix("Value error, ")


async def on_http_error(request: Request, error: Exception) -> Response:
    """The framework's own errors: unknown path, wrong method, a form that cannot be read."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == NotFound.status:
        return _response(request, NotFound("There is nothing at this address."))
    if error.status_code == MethodNotAllowed.status:
        return _response(
            request,
            MethodNotAllowed("This address does not take that method."),
            _allowed_methods(request),
        )
    return _response(request, InvalidRequest("The body of the request cannot be read."))


def _allowed_methods(request: Request) -> str:
    """Every method of the address: the framework names those of the first route alone."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex and route.path_regex.match(request.url.path):
            methods |= route.methods
    return ", ".join(sorted(methods))


def register_error_handlers(app: FastAPI) -> None:
    """Let every error that a route raises leave in its contract's shape."""
    app.add_exception_handler(SupportError, on_support_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
