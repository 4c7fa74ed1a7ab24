"""What this process has looked up a moment ago, so that a burst of requests costs one statement.

Kept in the process, not in the shared cache: every process then notices a revocation by itself.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from core.runtime import Runtime

# A revoked key, an ended session or a disabled user is known here this much later at the latest;
# a socket that asks every 3 s is then closed within 5.
RECENT_SECONDS = 2.0
RECENT_ENTRIES = 10_000

Value = TypeVar("Value")


@dataclass(frozen=True)
class _LookUp:
    began_at: datetime
    task: asyncio.Future[Any]


class RecentLookUps:
    """Look-ups of one process by key, bounded, each believed for `RECENT_SECONDS`.

    Negative answers are kept as well; failed look-ups are not. Callers who come while a look-up
    is under way wait for it.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, _LookUp] = OrderedDict()

    async def get(self, key: str, look_up: Callable[[], Awaitable[Value]]) -> Value:
        """The recent answer of `look_up`, asked again when it is older than that."""
        now = self._clock()
        entry = self._entries.get(key)
        # A clock that was set back makes no answer live longer.
        if entry is None or not 0 <= (now - entry.began_at).total_seconds() < RECENT_SECONDS:
            entry = _LookUp(now, asyncio.ensure_future(look_up()))
            self._keep(key, entry)
        if entry.task.done() and not entry.task.cancelled():
            return cast(Value, entry.task.result())
        # One caller who gives up must not end the look-up of the others.
        return cast(Value, await asyncio.shield(entry.task))

    def forget(self, key: str) -> None:
        """Ask again next time: this process knows that something has changed."""
        self._entries.pop(key, None)

    def forget_all(self) -> None:
        self._entries.clear()

    def _keep(self, key: str, entry: _LookUp) -> None:
        self._entries.pop(key, None)
        self._entries[key] = entry
        while len(self._entries) > RECENT_ENTRIES:
            self._entries.popitem(last=False)

        def drop_failure(task: asyncio.Future[Any]) -> None:
            if (task.cancelled() or task.exception()) and self._entries.get(key) is entry:
                del self._entries[key]

        entry.task.add_done_callback(drop_failure)


def recent_look_ups(runtime: Runtime) -> RecentLookUps:
    """The look-ups of this process; made with the first."""
    found = runtime.parts.get(RecentLookUps)
    if found is None:
        found = runtime.parts[RecentLookUps] = RecentLookUps(runtime.clock)
    return cast(RecentLookUps, found)
