"""How a command speaks: results to standard output, progress and problems to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

results = Console(highlight=False, soft_wrap=True)
progress = Console(stderr=True, highlight=False)

EXIT_FAILED = 1
EXIT_USAGE = 2

# What a long piece of work calls: what it is doing, how much is done, of how much.
Report = Callable[[str, int, int], None]


def fail(message: str, code: int = EXIT_FAILED) -> typer.Exit:
    """Say what went wrong and return the exception that ends the command."""
    progress.print(f"[red]error[/red] {message}", soft_wrap=True)
    return typer.Exit(code)


def write_json(value: Any) -> None:
    """One JSON document on standard output, for scripts."""
    results.file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
    results.file.flush()


def write_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows as a table that fits the terminal."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "))
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    results.print(table)


@contextmanager
def progress_bar(what: str) -> Iterator[Report]:
    """A bar on standard error for as long as the work goes on; silent where none looks on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    looked_at = progress.is_terminal
    with Progress(*columns, console=progress, transient=True, disable=not looked_at) as bar:
        task = bar.add_task(what, total=None)

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        yield report
