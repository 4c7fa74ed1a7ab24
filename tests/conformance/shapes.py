"""What the seeds show of every answer, said once for all conformance tests."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import httpx

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")

# Well-formed, and of nothing; the same in every process, so that tests keep their names.
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def moment(text: str) -> datetime:
    """Read a time that must be written as `2025-01-09T10:30:00Z`."""
    assert MOMENT.fullmatch(text), text
    return datetime.fromisoformat(text)


def assert_failure(answer: httpx.Response, status: int, error: str) -> dict[str, Any]:
    """An error in the support contract's shape, with its request id in body and header."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert body["success"] is False
    assert body["error"] == error
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def assert_admin_failure(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """An error in the operators' shape; returns its `error` object."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == "error"
    assert body["request_id"] == answer.headers["x-request-id"]
    error: dict[str, Any] = body["error"]
    assert error["code"] == code
    assert isinstance(error["message"], str)
    assert isinstance(error["details"], dict)
    return error


def assert_schema_failure(answer: httpx.Response) -> list[dict[str, Any]]:
    """A request that does not fit its schema on `/api/v1`; returns its `errors`."""
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["status"] == "error"
    assert body["message"] == "Validation failed"
    errors: list[dict[str, Any]] = body["errors"]
    assert errors
    assert all(set(problem) == {"loc", "msg", "type"} for problem in errors)
    return errors
