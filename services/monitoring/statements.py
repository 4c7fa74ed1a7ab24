"""How many database statements ran, how long they took, and which were slow.

Counted by shape: the text of a statement with its parameters as placeholders, so that no value
is ever kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from core.database import Database
from core.providers.traces import Traces
from core.telemetry import SLOW_STATEMENTS, STATEMENTS, logger

# Statements of so many shapes are told apart; the one unused for longest is forgotten first.
MAXIMUM_SHAPES = 500
LOGGED_CHARACTERS = 500


@dataclass
class Shape:
    """What statements of one text have cost."""

    count: int = 0
    seconds: float = 0.0
    longest_seconds: float = 0.0
    slow: int = 0


class StatementStatistics:
    """The statements of one process since it started; a failed one counts like any other."""

    def __init__(self, threshold_ms: float, traces: Traces | None = None) -> None:
        self.threshold_ms = threshold_ms
        self.total = Shape()
        self.shapes: OrderedDict[str, Shape] = OrderedDict()
        self._threshold_seconds = threshold_ms / 1000
        self._traces = traces

    @property
    def average_ms(self) -> float:
        return self.total.seconds / self.total.count * 1000 if self.total.count else 0.0

    @property
    def slow_percentage(self) -> float:
        return self.total.slow / self.total.count * 100 if self.total.count else 0.0

    def slowest(self, number: int) -> list[tuple[str, Shape]]:
        """The shapes that have taken the most time altogether."""
        ranked = sorted(self.shapes.items(), key=lambda pair: pair[1].seconds, reverse=True)
        return ranked[:number]

    def record(self, text: str, seconds: float) -> None:
        """Count one statement; costs a few microseconds."""
        shape = self.shapes.get(text)
        if shape is None:
            shape = self.shapes[text] = Shape()
            if len(self.shapes) > MAXIMUM_SHAPES:
                self.shapes.popitem(last=False)
        slow = seconds >= self._threshold_seconds
        for figures in (self.total, shape):
            figures.count += 1
            figures.seconds += seconds
            figures.slow += slow
            figures.longest_seconds = max(figures.longest_seconds, seconds)
        STATEMENTS.observe(seconds)
        if slow:
            self._report(text, seconds)
        if self._traces is not None:
            self._traces.ended(text.split(None, 1)[0], seconds, **{"db.query.text": text})

    def _report(self, text: str, seconds: float) -> None:
        SLOW_STATEMENTS.inc()
        logger("services.monitoring").warning(
            "slow_statement", duration_ms=round(seconds * 1000), shape=text[:LOGGED_CHARACTERS]
        )


def watch_statements(
    database: Database, threshold_ms: float, traces: Traces | None = None
) -> StatementStatistics:
    """Count every statement of a database from now on."""
    statistics = StatementStatistics(threshold_ms, traces)
    engine = database.engine.sync_engine
    database.observers.append(statistics.record)

    @event.listens_for(engine, "before_cursor_execute")
    def before(
        connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if context is not None:
            context.mdf_started = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(
        connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if context is not None:
            statistics.record(text, time.perf_counter() - context.mdf_started)

    @event.listens_for(engine, "handle_error")
    def failed(problem: Any) -> None:
        started = getattr(problem.execution_context, "mdf_started", None)
        if started is not None and problem.statement:
            statistics.record(problem.statement, time.perf_counter() - started)

    return statistics
