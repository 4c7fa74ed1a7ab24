"""SQLite on the event loop: no thread hop for calls that take microseconds.

aiosqlite hands each call to a thread and is woken when it is done; a chat turn makes forty such
calls. Here they run where they are made. Only taking the write lock may have to wait for another
connection, and it waits by sleeping on the loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util.concurrency import await_, greenlet_spawn, in_greenlet

DRIVER = "sqlite+loop"
LOCK_TIMEOUT_SECONDS = 5.0
BUSY_TIMEOUT_MS = 50
FIRST_WAIT_SECONDS = 0.0005
LONGEST_WAIT_SECONDS = 0.02


async def _nothing() -> None:
    """What is awaited where nothing is waited for."""


class _Cursor(sqlite3.Cursor):
    """A cursor whose rows may be read outside of the engine's awaits."""

    async def _async_soft_close(self) -> None:
        """Nothing to let go of: rows are read from the open statement."""


class LoopConnection(sqlite3.Connection):
    """A connection with such cursors; hand it to the driver as `factory`."""

    def cursor(self, *arguments: Any) -> Any:
        return super().cursor(_Cursor)


class LoopDialect(SQLiteDialect_pysqlite):
    """The standard library's driver behind an async engine."""

    driver = "loop"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def get_driver_connection(self, connection: Any) -> Any:
        return connection

    def do_execute(
        self, cursor: Any, statement: str, parameters: Any, context: Any | None = None
    ) -> None:
        """Run a statement; the async engine insists on one await for each."""
        cursor.execute(statement, parameters)
        if in_greenlet():
            await_(_nothing())


registry.register("sqlite.loop", __name__, "LoopDialect")


def prepare_connection(connection: sqlite3.Connection) -> None:
    """WAL, foreign keys, and a driver that opens no transaction by itself.

    A lock taken late fails with SQLITE_BUSY whatever the timeout, hence `take_lock`. The timeout of
    the driver is short: it would stop the loop.
    """
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def prepare(engine: AsyncEngine) -> None:
    """Let each connection of an engine begin as SQLite needs it."""

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        prepare_connection(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        """A transaction opened elsewhere than here: it writes, unless it says otherwise."""
        options = connection.get_execution_options()
        if not options.get("begun", False):
            await_(take_lock(raw_connection(connection)))


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that takes no lock."""
    with await connected(engine) as connection:
        raw_connection(connection).execute("BEGIN")
        yield AsyncConnection(engine, connection)


def come_to_rest(connection: Connection) -> bool:
    """Leave no transaction open; a connection where that cannot be is closed for good."""
    try:
        raw = raw_connection(connection)
        if raw.in_transaction:
            raw.rollback()
        if connection.in_transaction():
            connection.rollback()
    except (sqlite3.Error, SQLAlchemyError):
        connection.invalidate()
        connection.close()
        return False
    return True


async def connected(engine: AsyncEngine) -> Connection:
    """A connection of the pool, which may have to wait for another that is being made."""
    connection = await greenlet_spawn(engine.sync_engine.connect)
    return connection.execution_options(begun=True)


def raw_connection(connection: Any) -> sqlite3.Connection:
    """The driver's connection below SQLAlchemy's."""
    found: sqlite3.Connection = connection.connection.dbapi_connection
    return found


async def take_lock(connection: sqlite3.Connection) -> None:
    """Begin a transaction with the write lock, asking again while another process has it.

    Raises sqlite3.OperationalError when it is not to be had within `LOCK_TIMEOUT_SECONDS`.
    """
    connection.execute("PRAGMA busy_timeout=0")
    try:
        await begin_with_lock(connection)
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


async def begin_with_lock(connection: sqlite3.Connection) -> None:
    """`take_lock` for a connection whose driver never waits (`busy_timeout=0`)."""
    until = time.monotonic() + LOCK_TIMEOUT_SECONDS
    wait_seconds = FIRST_WAIT_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not locked or time.monotonic() > until:
                raise
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
