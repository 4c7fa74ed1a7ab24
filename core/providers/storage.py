"""Where files are kept: a folder, or Cloudinary."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from core.errors import ServiceUnavailable
from core.providers.breaker import CircuitBreaker

CLOUDINARY_SCHEME = "cloudinary://"
COPY_BYTES = 256 * 1024
NO_SPACE_LEFT = "There is no space left to keep files; try again later."
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PARTIAL_SUFFIX = ".partial"


class Storage(Protocol):
    """Bytes by key; keys are made by us, never taken from a file name.

    Where the place cannot take or give a file for now, every method raises ServiceUnavailable, and
    a file that was being written is either whole or not there.
    """

    async def write(self, key: str, content: bytes) -> None: ...

    async def write_file(self, key: str, source: Path) -> None:
        """Keep a copy of a file; it is never read whole into memory."""

    async def read(self, key: str) -> bytes:
        """Return the bytes; raises FileNotFoundError."""

    async def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""

    def locate(self, key: str, expires_at: datetime) -> Path | str:
        """Where a file can be read: a path of this machine, or an address until `expires_at`."""


class FolderStorage:
    """Files below one folder; a file is written beside and renamed, so none is ever torn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        path = (self.folder / key).resolve()
        if not path.is_relative_to(self.folder) or path == self.folder:
            raise ValueError("a storage key may not leave its folder")
        return path

    async def write(self, key: str, content: bytes) -> None:
        def put(target: BinaryIO) -> None:
            target.write(content)

        await asyncio.to_thread(_write_whole, self._path(key), put)

    async def write_file(self, key: str, source: Path) -> None:
        def put(target: BinaryIO) -> None:
            with source.open("rb") as opened:
                shutil.copyfileobj(opened, target, COPY_BYTES)

        await asyncio.to_thread(_write_whole, self._path(key), put)

    async def read(self, key: str) -> bytes:
        return await asyncio.to_thread(self._path(key).read_bytes)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def locate(self, key: str, expires_at: datetime) -> Path | str:
        return self._path(key)


class _Put(Protocol):
    def __call__(self, target: BinaryIO) -> None: ...


def _write_whole(path: Path, put: _Put) -> None:
    """Write beside, force to the disk, rename, and force the new name to the disk as well."""
    with _saying_no_space():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{uuid4().hex}{PARTIAL_SUFFIX}")
        try:
            with partial.open("xb") as target:
                put(target)
                target.flush()
                os.fsync(target.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        _force_names(path.parent)


def _force_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _saying_no_space() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise ServiceUnavailable(NO_SPACE_LEFT) from error


def open_storage(setting: str, breaker: CircuitBreaker | None = None) -> Storage:
    """Open what `STORAGE` names: `file:<folder>` or `cloudinary://<key>:<secret>@<cloud>`.

    `breaker` is what stands before a place that is not of this machine.
    """
    if setting.startswith(CLOUDINARY_SCHEME):
        from core.providers.storage_cloudinary import open_cloudinary

        if importlib.util.find_spec("cloudinary") is None:
            raise ValueError("STORAGE: Cloudinary needs a package: scripts/install cloudinary")
        return open_cloudinary(setting, breaker or CircuitBreaker("cloudinary"))
    match setting.partition(":"):
        case ("file", _, folder) if folder:
            return FolderStorage(Path(folder))
        case _:
            kind = setting.partition(":")[0]
            raise ValueError(
                f"STORAGE: unknown kind {kind!r}; use file:<folder> or "
                "cloudinary://<key>:<secret>@<cloud>"
            )


def storage_name(setting: str) -> str:
    """What `STORAGE` names, without the secret that it may hold."""
    if setting.startswith(CLOUDINARY_SCHEME):
        return f"{CLOUDINARY_SCHEME}…@{setting.partition('?')[0].rpartition('@')[2]}"
    return setting
