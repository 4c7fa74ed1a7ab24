"""What `/openapi.json` says beside what the routes say themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import is_admin_path

DESCRIPTION = """\
A shop's support assistant. `/api/*` serves customers and agents, `/api/v1/*` the operators.

Sign in with `POST /api/auth/login` and send the access token as `Authorization: Bearer <token>`
to both. `POST /api/chat` also takes anonymous visitors: their first answer brings a visitor
token (header `X-Visitor-Token` and a cookie), which alone opens their conversation.

Every error carries a `request_id`; quote it to support.
"""
TAGS = [
    {"name": "Authentication", "description": "Signing in and staying signed in."},
    {"name": "Chat", "description": "Talking to the assistant."},
    {"name": "Tickets", "description": "After-sales tickets and their SLA clock."},
    {"name": "Products", "description": "Searching the catalogue by sentence."},
    {"name": "Knowledge", "description": "What the assistant answers from."},
    {"name": "Evaluations", "description": "Tests made from corrected answers."},
    {"name": "Monitoring", "description": "Liveness and readiness."},
]
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_OPEN_PATHS = frozenset({"/api/auth/login", "/api/auth/refresh", "/health", "/ready"})
_OPTIONAL_PATHS = frozenset({"/api/chat"})
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    document.setdefault("components", {})["securitySchemes"] = {"bearer": _BEARER}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                _complete(path, operation)
    _drop_framework_errors(document)
    return document


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Say which credentials an operation takes, and that `/api/*` has no 422."""
    if path in _OPTIONAL_PATHS:
        operation["security"] = [{"bearer": []}, {}]
    elif path not in _OPEN_PATHS:
        operation["security"] = [{"bearer": []}]
    if not is_admin_path(path):
        operation["responses"].pop("422", None)


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """No route answers in the framework's own error shape."""
    schemas = document["components"].get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def document_routes(app: FastAPI) -> None:
    """Let the application answer `/openapi.json` with this document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
