"""Is a remote provider worth asking now, or has it failed too often of late?

Closed: calls go through. After `failure_threshold` failures in a row it opens and refuses calls at
once; after `recovery_seconds` it lets a single call try (half open), whose outcome decides. One
`Breakers` in the runtime holds those of all outside services, and `ask` is the one way to call
such a service: breaker, time limit and bounded retries.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

State = Literal["closed", "open", "half_open"]
Result = TypeVar("Result")

FAILURE_THRESHOLD = 5
RECOVERY_SECONDS = 30.0
# The services that the product may call outside (seed 003: five breakers).
OUTSIDE_SERVICES = ("openai", "cloudinary", "speech", "webhooks", "email")
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 2.0
JITTER_SECONDS = 0.2


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
    failures_in_a_row: int = 0
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
        self.failures_in_a_row = 0
        self._opened_at = None
        self._trying = False

    def record_failure(self) -> None:
        self.total_calls += 1
        self.failure_count += 1
        self.failures_in_a_row += 1
        if self._trying or self.failures_in_a_row >= self.failure_threshold:
            self._opened_at = self.clock()
        self._trying = False


def _outside_services() -> dict[str, CircuitBreaker]:
    return {name: CircuitBreaker(name) for name in OUTSIDE_SERVICES}


@dataclass(frozen=True, eq=False)
class Breakers:
    """The breakers of all outside services, there from the start whether used or not."""

    by_name: dict[str, CircuitBreaker] = field(default_factory=_outside_services)

    def __getitem__(self, name: str) -> CircuitBreaker:
        return self.by_name[name]

    def __iter__(self) -> Iterator[CircuitBreaker]:
        return iter(self.by_name.values())


class ProviderRefused(Exception):
    """The provider answered that the request itself is wrong: no failure of the provider.

    An adapter raises it (or a subclass) for what asking again cannot mend, such as a 400.
    """


async def ask(
    breaker: CircuitBreaker,
    call: Callable[[], Awaitable[Result]],
    *,
    timeout_seconds: float,
    attempts: int = 1,
    retry_on: type[Exception] | tuple[type[Exception], ...] = OSError,
) -> Result:
    """Call an outside service: at most `attempts` times, each within `timeout_seconds`.

    A time limit is a failure of the provider and is retried like an error of `retry_on`, after
    waits that double and are spread at random. Raises CircuitOpen where the breaker refuses,
    TimeoutError, or what the last call raised; ProviderRefused leaves the breaker as it is.
    """
    from stamina import retry_context

    kinds = retry_on if isinstance(retry_on, tuple) else (retry_on,)
    async for attempt in retry_context(
        on=(*kinds, TimeoutError),
        attempts=attempts,
        timeout=None,
        wait_initial=FIRST_WAIT_SECONDS,
        wait_max=LONGEST_WAIT_SECONDS,
        wait_jitter=JITTER_SECONDS,
    ):
        with attempt:
            return await _once(breaker, call, timeout_seconds)
    raise AssertionError("retry_context ends by returning or raising")


async def _once(
    breaker: CircuitBreaker, call: Callable[[], Awaitable[Result]], timeout_seconds: float
) -> Result:
    refusal: ProviderRefused
    async with breaker.call():
        try:
            async with asyncio.timeout(timeout_seconds):
                return await call()
        except ProviderRefused as error:
            refusal = error
    raise refusal
