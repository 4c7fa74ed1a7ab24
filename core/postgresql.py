"""PostgreSQL that is down says so at once, and always in the same words."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError

# A server that is there answers within milliseconds; 503 must not be later than two seconds.
CONNECT_TIMEOUT_SECONDS = 1.5
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


def is_lost(error: DBAPIError) -> bool:
    """Whether an error of a statement means that the server has gone away."""
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
    return error.connection_invalidated or str(state).startswith(_LOST)
