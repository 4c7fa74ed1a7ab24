"""What `/openapi.json` says beside what the routes say themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import is_admin_path
from api.limits import MEBIBYTE, body_limit_bytes, group_of, time_limit_seconds

DESCRIPTION = """\
A shop's support assistant. `/api/*` serves customers and agents, `/api/v1/*` the operators.

Sign in with `POST /api/auth/login` and send the access token as `Authorization: Bearer <token>`
to both; applications send an API key as `X-API-Key: mdf_live_…`. `POST /api/chat` also takes
anonymous visitors: their first answer brings a visitor token (header `X-Visitor-Token` and a
cookie), which alone opens their conversation.

Every error carries a `request_id`; quote it to support.
"""
TAGS = [
    {"name": "Authentication", "description": "Signing in and staying signed in."},
    {"name": "Users", "description": "Who has an account, and with which role."},
    {"name": "Chat", "description": "Talking to the assistant."},
    {"name": "Tickets", "description": "After-sales tickets and their SLA clock."},
    {"name": "Uploads", "description": "Pictures, videos and PDF files of customers."},
    {"name": "Voice", "description": "Recordings written down, texts read aloud."},
    {"name": "Console", "description": "Agents at their desk: queues, conversations, replies."},
    {"name": "Products", "description": "Searching the catalogue by sentence."},
    {"name": "Knowledge", "description": "What the assistant answers from."},
    {"name": "Evaluations", "description": "Tests made from corrected answers."},
    {"name": "Analytics", "description": "How conversations and tickets went: figures of a shop."},
    {"name": "Privacy", "description": "What is kept of people; exports, erasures, consents."},
    {"name": "Jobs", "description": "Background work."},
    {"name": "Monitoring", "description": "Liveness, readiness, and what goes on inside."},
]
_API_KEY = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_OPEN_PATHS = frozenset(
    {
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/auth/password/forgot",
        "/api/auth/password/reset",
        "/api/chat/visitor",
        "/api/files/{file_id}",
        "/health",
        "/ready",
    }
)
# The last ones are open in development, where this document is served, and nowhere else.
_OPTIONAL_PATHS = frozenset(
    {
        "/api/auth/logout",
        "/api/chat",
        "/circuit-breakers",
        "/env-status",
        "/memory",
        "/metrics",
        "/query-stats",
    }
)
_CREDENTIALS: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
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
    document.setdefault("components", {})["securitySchemes"] = {
        "bearer": _BEARER,
        "apiKey": _API_KEY,
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                _complete(path, operation)
    _drop_framework_errors(document)
    return document


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Say an operation's credentials and limits, and that `/api/*` has no 422."""
    operation["description"] = "\n\n".join((operation.get("description", ""), _limits(path)))
    if path in _OPTIONAL_PATHS:
        operation["security"] = [*_CREDENTIALS, {}]
    elif path not in _OPEN_PATHS:
        operation["security"] = _CREDENTIALS
    if not is_admin_path(path):
        operation["responses"].pop("422", None)


def _limits(path: str) -> str:
    """How often an operation may be called, how large its body and how long its wait may be."""
    group = group_of(path)
    if group is None:
        return "Not counted."
    whose = "address" if group.by_address else "caller"
    megabytes = body_limit_bytes(path, "")[1] // MEBIBYTE
    return (
        f"At most {group.limit} requests a minute and {whose} (shared by the group "
        f"`{group.name}`), {megabytes} MB a body, {time_limit_seconds(path):g} s to answer."
    )


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
