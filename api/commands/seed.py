"""`mdf seed`: the sample shop and its demo accounts."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from sqlalchemy import func, select

from api.assemble import open_product
from api.commands.output import fail, progress, progress_bar, results, write_json
from api.commands.ownership import DataFolderInUse, owning
from api.seed import SAMPLE_SHOP, SeedReport
from api.seed import seed as load
from core.errors import SupportError
from core.migrations import migrate
from core.outbox import outbox
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from knowledge.index import Knowledge
from services.accounts.organizations import active_organizations

UNFINISHED = "seeding"
POLL_SECONDS = 0.2


def seed(settings: Settings, *, index: bool, as_json: bool) -> None:
    """Load what is missing of the sample shop and say how many rows of each kind were added.

    With `index` this process then learns the phrases and indexes the articles, as a server
    does, so that the first question after a start finds its answer.
    """
    try:
        report = asyncio.run(load_sample_shop(settings))
        if index:
            with owning(settings.data_dir, ""):
                asyncio.run(_index_everything(settings))
    except SupportError as error:
        raise fail(error.message) from error
    except DataFolderInUse as error:
        raise fail(
            f"the server at {error.address} indexes what is added, within seconds"
        ) from error
    added = asdict(report)
    if as_json:
        write_json(added)
    else:
        results.print(", ".join(f"{count} {kind}" for kind, count in added.items()) + " added")


async def lacks_sample_shop(settings: Settings) -> bool:
    """Whether a development database holds no shop yet, or a sample shop half loaded."""
    if settings.environment != "development":
        return False
    if (settings.data_dir / UNFINISHED).exists():
        return True
    await migrate(settings.database)
    async with open_runtime(settings, {}) as runtime:
        return not await active_organizations(runtime.database)


async def _index_everything(settings: Settings) -> None:
    progress.print("learning the phrases")
    async with open_product(settings) as runtime:
        await everything_indexed(runtime)


async def everything_indexed(runtime: Runtime) -> None:
    """Wait until the drainer of this process has dealt with what was waiting for it."""
    with progress_bar("indexing the articles") as report:
        total = waiting = await _waiting(runtime)
        while waiting:
            report("indexing the articles", total - waiting, total)
            await asyncio.sleep(POLL_SECONDS)
            waiting = await _waiting(runtime)
        await runtime.part(Knowledge).settle()


async def _waiting(runtime: Runtime) -> int:
    """How many outbox rows are still to be dealt with; those given up, or of a
    topic that nothing here deals with, are not waited for."""
    pending = (
        select(func.count())
        .select_from(outbox)
        .where(outbox.c.done_at.is_(None), outbox.c.attempts <= 1)
        .where(outbox.c.topic.in_(runtime.outbox.topics))
    )
    async with runtime.database.reading(None, every_organization=True) as transaction:
        return int(await transaction.scalar(pending))


async def load_sample_shop(settings: Settings) -> SeedReport:
    """Load the sample shop; a mark in the data folder stays behind a load that was cut short."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    unfinished = settings.data_dir / UNFINISHED
    await migrate(settings.database)
    async with open_runtime(settings, {}) as runtime:
        unfinished.touch()
        with progress_bar("sample shop") as report:
            loaded = await load(runtime, SAMPLE_SHOP, report)
        unfinished.unlink()
    return loaded
