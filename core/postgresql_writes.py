"""Writes that wait for their transaction's end and travel to PostgreSQL as one statement.

Each statement costs a way to the server and back, which costs more than running it; with its BEGIN
and COMMIT a turn would make eleven. Data-modifying CTEs are one statement, atomic without either.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, exc
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from core.prepared_statements import Observer, PreparedStatement, Write, prepared

_PLACEHOLDER = re.compile(r"\$(\d+)")


class NothingChanged(Exception):
    """A write that had to change a row changed none: nothing of its transaction happened."""


@dataclass(frozen=True)
class DeferredWrite:
    """A write with its values; with `must_change` it fails where it changes no row."""

    statement: Write
    parameters: Mapping[str, Any]
    must_change: bool = False


async def fetch_first(
    connection: AsyncConnection,
    statement: Select[Any],
    parameters: Mapping[str, Any],
    observers: Sequence[Observer],
) -> Row[Any] | None:
    """The first row of a constant select, read outside of a transaction unless one is open."""
    ready = _prepared(statement, parameters, connection)
    record = await _fetch(connection, ready.text, ready.bound(parameters), observers)
    return None if record is None else ready.rows([record])[0]


async def fetch_all(
    connection: AsyncConnection,
    statement: Select[Any],
    parameters: Mapping[str, Any],
    observers: Sequence[Observer],
) -> Sequence[Row[Any]]:
    """All rows of a constant select, read like `fetch_first`."""
    ready = _prepared(statement, parameters, connection)
    values = ready.bound(parameters)
    return ready.rows(await _fetch(connection, ready.text, values, observers, every_row=True))


async def write_together(
    connection: AsyncConnection, writes: Sequence[DeferredWrite], observers: Sequence[Observer]
) -> None:
    """Run all writes as one statement. None may change what another of them writes or reads.

    Raises NothingChanged, and SQLAlchemy's errors.
    """
    ready = [_prepared(one.statement, one.parameters, connection) for one in writes]
    text = _joined(
        tuple(one.text for one in ready),
        tuple(len(one.values) for one in ready),
        tuple(one.must_change for one in writes),
    )
    values = [
        value
        for one, write in zip(ready, writes, strict=True)
        for value in one.bound(write.parameters)
    ]
    await _fetch(connection, text, values, observers)


def _prepared(
    statement: Write | Select[Any], parameters: Mapping[str, Any], connection: AsyncConnection
) -> PreparedStatement:
    ready = prepared(statement, tuple(parameters), connection.dialect)
    if ready is None:
        raise TypeError("only a constant statement can be run without SQLAlchemy")
    return ready


@lru_cache(maxsize=256)
def _joined(texts: tuple[str, ...], counts: tuple[int, ...], must_change: tuple[bool, ...]) -> str:
    """The statements as CTEs; one that had to change a row and did not ends in a division by 0."""
    parts, checks, before = [], ["1"], 0
    for number, (text, count) in enumerate(zip(texts, counts, strict=True)):
        moved = _PLACEHOLDER.sub(lambda found, by=before: f"${int(found[1]) + by}", text)  # type: ignore[misc]
        parts.append(f"write_{number} AS ({moved} RETURNING 1)")
        if must_change[number]:
            checks.append(f"1 / (SELECT count(*) FROM write_{number})")  # noqa: S608
        before += count
    return f"WITH {', '.join(parts)} SELECT {', '.join(checks)}"


def _driver_connection(connection: AsyncConnection) -> Any:
    """asyncpg's connection; `get_raw_connection` would start a greenlet to say the same."""
    below = connection.sync_connection
    if below is None:
        raise TypeError("the connection is not open")
    return below.connection.driver_connection


async def _fetch(
    connection: AsyncConnection,
    text: str,
    values: Sequence[Any],
    observers: Sequence[Observer],
    *,
    every_row: bool = False,
) -> Any:
    """Run a statement on the driver's connection; its errors are SQLAlchemy's, without values."""
    import asyncpg

    started = time.perf_counter()
    raw = _driver_connection(connection)
    try:
        return await (raw.fetch if every_row else raw.fetchrow)(text, *values)
    except asyncpg.DivisionByZeroError as error:
        raise NothingChanged from error
    except asyncpg.IntegrityConstraintViolationError as error:
        raise exc.IntegrityError(text, None, error, hide_parameters=True) from error
    except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
        await connection.invalidate(error)
        raise exc.OperationalError(text, None, error, hide_parameters=True) from error
    except asyncpg.PostgresError as error:
        if raw.is_closed():
            await connection.invalidate(error)
        raise exc.DBAPIError(text, None, error, hide_parameters=True) from error
    finally:
        for observe in observers:
            observe(text, time.perf_counter() - started)
