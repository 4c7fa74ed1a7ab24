"""How the operators' contract (`/api/v1/*`) answers and fails.

Answers are `{"status", "message", "data", "errors", "metadata"}`, pages add `pagination`; errors
are `{"status": "error", "error": {"code", "message", "details"}}`, and a request that does not
fit its schema gets 422 with `errors` (seed 001).
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from core.errors import InvalidRequest, NotAuthenticated, PermissionDenied, SupportError

Data = TypeVar("Data")

SCHEMA_STATUS = 422
MISSING_BEARER = "Invalid authorization code."
WRONG_SCHEME = "Invalid authentication scheme."
BAD_BEARER = "Invalid token or expired token."


class InvalidBearer(NotAuthenticated):
    """Missing or bad credentials, which this contract answers with 403 and its own messages."""

    status = 403
    code = "invalid_token"


class SchemaViolation(InvalidRequest):
    """The request does not fit its schema; `details["errors"]` says where."""

    status = SCHEMA_STATUS


class APIResponse(BaseModel, Generic[Data]):
    """One thing."""

    status: Literal["success", "error", "warning"] = "success"
    message: str | None = None
    data: Data | None = None
    errors: list[str] | None = None
    metadata: dict[str, Any] | None = None


class PaginationMeta(BaseModel):
    """Where a page stands among its pages."""

    page: int
    per_page: int
    total: int
    pages: int
    has_next: bool
    has_prev: bool


class PaginatedResponse(APIResponse[list[Data]], Generic[Data]):
    """A page of things."""

    pagination: PaginationMeta


class ErrorDetail(BaseModel):
    code: str = Field(examples=["NOT_FOUND"])
    message: str = Field(examples=["There is no such document."])
    details: dict[str, Any]


class ErrorResponse(BaseModel):
    """What every error of this contract but 422 looks like."""

    status: Literal["error"] = "error"
    error: ErrorDetail
    request_id: str


class FieldProblem(BaseModel):
    loc: list[str | int]
    msg: str
    type: str


class SchemaErrorResponse(BaseModel):
    """What a request that does not fit its schema gets."""

    status: Literal["error"] = "error"
    message: Literal["Validation failed"] = "Validation failed"
    errors: list[FieldProblem]
    request_id: str


def pagination(page: int, per_page: int, total: int) -> PaginationMeta:
    """Describe page `page` (from 1) of `total` rows."""
    pages = -(-total // per_page)
    return PaginationMeta(
        page=page,
        per_page=per_page,
        total=total,
        pages=pages,
        has_next=page < pages,
        has_prev=page > 1,
    )


# Codes that seed 001 names differently from the product's own.
_CODES: dict[type[SupportError], str] = {
    InvalidRequest: "VALIDATION_ERROR",
    PermissionDenied: "PERMISSION_DENIED",
}


def failure_body(error: SupportError, request_id: str) -> dict[str, Any]:
    """Write an error in this contract's shape."""
    if isinstance(error, SchemaViolation):
        return {
            "status": "error",
            "message": "Validation failed",
            "errors": error.details.get("errors", []),
            "request_id": request_id,
        }
    return {
        "status": "error",
        "error": {
            "code": _CODES.get(type(error), error.code.upper()),
            "message": error.message,
            "details": error.details,
        },
        "request_id": request_id,
    }


_DESCRIPTIONS: dict[int, str] = {
    400: "The request breaks a rule.",
    403: "No or bad credentials, or the permission is missing.",
    404: "There is nothing under this id.",
    409: "The state does not allow it.",
    413: "The body is larger than the route takes.",
    415: "This kind of file cannot be read.",
    429: "Too many requests; `details.retry_after` says how many seconds to wait.",
    500: "An unexpected error.",
    503: "A part that is needed is down.",
    504: "The request took too long.",
}
_ALWAYS = (400, 403, 413, 429, 500, 503, 504)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route for its documentation, those of every route included."""
    documented: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorResponse, "description": _DESCRIPTIONS[status]}
        for status in sorted({*statuses, *_ALWAYS})
    }
    documented[SCHEMA_STATUS] = {
        "model": SchemaErrorResponse,
        "description": "The request does not fit its schema.",
    }
    return documented
