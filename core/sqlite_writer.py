"""The one writer of a SQLite file in this process: its turn, its lock, its prepared statements.

SQLite has one writer at a time. Keeping its connection open, and its statements compiled, makes a
write cost little more than SQLite itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, exc
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import Select

from core import sqlite
from core.prepared_statements import Observer, PreparedStatement, Write, prepared
from core.sqlite import begin_with_lock, come_to_rest, connected, raw_connection


class Translated:
    """Turn the driver's errors into sqlalchemy's, without the values of the statement."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None:
            return
        if isinstance(error, sqlite3.IntegrityError):
            raise exc.IntegrityError(self.text, None, error, hide_parameters=True) from error
        if isinstance(error, sqlite3.OperationalError):
            raise exc.OperationalError(self.text, None, error, hide_parameters=True) from error
        if isinstance(error, sqlite3.Error):
            raise exc.DBAPIError(self.text, None, error, hide_parameters=True) from error


def execute(
    connection: Connection,
    ready: PreparedStatement,
    parameters: Mapping[str, Any],
    observers: Sequence[Observer],
) -> sqlite3.Cursor:
    """Run a prepared statement on the driver's connection; its errors are SQLAlchemy's."""
    started = time.perf_counter()
    with Translated(ready.text):
        cursor = raw_connection(connection).execute(ready.text, ready.bound(parameters))
    for observe in observers:
        observe(ready.text, time.perf_counter() - started)
    return cursor


def select_rows(
    connection: AsyncConnection,
    statement: Select[Any],
    parameters: Mapping[str, Any],
    observers: Sequence[Observer],
) -> Sequence[Row[Any]]:
    """All rows of a constant select."""
    below = connection.sync_connection
    if below is None:
        raise TypeError("the connection is not open")
    ready = _prepared_select(below, statement, parameters)
    return ready.rows(execute(below, ready, parameters, observers).fetchall())


def _prepared_select(
    connection: Connection, statement: Select[Any], parameters: Mapping[str, Any]
) -> PreparedStatement:
    ready = prepared(statement, tuple(parameters), connection.dialect)
    if ready is None:
        raise TypeError("only a constant select can be run without SQLAlchemy")
    return ready


@dataclass
class SQLiteWriter:
    """Transactions that write, one after the other, on a connection that stays open.

    `on_statement` is told each prepared write's text and seconds.
    """

    engine: AsyncEngine
    on_statement: list[Observer] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _connection: Connection | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Hold the write lock from the beginning; roll back what `commit` has not committed.

        Writers of this process wait in line, other processes are asked again and again. Raises
        sqlalchemy's OperationalError where the lock is not to be had in time.
        """
        await self._wait_in_line()
        try:
            connection = self._connection or await self._open()
            with Translated("BEGIN IMMEDIATE"):
                await begin_with_lock(raw_connection(connection))
            try:
                yield AsyncConnection(self.engine, connection)
            finally:
                if not come_to_rest(connection):
                    self._connection = None
        finally:
            self._turn.release()

    async def _wait_in_line(self) -> None:
        if not self._turn.locked():
            await self._turn.acquire()
            return
        try:
            async with asyncio.timeout(sqlite.LOCK_TIMEOUT_SECONDS):
                await self._turn.acquire()
        except TimeoutError as error:
            raise exc.OperationalError("BEGIN IMMEDIATE", None, error) from error

    async def _open(self) -> Connection:
        self._connection = await connected(self.engine)
        # Without statistics the planner takes the organization's index for a selective one.
        raw = raw_connection(self._connection)
        raw.execute("PRAGMA analysis_limit=400")
        raw.execute("PRAGMA optimize=0x10002")
        # Whoever takes the lock waits on the loop, and who has it waits for nobody.
        raw.execute("PRAGMA busy_timeout=0")
        return self._connection

    def commit(self) -> None:
        """Commit the open transaction; raises sqlalchemy's errors."""
        if self._connection is None:
            return
        raw = raw_connection(self._connection)
        with Translated("COMMIT"):
            raw.commit()

    def rollback(self) -> None:
        """Undo what the open transaction has written so far."""
        if self._connection is not None:
            self._connection.rollback()
            raw_connection(self._connection).rollback()

    def write(self, statement: Write, parameters: Mapping[str, Any]) -> sqlite3.Cursor | None:
        """Run a constant statement in the open transaction; None where it must go another way."""
        connection = self._connection
        if connection is None:
            return None
        ready = prepared(statement, tuple(parameters), connection.dialect)
        return None if ready is None else execute(connection, ready, parameters, self.on_statement)

    def first(self, statement: Select[Any], parameters: Mapping[str, Any]) -> Row[Any] | None:
        """The first row of a constant select, read in the open transaction."""
        if self._connection is None:
            raise TypeError("a select that looks ahead needs an open transaction")
        ready = _prepared_select(self._connection, statement, parameters)
        values = execute(self._connection, ready, parameters, self.on_statement).fetchone()
        return None if values is None else ready.rows([values])[0]

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
