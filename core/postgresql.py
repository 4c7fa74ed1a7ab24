"""PostgreSQL that is down says so at once, and always in the same words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

# A server that is there answers within milliseconds; 503 must not be later than two seconds.
CONNECT_TIMEOUT_SECONDS = 1.5
# A connection that was used a moment ago is taken to be there still: asking it first costs as much
# as a small statement.
TRUSTED_SECONDS = 1.0
# Connection exceptions, and a server that is shutting down or starting up.
_LOST = ("08", "57P")


async def connect(*arguments: Any, **named: Any) -> Any:
    """What `asyncpg.connect` does, for SQLAlchemy's `async_creator_fn`.

    Raises ConnectionError for a server that is not there, too slow, full or starting up: the
    driver has a dozen errors for them, some of which files share.
    """
    import asyncpg

    try:
        return await asyncpg.connect(*arguments, timeout=CONNECT_TIMEOUT_SECONDS, **named)
    except (
        OSError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        asyncpg.ConnectionDoesNotExistError,
    ) as error:
        raise ConnectionError(f"PostgreSQL: {type(error).__name__}") from error


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Borrow a connection of the pool; what is still open on it is rolled back in the end.

    Where nothing is open, giving it back waits for nothing: it needs no task that outlives a
    cancellation.
    """
    connection = await engine.connect()
    try:
        yield connection
    finally:
        below = connection.sync_connection
        if below is None or below.in_transaction():
            await asyncio.shield(connection.close())
        else:
            await greenlet_spawn(below.close)


def ping_after_rest(engine: AsyncEngine) -> None:
    """Ask a connection that has rested whether its server is still there, before it is used."""

    @event.listens_for(engine.sync_engine, "checkin")
    def on_checkin(connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def on_checkout(connection: Any, record: Any, proxy: Any) -> None:
        rests_since = record.info.get("rests_since")
        if rests_since is None or time.monotonic() - rests_since < TRUSTED_SECONDS:
            return
        if not engine.dialect._do_ping_w_event(connection):
            raise InvalidatePoolError


def is_lost(error: DBAPIError) -> bool:
    """Whether an error of a statement means that the server has gone away."""
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
    return error.connection_invalidated or str(state).startswith(_LOST)
