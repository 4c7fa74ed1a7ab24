"""`mdf eval`: conversation tests, played on a copy of the shop so that nothing real is touched.

The copy holds the database, the shop's own phrases and the trained models; its vector index is
made anew. Without a database yet, the sample shop is played. Time stands still on the copy while
tests are played, so that two configurations meet the same moment.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import typer
from rich.markup import escape
from sqlalchemy import make_url

from api.assemble import open_product
from api.commands.candidates import PRESENT, Candidate, read_candidate
from api.commands.output import (
    EXIT_FAILED,
    EXIT_USAGE,
    fail,
    progress,
    progress_bar,
    results,
    write_json,
)
from api.commands.seed import everything_indexed, lacks_sample_shop, load_sample_shop
from bot.assistant import Assistant
from bot.evaluation.cases import stored_tests
from bot.evaluation.compare import Comparison, compare
from bot.evaluation.report import Report, as_html
from bot.evaluation.scenarios import ScenarioResult
from bot.evaluation.trials import TestFile, load_test_file, play
from core.providers.prepared import copy_models
from core.runtime import Runtime, utc_now
from core.settings import Settings
from knowledge.product_search import Catalogues
from services.accounts.organizations import active_organizations

SHOWN_DIFFERENCES = 20


@dataclass(frozen=True)
class Request:
    """What is to be played, how often, and beside what."""

    files: Sequence[Path]
    stored: bool = False
    repeat: int = 1
    html: Path | None = None
    other: Path | None = None


class Clock:
    """The time, until it is stopped."""

    def __init__(self) -> None:
        self.stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return self.stopped_at or utc_now()


def evaluate(settings: Settings, request: Request, *, as_json: bool) -> None:
    """Play the tests; exit code 1 when one of them fails, 2 for a file that is none."""
    tests = _read_tests(request)
    candidate = _read_other(request.other) if request.other is not None else None
    moment = utc_now()
    present = _play(settings, PRESENT, tests, request, moment)
    comparison = None
    if candidate is not None:
        changed = _play(settings, candidate, tests, request, moment)
        comparison = compare(candidate.name, present, changed)
    report = Report(moment, request.repeat, present, comparison)
    if request.html is not None:
        _write_html(request.html, report)
    if as_json:
        write_json(_as_json(report))
    else:
        _show(report)
    if report.failed:
        raise typer.Exit(EXIT_FAILED)


def _read_tests(request: Request) -> list[TestFile]:
    if not request.files and not request.stored:
        raise fail("name at least one file of tests, or use --stored", EXIT_USAGE)
    tests = []
    for file in request.files:
        try:
            tests.append(load_test_file(file))
        except ValueError as error:
            raise fail(escape(f"{file.name}: {error}"), EXIT_USAGE) from error
    return tests


def _read_other(path: Path) -> Candidate:
    try:
        return read_candidate(path)
    except ValueError as error:
        raise fail(escape(f"{path.name}: {error}"), EXIT_USAGE) from error


def _play(
    settings: Settings,
    candidate: Candidate,
    tests: Sequence[TestFile],
    request: Request,
    moment: datetime,
) -> list[ScenarioResult]:
    """Play everything on a copy of its own, with what the candidate changes."""
    with TemporaryDirectory(prefix="mdf-eval-") as folder:
        copy = candidate.applied_to(copied(settings, Path(folder)))
        if candidate.phrases is not None:
            shutil.rmtree(copy.phrase_folder, ignore_errors=True)
            shutil.copytree(candidate.phrases, copy.phrase_folder)
        return asyncio.run(_run(copy, candidate, tests, request, moment))


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
    if settings.phrase_folder.is_dir():
        shutil.copytree(settings.phrase_folder, copy.phrase_folder)
    if settings.model_folder.is_dir():
        copy_models(settings.model_folder, copy.model_folder)
    return copy


async def _run(
    settings: Settings,
    candidate: Candidate,
    tests: Sequence[TestFile],
    request: Request,
    moment: datetime,
) -> list[ScenarioResult]:
    if await lacks_sample_shop(settings):
        await load_sample_shop(settings)
    clock = Clock()
    async with open_product(settings, clock) as runtime:
        organization = (await active_organizations(runtime.database))[0]
        await everything_indexed(runtime)
        # A catalogue that is still being read would answer the first plays otherwise.
        await runtime.part(Catalogues).of(organization.id)
        await runtime.part(Catalogues).settle()
        runtime.parts[Assistant] = candidate.assistant_of(runtime.part(Assistant))
        clock.stopped_at = moment
        return await _play_files(runtime, organization.id, tests, request)


async def _play_files(
    runtime: Runtime, organization_id: UUID, tests: Sequence[TestFile], request: Request
) -> list[ScenarioResult]:
    if request.stored:
        async with runtime.database.reading(organization_id) as transaction:
            tests = [*tests, await stored_tests(transaction)]
    total = sum(file.conversations for file in tests) * request.repeat
    outcomes: list[ScenarioResult] = []
    with progress_bar("conversations") as report:
        for file in tests:
            async for outcome in play(runtime, organization_id, file, request.repeat):
                outcomes.append(outcome)
                report(escape(file.name), len(outcomes), total)
    return outcomes


def _write_html(path: Path, report: Report) -> None:
    try:
        path.write_text(as_html(report), encoding="utf-8")
    except OSError as error:
        raise fail(escape(f"{path}: {error.strerror}")) from error
    progress.print(f"report written to {escape(str(path))}", soft_wrap=True)


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "passed": report.passes,
        "failed": len(report.failed),
        "pass_1": report.pass_1,
        "pass_4": report.pass_4,
        "results": [{**asdict(result), "passed": result.passed} for result in report.results],
        "comparison": asdict(report.comparison) if report.comparison is not None else None,
    }


def _show(report: Report) -> None:
    for outcome in report.failed:
        results.print(f"[red]failed[/red] {escape(outcome.file)}: {escape(outcome.scenario)}")
        for failure in outcome.failures:
            results.print(f"  {failure}", markup=False)
    if report.comparison is not None:
        _show_comparison(report.comparison)
    powers = [
        f"{name} {value:.3f}"
        for name, value in (("pass^1", report.pass_1), ("pass^4", report.pass_4))
        if value is not None and report.repeat > 1
    ]
    counts = f"{report.passes} passed, {len(report.failed)} failed"
    results.print(", ".join([counts, *powers]))


def _show_comparison(comparison: Comparison) -> None:
    name = escape(comparison.name)
    for word, tests in (("passes", comparison.fixed), ("fails", comparison.broken)):
        for file, test in tests:
            results.print(f"with {name} {word}: {escape(file)}: {escape(test)}")
    for difference in comparison.differences[:SHOWN_DIFFERENCES]:
        results.print(
            escape(
                f"differs in {', '.join(difference.what)}: {difference.file}: {difference.test}, "
                f"turn {difference.turn}"
            )
        )
    results.print(f"{len(comparison.differences)} turns differ with {name}")
