"""What goes on inside: statements, memory, breakers, settings and metrics (rows M17 to M20).

In production these need an administrator's token, or an API key with `monitoring:read`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.dependencies import CurrentRuntime
from api.json_body import StrictRoute
from api.operations.access import Monitored
from api.operations.health import success_percent
from api.support.envelope import Moment, failures
from core.providers.breaker import State
from services.monitoring.configuration import (
    SettingStatus,
    configuration_warnings,
    setting_states,
)
from services.monitoring.memory import MemoryStatus, MemoryUsage, measure_memory
from services.monitoring.metrics import CONTENT_TYPE, exposition
from services.monitoring.statements import Shape, StatementStatistics

# Share of slow statements, in per cent, up to which the database is doing well, and passably.
GOOD_PERCENT = 5.0
DEGRADED_PERCENT = 20.0
SHOWN_CHARACTERS = 500

router = APIRouter(tags=["Monitoring"], route_class=StrictRoute)


class StatementFigures(BaseModel):
    total_queries: int = Field(examples=[1250])
    slow_queries: int = Field(examples=[12])
    slow_query_percentage: float = Field(examples=[0.96])
    average_query_time_ms: float = Field(examples=[45.3])
    threshold_ms: float = Field(examples=[1000])


class StatementShape(BaseModel):
    """Statements of one text; their values are placeholders."""

    statement: str
    count: int
    average_ms: float
    longest_ms: float
    slow: int


class QueryStats(BaseModel):
    performance_status: Literal["good", "degraded", "poor"]
    stats: StatementFigures
    timestamp: Moment
    slowest: list[StatementShape] | None = Field(
        None, description="What has taken the most time altogether; only where it is asked for."
    )


class ProcessMemory(BaseModel):
    rss_mb: float = Field(examples=[245.67])
    vms_mb: float = Field(examples=[512.34])
    percent_of_system: float = Field(examples=[3.2])


class SystemMemory(BaseModel):
    total_mb: float = Field(examples=[8192.0])
    available_mb: float = Field(examples=[4096.0])
    used_percent: float = Field(examples=[50.0])


class MemoryFigures(BaseModel):
    process: ProcessMemory
    system: SystemMemory


class Memory(BaseModel):
    """`alert_level` is null while all is well; `messages` say what is not."""

    status: MemoryStatus
    alert_level: Literal["warning", "critical"] | None
    messages: list[str]
    usage: MemoryFigures


class BreakerFigures(BaseModel):
    state: State
    failure_count: int = Field(description="Failures since the last success.", examples=[0])
    success_rate: float = Field(description="Per cent of all calls.", examples=[99.8])
    total_calls: int = Field(examples=[1500])


class BreakerSummary(BaseModel):
    total: int = Field(examples=[5])
    closed: int = Field(examples=[5])
    open: int = Field(examples=[0])
    half_open: int = Field(examples=[0])


class CircuitBreakers(BaseModel):
    """`healthy` as long as every outside service may be asked."""

    healthy: bool
    breakers: dict[str, BreakerFigures]
    summary: BreakerSummary


class SettingFigures(BaseModel):
    status: SettingStatus
    required: bool
    secret: bool


class SettingSummary(BaseModel):
    total: int
    set: int
    default: int
    missing: int


class EnvironmentStatus(BaseModel):
    """The state of each setting; values are never shown."""

    valid: bool = Field(description="Nothing that must be set is missing.")
    environment: Literal["development", "production"]
    variables: dict[str, SettingFigures]
    missing: list[str]
    warnings: list[str]
    summary: SettingSummary


@router.get(
    "/query-stats",
    summary="How do the statements fare?",
    responses=failures(401, 403),
    response_model_exclude_unset=True,
)
async def query_stats(
    _: Monitored,
    runtime: CurrentRuntime,
    slowest: Annotated[int, Query(ge=0, le=100, description="How many shapes to list.")] = 0,
) -> QueryStats:
    """Count the database statements of this process since it started, and its slow ones."""
    statistics = runtime.part(StatementStatistics)
    percentage = statistics.slow_percentage
    good = percentage < GOOD_PERCENT
    stats = QueryStats(
        performance_status=(
            "good" if good else "degraded" if percentage < DEGRADED_PERCENT else "poor"
        ),
        stats=StatementFigures(
            total_queries=statistics.total.count,
            slow_queries=statistics.total.slow,
            slow_query_percentage=round(percentage, 2),
            average_query_time_ms=round(statistics.average_ms, 3),
            threshold_ms=statistics.threshold_ms,
        ),
        timestamp=runtime.clock(),
    )
    if slowest:
        stats.slowest = [_shape(text, shape) for text, shape in statistics.slowest(slowest)]
    return stats


def _shape(text: str, shape: Shape) -> StatementShape:
    return StatementShape(
        statement=" ".join(text.split())[:SHOWN_CHARACTERS],
        count=shape.count,
        average_ms=round(shape.seconds / shape.count * 1000, 3),
        longest_ms=round(shape.longest_seconds * 1000, 3),
        slow=shape.slow,
    )


@router.get("/memory", summary="How much memory is used?", responses=failures(401, 403))
async def memory(_: Monitored, runtime: CurrentRuntime) -> Memory:
    """Measure the memory of the process and of its machine against the levels that are set."""
    usage = measure_memory(runtime.settings)
    return Memory(
        status=usage.status,
        alert_level=None if usage.status == "ok" else usage.status,
        messages=list(usage.messages),
        usage=_memory_figures(usage),
    )


def _memory_figures(usage: MemoryUsage) -> MemoryFigures:
    return MemoryFigures(
        process=ProcessMemory(
            rss_mb=usage.rss_mb, vms_mb=usage.vms_mb, percent_of_system=usage.percent_of_system
        ),
        system=SystemMemory(
            total_mb=usage.total_mb,
            available_mb=usage.available_mb,
            used_percent=usage.used_percent,
        ),
    )


@router.get(
    "/circuit-breakers", summary="Are outside services asked?", responses=failures(401, 403)
)
async def circuit_breakers(_: Monitored, runtime: CurrentRuntime) -> CircuitBreakers:
    """Tell the state of the breaker before each outside service, used or not."""
    breakers = {
        breaker.name: BreakerFigures(
            state=breaker.state,
            failure_count=breaker.failures_in_a_row,
            success_rate=success_percent(breaker),
            total_calls=breaker.total_calls,
        )
        for breaker in runtime.breakers
    }
    states = [figures.state for figures in breakers.values()]
    return CircuitBreakers(
        healthy="open" not in states,
        breakers=breakers,
        summary=BreakerSummary(
            total=len(states),
            closed=states.count("closed"),
            open=states.count("open"),
            half_open=states.count("half_open"),
        ),
    )


@router.get("/env-status", summary="Which settings are set?", responses=failures(401, 403))
async def env_status(_: Monitored, runtime: CurrentRuntime) -> EnvironmentStatus:
    """Tell of each setting whether it is set, left as it is, or missing; never its value."""
    states = setting_states(runtime.settings)
    statuses = [state.status for state in states]
    missing = [state.name for state in states if state.status == "missing"]
    variables = {}
    for state in states:
        figures = asdict(state)
        variables[figures.pop("name")] = SettingFigures(**figures)
    return EnvironmentStatus(
        valid=not missing,
        environment=runtime.settings.environment,
        variables=variables,
        missing=missing,
        warnings=configuration_warnings(runtime.settings),
        summary=SettingSummary(
            total=len(states),
            set=statuses.count("set"),
            default=statuses.count("default"),
            missing=statuses.count("missing"),
        ),
    )


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={**failures(401, 403), 200: {"content": {"text/plain": {}}}},
)
async def metrics(_: Monitored, runtime: CurrentRuntime) -> Response:
    """Answer every metric of this process in Prometheus's text format."""
    return Response(await exposition(runtime), media_type=CONTENT_TYPE)
