"""Bringing a database to the newest schema."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.database import open_database

if TYPE_CHECKING:
    from alembic.config import Config

# Any number that nothing else in the database locks.
MIGRATION_LOCK = 7_236_411_025
FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def newest_revision() -> str:
    """The last migration's number: files are named `<number>_<what>.py`."""
    return max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def alembic_config(database_url: str) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["database_url"] = database_url
    return config


async def current_revision(database_url: str) -> str | None:
    """The revision that a database has, None where it has none yet."""
    database = open_database(database_url)
    try:
        async with database.engine.connect() as connection:
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
            return found.scalar()
    except DBAPIError:
        return None
    finally:
        await database.close()


async def migrate(database_url: str) -> bool:
    """Upgrade to the newest revision; returns whether anything was to be done.

    A database that is up to date costs one query, and Alembic is not even loaded. Of several
    processes that start at once, one upgrades and the others wait for it.
    """
    if await current_revision(database_url) == newest_revision():
        return False

    def upgrade() -> None:
        from alembic import command

        command.upgrade(alembic_config(database_url), "head")

    async with _alone(database_url):
        if await current_revision(database_url) == newest_revision():
            return False
        await asyncio.to_thread(upgrade)
    return True


@asynccontextmanager
async def _alone(database_url: str) -> AsyncIterator[None]:
    """Hold a lock that every process on this database takes before it changes the schema."""
    database = open_database(database_url)
    try:
        if database.dialect == "postgresql":
            async with database.engine.connect() as connection:
                # Ends with the connection, however that ends.
                await connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
                yield
                await connection.execute(text(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"))
        else:
            path = Path(f"{database.engine.url.database}.migrating")
            descriptor = await asyncio.to_thread(_lock_file, path)
            try:
                yield
            finally:
                os.close(descriptor)
    finally:
        await database.close()


def _lock_file(path: Path) -> int:
    """Wait for a file's lock; it ends when the descriptor is closed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
