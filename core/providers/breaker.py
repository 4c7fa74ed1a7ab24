"""Is a remote provider worth asking now, or has it failed too often of late?

Closed: calls go through. After `failure_threshold` failures in a row it opens and refuses calls at
once; after `recovery_seconds` it lets a single call try (half open), whose outcome decides.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half_open"]

FAILURE_THRESHOLD = 5
RECOVERY_SECONDS = 30.0


class CircuitOpen(Exception):
    """The provider was not asked: it has failed too often of late."""


@dataclass
class CircuitBreaker:
    """The state of one provider in this process, with the counts that operators look at."""

    name: str
    failure_threshold: int = FAILURE_THRESHOLD
    recovery_seconds: float = RECOVERY_SECONDS
    clock: Callable[[], float] = time.monotonic
    failure_count: int = 0
    total_calls: int = 0
    _failures_in_a_row: int = 0
    _opened_at: float | None = None
    _trying: bool = False

    @property
    def state(self) -> State:
        if self._opened_at is None:
            return "closed"
        waited = self.clock() - self._opened_at
        return "half_open" if waited >= self.recovery_seconds else "open"

    @property
    def success_rate(self) -> float:
        """Share of all calls that succeeded; 1 before the first."""
        return 1.0 - self.failure_count / self.total_calls if self.total_calls else 1.0

    @property
    def allows(self) -> bool:
        """Whether a call would go through now."""
        return self.state == "closed" or (self.state == "half_open" and not self._trying)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Wrap one call; raises CircuitOpen instead of letting it through.

        Every exception of the block counts as a failure but a cancellation, which says nothing
        of the provider: who cancels for lack of time tells so with `record_failure`.
        """
        if not self.allows:
            raise CircuitOpen(self.name)
        self._trying = self.state == "half_open"
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self._trying = False
            raise
        except BaseException:
            self.record_failure()
            raise
        self.record_success()

    def record_success(self) -> None:
        self.total_calls += 1
        self._failures_in_a_row = 0
        self._opened_at = None
        self._trying = False

    def record_failure(self) -> None:
        self.total_calls += 1
        self.failure_count += 1
        self._failures_in_a_row += 1
        if self._trying or self._failures_in_a_row >= self.failure_threshold:
            self._opened_at = self.clock()
        self._trying = False
