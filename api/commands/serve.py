"""`mdf serve`: one process that answers over HTTP, and says so when it really does."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import uvicorn

from api.commands.output import fail, progress, results
from api.commands.ownership import DataFolderInUse, owning
from core.settings import Settings

BACKLOG = 2048
SHUTDOWN_SECONDS = 10


def serve(settings: Settings, *, seed: bool, started: float) -> None:
    """Serve until interrupted; `started` is when the command began (`time.monotonic`)."""
    listener = _bind(settings.host, settings.port)
    address = _address(settings.host, listener.getsockname()[1])
    try:
        if seed:
            _make_sample_shop(settings)
        with listener, owning(settings.data_dir, address):
            _run(settings, listener, address, started)
    except KeyboardInterrupt:
        progress.print("stopped")
    except DataFolderInUse as error:
        raise fail(
            f"{settings.data_dir} is in use by the server at {error.address}. "
            "Stop it, or set another DATA_DIR and PORT."
        ) from error


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


def _run(settings: Settings, listener: socket.socket, address: str, started: float) -> None:
    # Start-up makes objects that live on; collecting among them would only cost time.
    gc.disable()
    _load_weights_meanwhile(settings)
    from api.app import create_app
    from api.server import PatientProtocol

    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        access_log=False,
        lifespan="on",
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        http=PatientProtocol,
        server_header=False,
        proxy_headers=False,
    )
    server = _Server(config, lambda: _ready(settings, address, started))
    server.run(sockets=[listener])
    if not server.started:
        raise fail("the server did not start; the lines above say why, and so may: mdf doctor")


def _load_weights_meanwhile(settings: Settings) -> None:
    """Read the encoder's weights beside the imports: unpacking them needs no interpreter."""
    from core.providers.embeddings import open_encoder

    encoder = open_encoder(settings.embeddings)
    threading.Thread(target=encoder.encode, args=([" "],), daemon=True).start()


class _Server(uvicorn.Server):
    """Calls back once it accepts requests."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


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
    """Keep what start-up made out of every later collection, and say where to go."""
    gc.freeze()
    gc.enable()
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
