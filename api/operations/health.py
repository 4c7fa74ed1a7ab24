"""Whether the process lives, and whether all that it needs is there (rows M15 and M16)."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Literal

import psutil
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import text

from api.dependencies import CurrentRuntime
from api.json_body import StrictRoute
from api.version import VERSION
from core.database import Database
from core.errors import SupportError
from core.jobs import count_workers
from core.providers.breaker import CircuitBreaker, State
from core.runtime import Runtime
from services.monitoring.memory import MemoryStatus, memory_status, process_memory_mb

CHECK_TIMEOUT_SECONDS = 1.5

router = APIRouter(tags=["Monitoring"], route_class=StrictRoute)
_process = psutil.Process()


class Health(BaseModel):
    """The process as it sees itself."""

    status: Literal["healthy"] = "healthy"
    app: str = Field(examples=["Mobilier de France Chatbot"])
    version: str = Field(examples=["1.0.0"])
    uptime_seconds: int = Field(examples=[3600])
    memory_mb: float = Field(examples=[245.67])
    memory_status: MemoryStatus
    cpu_percent: float = Field(examples=[15.3])
    threads: int = Field(examples=[12])


class DatabaseCheck(BaseModel):
    healthy: bool
    response_time_ms: float | None = Field(examples=[5.2])


class CacheCheck(BaseModel):
    healthy: bool
    type: str = Field(examples=["redis"])


class BreakerCheck(BaseModel):
    state: State
    success_rate: float = Field(description="Per cent of all calls.", examples=[99.5])


class LanguageModelCheck(BaseModel):
    """A remote model is never needed: the embedded engine answers without one."""

    healthy: bool
    configured: bool
    breakers: dict[str, BreakerCheck]


class MemoryCheck(BaseModel):
    healthy: bool
    status: MemoryStatus
    rss_mb: float = Field(examples=[245.67])


class Checks(BaseModel):
    database: DatabaseCheck
    cache: CacheCheck
    openai_api: LanguageModelCheck
    memory: MemoryCheck


class Readiness(BaseModel):
    """`critical_ready` says whether requests can be served; `ready` that nothing is amiss."""

    ready: bool
    critical_ready: bool
    checks: Checks


class JobsCheck(BaseModel):
    """Beside PostgreSQL separate workers do what happens in the background."""

    healthy: bool
    workers: int = Field(description="Those that are alive.", examples=[1])


class ChecksBesideWorkers(Checks):
    jobs: JobsCheck


class ReadinessBesideWorkers(Readiness):
    checks: ChecksBesideWorkers


async def started_at(request: Request) -> float:
    """When the application was started, on the monotonic clock."""
    moment: float = request.app.state.started_at
    return moment


@router.get("/health", summary="Does the process live?")
async def health(runtime: CurrentRuntime, started: Annotated[float, Depends(started_at)]) -> Health:
    """Answer as long as the process can answer at all; nothing else is asked."""
    rss_mb = process_memory_mb()
    return Health(
        app=runtime.settings.app_name,
        version=VERSION,
        uptime_seconds=int(time.monotonic() - started),
        memory_mb=rss_mb,
        memory_status=memory_status(rss_mb, runtime.settings),
        cpu_percent=_process.cpu_percent(),
        threads=_process.num_threads(),
    )


@router.get(
    "/ready",
    summary="Is all there that is needed?",
    responses={503: {"model": Readiness, "description": "Requests cannot be served now."}},
)
async def ready(runtime: CurrentRuntime, response: Response) -> ReadinessBesideWorkers | Readiness:
    """Check the database (critical), the cache, the language model, the memory and the workers."""
    database, cache, jobs = await asyncio.gather(
        _check_database(runtime.database), _check_cache(runtime), _check_jobs(runtime)
    )
    rss_mb = process_memory_mb()
    status = memory_status(rss_mb, runtime.settings)
    checks = Checks(
        database=database,
        cache=cache,
        openai_api=_check_language_model(runtime),
        memory=MemoryCheck(healthy=status != "critical", status=status, rss_mb=rss_mb),
    )
    needed = (database, cache, checks.openai_api, checks.memory)
    well, critical = all(check.healthy for check in needed), database.healthy
    response.status_code = 200 if critical else 503
    if jobs is None:
        return Readiness(ready=well, critical_ready=critical, checks=checks)
    return ReadinessBesideWorkers(
        ready=well and jobs.healthy,
        critical_ready=critical,
        checks=ChecksBesideWorkers(**dict(checks), jobs=jobs),
    )


async def _check_jobs(runtime: Runtime) -> JobsCheck | None:
    """None where the process does background work itself."""
    if runtime.database.dialect == "sqlite":
        return None
    try:
        async with (
            asyncio.timeout(CHECK_TIMEOUT_SECONDS),
            runtime.database.reading(None) as transaction,
        ):
            workers = await count_workers(transaction, runtime.clock())
    except (SupportError, TimeoutError):
        workers = 0
    return JobsCheck(healthy=workers > 0, workers=workers)


async def _check_database(database: Database) -> DatabaseCheck:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS), database.reading(None) as transaction:
            await transaction.connection.execute(text("SELECT 1"))
    except (SupportError, TimeoutError):
        return DatabaseCheck(healthy=False, response_time_ms=None)
    elapsed_ms = round((time.perf_counter() - started) * 1000, 2)
    return DatabaseCheck(healthy=True, response_time_ms=elapsed_ms)


async def _check_cache(runtime: Runtime) -> CacheCheck:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            healthy = await runtime.cache.ping()
    except TimeoutError:
        healthy = False
    return CacheCheck(healthy=healthy, type=runtime.cache.kind)


def _check_language_model(runtime: Runtime) -> LanguageModelCheck:
    """Without a model nothing can be wrong with it; with one, its breaker tells."""
    breaker = runtime.breakers["openai"]
    return LanguageModelCheck(
        healthy=runtime.llm is None or breaker.state != "open",
        configured=runtime.llm is not None,
        breakers={
            breaker.name: BreakerCheck(state=breaker.state, success_rate=success_percent(breaker))
        },
    )


def success_percent(breaker: CircuitBreaker) -> float:
    """Share of a breaker's calls that succeeded, in per cent as seed 003 shows it."""
    return round(breaker.success_rate * 100, 1)
