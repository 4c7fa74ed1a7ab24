"""`mdf worker`: a process that does background work beside the servers."""

from __future__ import annotations

import asyncio
import signal

from api.background import open_worker
from api.commands.output import fail, results
from core.errors import SupportError
from core.settings import Settings


def work(settings: Settings) -> None:
    """Do jobs and schedules until interrupted."""
    if settings.embeds_jobs:
        raise fail(
            "the server does background work itself here. Workers need PostgreSQL "
            "(DATABASE_URL) and JOBS=auto or JOBS=workers."
        )
    try:
        asyncio.run(_work(settings))
    except SupportError as error:
        raise fail(error.message) from error


async def _work(settings: Settings) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    async with open_worker(settings):
        results.print("Ready for background work")
        await ended.wait()
    results.print("stopped")
