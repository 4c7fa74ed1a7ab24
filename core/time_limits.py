"""How long a neighbour may keep us waiting, on our clock, without blaming it for our own delays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

# A timer that fires later than this shows that our own event loop stood still meanwhile.
LATE_SECONDS = 0.05
# How often a starved loop looks again before it gives up all the same.
SECOND_LOOKS = 8

Value = TypeVar("Value")


async def within(seconds: float, work: Awaitable[Value]) -> Value:
    """What `work` gives, or TimeoutError when nothing came for `seconds`.

    `asyncio.timeout` takes a starved event loop for a silent neighbour: the answer lies in the
    socket while the timer, just as late, is served first. A timer that fires late therefore looks
    again, an eighth of the limit later, so that a wait lasts twice the limit at most plus what the
    loop itself stood still.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        looks_left = SECOND_LOOKS
        timer: asyncio.TimerHandle

        def look(due_at: float) -> None:
            nonlocal timer, looks_left
            if loop.time() - due_at < LATE_SECONDS or not looks_left:
                limit.reschedule(loop.time())
                return
            looks_left -= 1
            again_at = loop.time() + seconds / SECOND_LOOKS
            timer = loop.call_at(again_at, look, again_at)

        due_at = loop.time() + seconds
        timer = loop.call_at(due_at, look, due_at)
        try:
            return await work
        finally:
            timer.cancel()
