"""`mdf serve`: one process or several that answer over HTTP, and say so when they really do."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from api.commands.output import fail, progress, results
from api.commands.ownership import DataFolderInUse, owning
from api.commands.supervise import supervise
from core.memory import keep_little_freed_memory
from core.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

SHUTDOWN_SECONDS = 20.0
GOODBYE_SECONDS = 2.0
# A turn makes thousands of objects and few cycles: by itself Python would look for them ten times.
OBJECTS_UNTIL_COLLECTED = 10_000


def serve(settings: Settings, *, seed: bool, started: float, processes: int = 1) -> None:
    """Serve until interrupted; `started` is when the command began (`time.monotonic`)."""
    signal.signal(signal.SIGTERM, _end)
    if processes > 1:
        _check_shareable(settings)
    listener = _bind(settings.host, settings.port)
    address = _address(settings.host, listener.getsockname()[1])
    try:
        if seed:
            _make_sample_shop(settings)
        with listener, owning(settings.data_dir, address):
            if processes > 1:
                supervise(listener, processes, lambda: _ready(settings, address, started))
            else:
                run(settings, listener, lambda: _ready(settings, address, started))
    except KeyboardInterrupt:
        progress.print("stopped")
    except DataFolderInUse as error:
        raise fail(
            f"{settings.data_dir} is in use by the server at {error.address}. "
            "Stop it, or set another DATA_DIR and PORT."
        ) from error


def _end(signal_number: int, _frame: FrameType | None) -> None:
    """End before there is a server, with the process that fills the database: a container's first
    process is deaf to what it does not handle."""
    import psutil

    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            child.kill()
    sys.exit(128 + signal_number)


def _make_sample_shop(settings: Settings) -> None:
    """Fill an empty database in a process of its own: what that takes is given back in the end."""
    from api.commands.seed import lacks_sample_shop

    if not asyncio.run(lacks_sample_shop(settings)):
        return
    progress.print("first start: making the sample shop, learning phrases, indexing articles")
    made = subprocess.run(
        [sys.executable, "-m", "api.cli", "seed", "--index"], stdout=subprocess.DEVNULL, check=False
    )
    if made.returncode:
        raise fail("the sample shop was not made; the lines above say why, and so may: mdf doctor")


def _check_shareable(settings: Settings) -> None:
    """Several processes need a database, a cache and vectors that can be shared."""
    needed = (
        ("DATABASE_URL", settings.database, "postgresql+asyncpg://"),
        ("CACHE_URL", settings.cache_url, "redis"),
        ("VECTORS", settings.vector_store, "chroma+http"),
    )
    missing = [
        f"{name}={prefix}…" for name, value, prefix in needed if not value.startswith(prefix)
    ]
    if missing:
        raise fail(f"several processes share everything they keep; set {', '.join(missing)}")


def run(settings: Settings, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve in this process until it is told to end."""
    keep_little_freed_memory()
    # Start-up makes objects that live on; collecting among them would only cost time.
    gc.disable()
    _load_weights_meanwhile(settings)
    from api.app import create_app
    from api.server import PoliteServer, server_config

    app = create_app(settings)

    def ready() -> None:
        # What start-up made is kept out of every later collection.
        gc.freeze()
        gc.enable()
        gc.set_threshold(OBJECTS_UNTIL_COLLECTED, 10, 10)
        on_ready()

    server = PoliteServer(server_config(app), ready, lambda: _let_go(app))
    # From here on the server answers the signal itself, and raises it again when it has ended.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server.run(sockets=[listener])
    if not server.started:
        raise fail("the server did not start; the lines above say why, and so may: mdf doctor")


async def _let_go(app: FastAPI) -> None:
    """Finish the turns in progress, and send those who listen to another process."""
    from channels.live import OpenListeners
    from channels.turns import LiveTurns
    from core.runtime import Runtime

    runtime: Runtime = app.state.runtime
    listeners = runtime.part(OpenListeners)
    listeners.go_away()
    await runtime.part(LiveTurns).finish(SHUTDOWN_SECONDS)
    await listeners.wait_until_gone(GOODBYE_SECONDS)


def _load_weights_meanwhile(settings: Settings) -> None:
    """Read the encoder's weights beside the imports: unpacking them needs no interpreter."""
    from core.providers.embeddings import open_encoder

    encoder = open_encoder(settings.embeddings, settings.model_folder)
    threading.Thread(target=encoder.encode, args=([" "],), daemon=True).start()


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before any slow work, so that a busy one is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise fail(
            f"cannot listen on {host} port {port}: {error.strerror}. Choose another: PORT=8001"
        ) from error
    return listener


def _address(host: str, port: int) -> str:
    """The address to type on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{shown}:{port}"


def _ready(settings: Settings, address: str, started: float) -> None:
    """Say where to go."""
    seconds = time.monotonic() - started
    results.print(f"\nReady on [bold]{address}[/bold] after {seconds:.1f} s\n")
    if settings.environment == "development":
        results.print(_development_notes(address))


def _development_notes(address: str) -> str:
    return f"""Demo accounts, password [bold]password123[/bold]
  customer@example.com   a customer, CUST123
  agent@example.com      answers customers and works on tickets
  admin@example.com      manages the shop's knowledge

Try next, in a second terminal
  .venv/bin/mdf chat --debug
  curl -s {address}/api/chat -H 'Content-Type: application/json' \\
    -d '{{"message": "Quels sont vos délais de livraison ?"}}'
  open {address}/docs

Ctrl-C stops the server."""
