"""`mdf eval`: scripted conversations, played on a copy of the shop so that nothing real is touched.

The copy holds the database, the shop's own phrases and the trained models; its vector index is
made anew. Without a database yet, the sample shop is played.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from rich.markup import escape
from sqlalchemy import make_url

from api.assemble import open_product
from api.commands.output import EXIT_FAILED, EXIT_USAGE, fail, progress_bar, results, write_json
from api.commands.seed import everything_indexed, lacks_sample_shop, load_sample_shop
from bot.evaluation.scenarios import ScenarioResult, run_file
from core.settings import Settings
from services.accounts.organizations import active_organizations

COPIED_FOLDERS = ("phrases", "models")


def evaluate(settings: Settings, files: Sequence[Path], *, as_json: bool) -> None:
    """Play every scenario of the files; exit code 1 when one of them fails."""
    with TemporaryDirectory(prefix="mdf-eval-") as folder:
        copy = copied(settings, Path(folder))
        outcomes = asyncio.run(_run(copy, files))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if as_json:
        write_json([asdict(outcome) for outcome in outcomes])
    else:
        _show(failed, len(outcomes))
    if failed:
        raise typer.Exit(EXIT_FAILED)


def copied(settings: Settings, folder: Path) -> Settings:
    """Settings of a copy of the shop in a folder; only a SQLite database can be copied."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite":
        raise fail(
            "conversations are played on a copy, and only a SQLite database can be copied; "
            "unset DATABASE_URL to play them on the sample shop",
            EXIT_USAGE,
        )
    copy = settings.model_copy(
        update={
            "environment": "development",
            "data_dir": folder,
            "database_url": "",
            "vectors": "",
            "storage": "",
            "cache_url": "memory://",
        }
    )
    source = Path(url.database or "")
    if source.is_file():
        target = make_url(copy.database).database or ""
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as new:
            original.backup(new)
    for name in COPIED_FOLDERS:
        if (settings.data_dir / name).is_dir():
            shutil.copytree(settings.data_dir / name, folder / name)
    return copy


async def _run(settings: Settings, files: Sequence[Path]) -> list[ScenarioResult]:
    outcomes: list[ScenarioResult] = []
    if await lacks_sample_shop(settings):
        await load_sample_shop(settings)
    async with open_product(settings) as runtime:
        await everything_indexed(runtime)
        organization = (await active_organizations(runtime.database))[0]
        with progress_bar("conversations") as report:
            for number, file in enumerate(files):
                report(file.name, number, len(files))
                try:
                    outcomes += await run_file(runtime, organization.id, file)
                except ValueError as error:
                    raise fail(f"{file.name}: {error}", EXIT_USAGE) from error
    return outcomes


def _show(failed: Sequence[ScenarioResult], total: int) -> None:
    for outcome in failed:
        results.print(f"[red]failed[/red] {escape(outcome.file)}: {escape(outcome.scenario)}")
        for failure in outcome.failures:
            results.print(f"  {failure}", markup=False)
    results.print(f"{total - len(failed)} passed, {len(failed)} failed")
