"""`mdf doctor`: is everything that the product needs there, and what is to be done if not?"""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import typer

from api.commands.output import EXIT_FAILED, results, write_json
from api.commands.ownership import running_server
from core.database import open_database
from core.migrations import current_revision, newest_revision
from core.providers.cache import open_cache
from core.providers.embeddings import open_encoder
from core.providers.storage import open_storage, storage_name
from core.providers.vectors import open_vectors
from core.settings import DEVELOPMENT_SECRET, Settings

FREE_DISK_BYTES = 500_000_000
PROBE = "doctor-probe"


@dataclass(frozen=True)
class Finding:
    """What one check saw; `advice` says what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


class Trouble(Exception):
    """A check failed in a way that it knows the remedy of."""

    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice


Check = Callable[[Settings], Awaitable[str]]


async def check_settings(settings: Settings) -> str:
    default = settings.secret_key.get_secret_value() == DEVELOPMENT_SECRET
    return settings.environment + (", with the development secret" if default else "")


async def check_disk(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    probe = settings.data_dir / PROBE
    probe.write_bytes(b"")
    probe.unlink()
    free_bytes = shutil.disk_usage(settings.data_dir).free
    detail = f"{settings.data_dir.resolve()}, {free_bytes / 1e9:.1f} GB free"
    if free_bytes < FREE_DISK_BYTES:
        raise Trouble(detail, "Free at least 0.5 GB, or set DATA_DIR to a larger disk.")
    return detail


async def check_database(settings: Settings) -> str:
    database = open_database(settings.database)
    try:
        started = time.perf_counter()
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return f"{database.dialect} answers in {(time.perf_counter() - started) * 1000:.0f} ms"
    finally:
        await database.close()


async def check_migrations(settings: Settings) -> str:
    current, newest = await current_revision(settings.database), newest_revision()
    if current is None:
        return "an empty database; the first start makes its tables"
    if current == newest:
        return f"revision {current}"
    raise Trouble(
        f"revision {current}, the newest is {newest}",
        "Start the server: it upgrades the database. Make a copy first where the data matters.",
    )


async def check_cache(settings: Settings) -> str:
    cache = open_cache(settings.cache_url)
    try:
        if not await cache.ping():
            raise Trouble(f"{cache.kind} does not answer", "Check CACHE_URL and that server.")
        return cache.kind
    finally:
        await cache.close()


async def check_encoder(settings: Settings) -> str:
    encoder = open_encoder(settings.embeddings, settings.model_folder)
    started = time.perf_counter()
    await asyncio.to_thread(encoder.encode, ["bonjour"])
    seconds = time.perf_counter() - started
    return f"{encoder.name}, {encoder.dimensions} dimensions, loaded in {seconds:.1f} s"


async def check_vectors(settings: Settings) -> str:
    """The embedded index is opened only while no server owns it."""
    if running_server(settings.data_dir) is not None:
        return f"{settings.vector_store}, held by the running server"
    vectors = open_vectors(settings.vector_store)
    try:
        await vectors.ids(PROBE)
        await vectors.drop(PROBE)
    finally:
        await vectors.close()
    return settings.vector_store


async def check_storage(settings: Settings) -> str:
    storage = open_storage(settings.file_storage)
    await storage.write(PROBE, b"probe")
    await storage.delete(PROBE)
    return storage_name(settings.file_storage)


async def check_port(settings: Settings) -> str:
    address = running_server(settings.data_dir)
    if address is not None:
        return f"the server runs at {address}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Trouble(
                f"{settings.host} port {settings.port}: {error.strerror}",
                "Stop what uses it, or choose another: PORT=8001.",
            ) from error
    return f"{settings.host} port {settings.port} is free"


CHECKS: dict[str, tuple[Check, str]] = {
    "settings": (check_settings, "See docs/configuration.md."),
    "data folder": (check_disk, "Set DATA_DIR to a folder that this user may write."),
    "database": (check_database, "Check DATABASE_URL and that the database runs."),
    "migrations": (check_migrations, "Check DATABASE_URL and that the database runs."),
    "cache": (check_cache, "Check CACHE_URL."),
    "encoder": (check_encoder, "Install again: remove .venv, then run scripts/start."),
    "vectors": (check_vectors, "They are derived: stop the server and remove the folder."),
    "storage": (check_storage, "Check STORAGE and the folder's owner."),
    "port": (check_port, "Choose another: PORT=8001."),
}


async def findings(settings: Settings) -> list[Finding]:
    """Every check's finding, in order; no check stops the others."""
    found = []
    for name, (check, advice) in CHECKS.items():
        try:
            found.append(Finding(name, True, await check(settings)))
        except Trouble as trouble:
            found.append(Finding(name, False, trouble.detail, trouble.advice))
        except Exception as error:
            detail = (str(error).splitlines() or [type(error).__name__])[0]
            found.append(Finding(name, False, detail, advice))
    return found


def doctor(settings: Settings, *, as_json: bool) -> None:
    """Write the findings; exit code 1 when one of them is not ok."""
    found = asyncio.run(findings(settings))
    if as_json:
        write_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            word = "[green]ok    [/green]" if finding.ok else "[red]failed[/red]"
            results.print(f"{word} {finding.name:<12} {finding.detail}")
            if finding.advice:
                results.print(f"       {'':<12} → {finding.advice}")
    if not all(finding.ok for finding in found):
        raise typer.Exit(EXIT_FAILED)
