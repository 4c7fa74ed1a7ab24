"""Which server process owns a data folder, and where it listens.

The embedded vector index belongs to one process, so a server holds a lock on its data folder for
as long as it lives; the lock's file says where to reach it. The system releases the lock however
the process ends.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "server.lock"


class DataFolderInUse(Exception):
    """Another server process owns the data folder; `address` is where it listens."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


@contextmanager
def owning(data_dir: Path, address: str) -> Iterator[None]:
    """Own the data folder while the block runs; raises DataFolderInUse where another does."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_FILE).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataFolderInUse(_address(data_dir)) from error
        lock.truncate(0)
        lock.write(address)
        lock.flush()
        yield


def running_server(data_dir: Path) -> str | None:
    """The address of the server that owns the data folder; None where none runs."""
    try:
        lock = (data_dir / LOCK_FILE).open(encoding="utf-8")
    except OSError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _address(data_dir)
    return None


def _address(data_dir: Path) -> str:
    return (data_dir / LOCK_FILE).read_text(encoding="utf-8").strip()
