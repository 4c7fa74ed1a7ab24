"""What the process says about itself: structured logs with a request id, and metrics."""

from __future__ import annotations

import logging
import secrets
import sys
from contextvars import ContextVar

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import EventDict, WrappedLogger

request_id_variable: ContextVar[str] = ContextVar("request_id", default="")

TOOL_RUNS = Counter("mdf_tool_runs_total", "Tool runs by outcome", ["tool", "outcome"])
TOOL_SECONDS = Histogram("mdf_tool_seconds", "Duration of tool runs", ["tool"])
TURNS = Counter("mdf_turns_total", "Turns by intent and outcome", ["intent", "outcome"])
TURN_SECONDS = Histogram("mdf_turn_seconds", "Duration of turns")
HTTP_REQUESTS = Counter("mdf_http_requests_total", "HTTP requests", ["method", "status"])
HTTP_SECONDS = Histogram("mdf_http_request_seconds", "Duration of HTTP requests", ["route"])
HTTP_IN_PROGRESS = Gauge("mdf_http_requests_in_progress", "HTTP requests being answered")
VOICE_CALLS = Gauge("mdf_voice_calls", "Calls in progress")
VOICE_SECONDS = Histogram(
    "mdf_voice_seconds",
    "From the end of the caller's speech to a step of the turn",
    ["step"],
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.2, 1.5, 1.8, 2.2, 3.0, 5.0, 10.0),
)
STATEMENTS = Histogram("mdf_database_statement_seconds", "Duration of database statements")
SLOW_STATEMENTS = Counter("mdf_database_slow_statements_total", "Statements over SLOW_QUERY_MS")


def new_request_id() -> str:
    return f"req_{secrets.token_hex(8)}"


def _add_request_id(logger: WrappedLogger, name: str, entry: EventDict) -> EventDict:
    request_id = request_id_variable.get()
    if request_id:
        entry["request_id"] = request_id
    return entry


def configure_logging(level: str = "info", log_format: str = "json") -> None:
    """Write one line an event to standard error; no message text, no address, no secret."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if log_format == "console"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that says which module speaks; it takes the configuration when it is used."""
    lazy: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return lazy
