"""`mdf seed`: the sample shop and its demo accounts."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from api.commands.output import fail, progress_bar, results, write_json
from api.seed import SAMPLE_SHOP, SeedReport
from api.seed import seed as load
from core.errors import SupportError
from core.migrations import migrate
from core.runtime import open_runtime
from core.settings import Settings
from services.accounts.organizations import active_organizations

UNFINISHED = "seeding"


def seed(settings: Settings, *, as_json: bool) -> None:
    """Load what is missing of the sample shop and say how many rows of each kind were added."""
    try:
        report = asyncio.run(_load(settings, only_empty=False))
    except SupportError as error:
        raise fail(error.message) from error
    added = asdict(report) if report is not None else {}
    if as_json:
        write_json(added)
    else:
        results.print(", ".join(f"{count} {kind}" for kind, count in added.items()) + " added")


def seed_empty_database(settings: Settings) -> None:
    """In development, load the sample shop where the database has none, or one half loaded."""
    if settings.environment == "development":
        asyncio.run(_load(settings, only_empty=True))


async def _load(settings: Settings, *, only_empty: bool) -> SeedReport | None:
    """Load the sample shop; a mark in the data folder stays behind a load that was cut short."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    unfinished = settings.data_dir / UNFINISHED
    await migrate(settings.database)
    async with open_runtime(settings, {}) as runtime:
        if only_empty and not unfinished.exists() and await active_organizations(runtime.database):
            return None
        unfinished.touch()
        with progress_bar("sample shop") as report:
            loaded = await load(runtime, SAMPLE_SHOP, report)
        unfinished.unlink()
    return loaded
