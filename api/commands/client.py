"""One HTTP client for commands: to a running server, or to the product opened in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api.commands.output import fail
from api.commands.ownership import owning, running_server
from core.settings import Settings

TIMEOUT_SECONDS = 30.0


@asynccontextmanager
async def product_client(
    settings: Settings, server: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `server`, else of the server that owns the data folder, else of this process.

    Without a server this process owns the data folder for as long as the block runs.
    """
    address = server or running_server(settings.data_dir)
    if address is not None:
        async with httpx.AsyncClient(
            base_url=address, timeout=TIMEOUT_SECONDS, trust_env=False
        ) as client:
            yield client
        return
    from api.app import create_app

    app = create_app(settings)
    with owning(settings.data_dir, ""):
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
            ) as client,
        ):
            yield client


async def call(
    client: httpx.AsyncClient, method: str, path: str, **more: object
) -> dict[str, object]:
    """Send a request and return its JSON; an error answer ends the command with its message."""
    try:
        answer = await client.request(method, path, **more)  # type: ignore[arg-type]
        body: dict[str, object] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise fail(f"no answer from {client.base_url}: {error or type(error).__name__}") from error
    if answer.is_success:
        return body
    raise fail(_message(body))


def _message(body: dict[str, object]) -> str:
    """The sentence of an error, in either contract's shape."""
    error = body.get("error")
    if isinstance(error, dict):
        return str(error.get("message", error))
    return str(body.get("detail") or body.get("message") or error)
