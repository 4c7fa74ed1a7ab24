"""Where files are kept: a folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol


class Storage(Protocol):
    """Bytes by key; keys are made by us, never taken from a file name."""

    async def write(self, key: str, content: bytes) -> None: ...

    async def read(self, key: str) -> bytes:
        """Return the bytes; raises FileNotFoundError."""

    async def delete(self, key: str) -> None: ...


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
        await asyncio.to_thread(self._write, self._path(key), content)

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(content)
        partial.replace(path)

    async def read(self, key: str) -> bytes:
        return await asyncio.to_thread(self._path(key).read_bytes)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)


def open_storage(setting: str) -> Storage:
    """Open what `STORAGE` names; `file:<folder>`."""
    match setting.partition(":"):
        case ("file", _, folder) if folder:
            return FolderStorage(Path(folder))
        case _:
            raise ValueError(f"STORAGE: unknown value {setting!r}; use file:<folder>")
