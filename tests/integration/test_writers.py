"""Do writers of one SQLite file wait for one another, in this process and in another?"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core import sqlite
from core.database import Database, open_database
from core.errors import ServiceUnavailable

pytestmark = pytest.mark.anyio

WRITERS = 100


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[tuple[Database, Path]]:
    path = tmp_path / "counter.sqlite3"
    with sqlite3.connect(path) as plain:
        plain.execute("PRAGMA journal_mode=WAL")
        plain.execute("CREATE TABLE counter (value INTEGER NOT NULL)")
        plain.execute("INSERT INTO counter VALUES (0)")
    plain.close()
    database = open_database(f"sqlite+aiosqlite:///{path}")
    yield database, path
    await database.close()


async def add_one(database: Database) -> None:
    """Read, let everyone else go on, write: lost updates show where writers overlap."""
    async with database.transaction(None) as transaction:
        value = (await transaction.connection.execute(text("SELECT value FROM counter"))).scalar()
        await asyncio.sleep(0)
        await transaction.connection.execute(
            text("UPDATE counter SET value = :value"), {"value": (value or 0) + 1}
        )


async def current(database: Database) -> int:
    async with database.reading(None) as transaction:
        found = await transaction.connection.execute(text("SELECT value FROM counter"))
        return int(found.scalar_one())


async def test_that_no_writer_overlaps_another(counted: tuple[Database, Path]) -> None:
    database, _ = counted
    await asyncio.gather(*(add_one(database) for _ in range(WRITERS)))
    assert await current(database) == WRITERS


async def test_that_a_writer_waits_for_another_process(counted: tuple[Database, Path]) -> None:
    database, path = counted
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(add_one(database))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    assert await current(database) == 0, "who only reads waits for nobody"
    other.execute("COMMIT")
    other.close()
    await waiting
    assert await current(database) == 1


async def test_that_a_lock_never_given_back_is_said(
    counted: tuple[Database, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, path = counted
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT_SECONDS", 0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ServiceUnavailable):
        await add_one(database)
    other.execute("ROLLBACK")
    other.close()
    await add_one(database)
    assert await current(database) == 1


async def test_that_a_failed_transaction_leaves_nothing_and_lets_go(
    counted: tuple[Database, Path],
) -> None:
    database, _ = counted
    with pytest.raises(RuntimeError, match="half-way"):  # noqa: PT012  the block is the matter
        async with database.transaction(None) as transaction:
            await transaction.connection.execute(text("UPDATE counter SET value = 9"))
            raise RuntimeError("half-way")
    assert await current(database) == 0
    await add_one(database)
    assert await current(database) == 1
