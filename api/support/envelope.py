"""How the support contract (`/api/*`) answers and fails.

Every JSON answer carries `success`; every error is `{"success": false, "error", "detail",
"request_id"}` with `retry_after` where waiting helps (seed 003).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from core.errors import RateLimitExceeded, SupportError

MAXIMUM_PROBLEMS = 10


def utc_seconds(moment: datetime) -> str:
    """A moment as `2025-01-09T10:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(utc_seconds, return_type=str, when_used="json")]


class Request(BaseModel):
    """A request body: fields that are not declared are refused."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A successful answer."""

    success: Literal[True] = True


class Failure(BaseModel):
    """What every error of this contract looks like."""

    success: Literal[False] = False
    error: str = Field(examples=["not_found"])
    detail: str = Field(examples=["There is no such ticket."])
    request_id: str = Field(examples=["req_abc123"])
    retry_after: int | None = Field(None, description="Seconds to wait; only with 429.")


def failure_body(error: SupportError, request_id: str) -> dict[str, Any]:
    """Write an error in this contract's shape."""
    body: dict[str, Any] = {
        "success": False,
        "error": error.code,
        "detail": _detail(error),
        "request_id": request_id,
    }
    if isinstance(error, RateLimitExceeded):
        body["retry_after"] = error.retry_after_seconds
    return body


def _detail(error: SupportError) -> str:
    """The message, with the problems of single fields behind it."""
    problems = error.details.get("errors")
    if not isinstance(problems, list):
        return error.message
    shown = [_problem(item) for item in problems[:MAXIMUM_PROBLEMS] if isinstance(item, Mapping)]
    return " ".join([error.message, *(text for text in shown if text)])


def _problem(item: Mapping[str, Any]) -> str:
    field, problem = item.get("field"), item.get("problem")
    return f"{field}: {problem}." if field and problem else ""


_EXAMPLES: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is not valid. message: Field required."),
    401: ("unauthorized", "Sign in first: send a bearer token."),
    403: ("forbidden", "This action needs the permission tickets:manage."),
    404: ("not_found", "There is no such ticket."),
    409: ("conflict", "A closed ticket cannot be resolved."),
    413: ("payload_too_large", "Request body exceeds maximum size of 5.0MB"),
    415: (
        "unsupported_media_type",
        "The file was announced as image/png, but it is application/pdf.",
    ),
    429: ("rate_limit_exceeded", "Too many requests. Please try again later."),
    500: ("internal_error", "An unexpected error occurred; quote the request id to support."),
    503: ("service_unavailable", "The database cannot be reached; try again in a moment."),
    504: ("gateway_timeout", "Request exceeded maximum processing time of 30s"),
}
_ALWAYS = (400, 413, 429, 500, 503, 504)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route for its documentation, those of every route included."""
    return {status: _documented(status) for status in sorted({*statuses, *_ALWAYS})}


def _documented(status: int) -> dict[str, Any]:
    code, detail = _EXAMPLES[status]
    example: dict[str, Any] = {
        "success": False,
        "error": code,
        "detail": detail,
        "request_id": "req_abc123",
    }
    if status == RateLimitExceeded.status:
        example["retry_after"] = 60
    return {
        "model": Failure,
        "description": detail,
        "content": {"application/json": {"example": example}},
    }
