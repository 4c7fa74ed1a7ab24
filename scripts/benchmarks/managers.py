"""How long do a manager's figures take among 10,000 conversations and 10,000 tickets?

    .venv/bin/python -m scripts.benchmarks.managers [--database postgresql+asyncpg://…]

Prints what the first computation of all outcomes and each reading cost this process, in
milliseconds of CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import api.tables  # noqa: F401  every table must be known
from core.migrations import migrate
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from services.accounts.organizations import create_organization
from services.monitoring.conversation_figures import Period, figures_by_day, figures_by_intent
from services.monitoring.outcomes import refresh_outcomes
from services.monitoring.ticket_figures import ticket_figures_by_day
from tests.history import invented_past, write_past, write_tickets

DAYS, A_DAY, TIMES = 365, 27, 10
PARIS = ZoneInfo("Europe/Paris")


async def fill(runtime: Runtime) -> UUID:
    now = runtime.clock()
    async with runtime.database.transaction(None) as transaction:
        shop = await create_organization(transaction, "Bench", uuid4().hex, now)
    past = invented_past(now, DAYS, A_DAY)
    for start in range(0, len(past), 500):
        async with runtime.database.transaction(shop.id) as transaction:
            await write_past(transaction, past[start : start + 500])
    async with runtime.database.transaction(shop.id) as transaction:
        await write_tickets(transaction, now, DAYS, A_DAY)
    return shop.id


async def measure(name: str, work: Callable[[], Awaitable[Any]], times: int = TIMES) -> None:
    taken = []
    for _ in range(times):
        began = time.process_time()
        await work()
        taken.append((time.process_time() - began) * 1000)
    print(f"{name:34} {statistics.median(taken):8.1f}")


async def refreshing(runtime: Runtime, shop: UUID) -> None:
    """Compute all outcomes; the longest that nothing else ran meanwhile is of this thread alone."""
    held: list[float] = []

    async def others() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            held.append((time.thread_time() - began) * 1000)

    beside = asyncio.create_task(others())
    await asyncio.sleep(0)
    await refresh_outcomes(runtime, shop)
    beside.cancel()
    print(f"{'outcomes, longest without a pause':34} {max(held):8.1f}")


async def run(runtime: Runtime) -> None:
    shop, today = await fill(runtime), runtime.clock().date()
    # As the server does: what it holds for good is not looked at again.
    gc.collect()
    gc.freeze()

    def reading(work: Callable[..., Awaitable[Any]], days: int, *more: Any) -> Any:
        async def read() -> None:
            period = Period(today - timedelta(days=days - 1), today)
            async with runtime.database.reading(shop) as transaction:
                await work(transaction, period, *more)

        return read

    await measure("outcomes, all", lambda: refreshing(runtime, shop), times=1)
    await measure("outcomes, nothing new", lambda: refresh_outcomes(runtime, shop))
    for days in (30, 365):
        await measure(f"days, {days}", reading(figures_by_day, days))
        await measure(f"intents, {days}", reading(figures_by_intent, days))
        tickets = reading(ticket_figures_by_day, days, PARIS, runtime.clock())
        await measure(f"tickets, {days}", tickets)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    address = parser.parse_args().database
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), log_level="error")
        if address:
            settings = Settings(data_dir=Path(folder), log_level="error", database_url=address)
        await migrate(settings.database)
        async with open_runtime(settings, {}) as runtime:
            await run(runtime)


if __name__ == "__main__":
    asyncio.run(main())
