"""What Prometheus is told: the counters of the process, and figures read at the moment.

Counters and histograms are declared in `core.telemetry` and kept up where things happen. States
(breakers, outbox, cache, database) are read when they are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import Select, case, func, select

from core.errors import SupportError
from core.outbox import MAXIMUM_ATTEMPTS, outbox
from core.providers.breaker import Breakers
from core.runtime import Runtime

CONTENT_TYPE = CONTENT_TYPE_LATEST
READ_TIMEOUT_SECONDS = 2.0
BREAKER_STATES = ("closed", "half_open", "open")


@dataclass(frozen=True)
class OutboxFigures:
    """Work that waits: how much, for how long, and what has been given up."""

    pending: int
    given_up: int
    oldest_at: datetime | None


@dataclass(frozen=True, eq=False)
class _Moment(Collector):
    """What is true at the moment of one scrape."""

    breakers: Breakers
    cache_up: bool
    outbox: OutboxFigures | None
    now: datetime

    def collect(self) -> Iterator[Metric]:
        yield from _breaker_metrics(self.breakers)
        yield GaugeMetricFamily("mdf_cache_up", "Whether the cache is shared", float(self.cache_up))
        yield GaugeMetricFamily(
            "mdf_database_up", "Whether the database answers", float(self.outbox is not None)
        )
        if self.outbox is not None:
            yield from self._outbox_metrics(self.outbox)

    def _outbox_metrics(self, figures: OutboxFigures) -> Iterator[Metric]:
        oldest = figures.oldest_at
        waited = max(0.0, (self.now - oldest).total_seconds()) if oldest is not None else 0.0
        yield GaugeMetricFamily("mdf_outbox_pending", "Rows still to be done", figures.pending)
        yield GaugeMetricFamily("mdf_outbox_given_up", "Rows given up", figures.given_up)
        yield GaugeMetricFamily(
            "mdf_outbox_oldest_seconds", "How long the oldest row has waited", waited
        )


async def exposition(runtime: Runtime) -> bytes:
    """Every metric in Prometheus's text format; a database that is down leaves only its rows out.

    Figures of the outbox are those of the whole database, not of this process.
    """
    figures, cache_up = await asyncio.gather(_outbox_figures(runtime), runtime.cache.ping())
    registry = CollectorRegistry()
    registry.register(_Moment(runtime.breakers, cache_up, figures, runtime.clock()))
    return generate_latest(REGISTRY) + generate_latest(registry)


def _breaker_metrics(breakers: Breakers) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "mdf_breaker_state", "1 for the state that a breaker is in", labels=["breaker", "state"]
    )
    calls = CounterMetricFamily(
        "mdf_breaker_calls", "Calls of an outside service", labels=["breaker", "outcome"]
    )
    for breaker in breakers:
        for state in BREAKER_STATES:
            states.add_metric([breaker.name, state], float(breaker.state == state))
        succeeded = breaker.total_calls - breaker.failure_count
        calls.add_metric([breaker.name, "ok"], succeeded)
        calls.add_metric([breaker.name, "failed"], breaker.failure_count)
    yield states
    yield calls


async def _outbox_figures(runtime: Runtime) -> OutboxFigures | None:
    waiting = outbox.c.attempts < MAXIMUM_ATTEMPTS
    query: Select[Any] = select(
        func.sum(case((waiting, 1), else_=0)),
        func.sum(case((waiting, 0), else_=1)),
        func.min(case((waiting, outbox.c.created_at))),
    ).where(outbox.c.done_at.is_(None))
    try:
        async with (
            asyncio.timeout(READ_TIMEOUT_SECONDS),
            runtime.database.reading(None, every_organization=True) as transaction,
        ):
            row = await transaction.first(query)
    except (SupportError, TimeoutError):
        return None
    figures: Sequence[Any] = row if row is not None else (0, 0, None)
    return OutboxFigures(int(figures[0] or 0), int(figures[1] or 0), figures[2])
