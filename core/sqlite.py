"""SQLite without a thread hop for every step: only what may wait leaves the event loop.

aiosqlite hands each call to a thread and is woken when it is done; a chat turn makes forty of
them, most of which take microseconds. Taking the write lock, committing and closing may wait for
another process or for the disk, and still go to the thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiosqlite

MAY_WAIT = frozenset({"close", "commit", "rollback"})


class LoopConnection(aiosqlite.Connection):
    """An aiosqlite connection whose quick calls run on the event loop."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        takes_lock = bool(args) and isinstance(args[0], str) and args[0].startswith("BEGIN I")
        if takes_lock or getattr(fn, "__name__", "") in MAY_WAIT:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def connect(*args: Any, **kwargs: Any) -> aiosqlite.Connection:
    """What `aiosqlite.connect` does, for SQLAlchemy's `async_creator_fn`.

    SQLAlchemy lets file databases be used from more than one thread, which this needs.
    """
    connection = aiosqlite.connect(*args, **kwargs)
    connection.__class__ = LoopConnection
    connection._thread.daemon = True
    return connection
