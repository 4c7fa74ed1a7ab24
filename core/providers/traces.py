"""Where the spans of a request go: to an OpenTelemetry collector, where `TRACES` names one.

Without the setting nothing is imported and nothing is measured.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SERVICE = "meuble-de-france-support"
_SCHEME = "otlp:"
_SERVER_ERROR = 500


@dataclass(frozen=True)
class RequestSpan:
    """The span of one request, described once it is known what answered."""

    span: Span

    def describe(self, route: str, status: int) -> None:
        from opentelemetry.trace import StatusCode

        self.span.update_name(route)
        self.span.set_attribute("http.route", route)
        self.span.set_attribute("http.response.status_code", status)
        if status >= _SERVER_ERROR:
            self.span.set_status(StatusCode.ERROR)


class Traces:
    """Spans of requests, turns, tools and database statements, sent in batches beside the work.

    A span holds names and ids: no message, no address, no value of a statement.
    """

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("mdf")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(
        self, method: str, headers: Iterable[tuple[bytes, bytes]], request_id: str
    ) -> Iterator[RequestSpan]:
        """Span of an HTTP request, below the caller's where a `traceparent` header names one."""
        from opentelemetry.trace import SpanKind

        names = (b"traceparent", b"tracestate")
        carrier = {
            name.decode(): value.decode("latin-1") for name, value in headers if name in names
        }
        with self._tracer.start_as_current_span(
            method,
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "mdf.request_id": request_id},
        ) as span:
            yield RequestSpan(span)

    def ended(self, name: str, seconds: float, **attributes: str | int | float) -> None:
        """Span of a step that has just ended: a turn, a tool, a database statement."""
        ended_ns = time.time_ns()
        span = self._tracer.start_span(
            name, start_time=ended_ns - int(seconds * 1e9), attributes=attributes
        )
        span.end(ended_ns)

    def close(self) -> None:
        """Send what is left; waits for the collector a few seconds at most."""
        self._provider.shutdown()


def open_traces(setting: str, version: str = "") -> Traces | None:
    """Open what `TRACES` names: `otlp:<url>`, such as `otlp:http://127.0.0.1:4318`; None if empty.

    Raises ValueError for another value, or without the packages of the extra `telemetry`.
    """
    if not setting:
        return None
    url = setting.removeprefix(_SCHEME)
    if not setting.startswith(_SCHEME) or not url.startswith(("http://", "https://")):
        raise ValueError(f"TRACES: unknown value {setting!r}; use otlp:http://host:4318")
    if importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        raise ValueError("TRACES: sending traces needs more packages: scripts/install telemetry")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": SERVICE, "service.version": version})
    # Our own shutdown, not one at the interpreter's exit: the loop is still there then.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=url.rstrip("/") + "/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    return Traces(provider)
