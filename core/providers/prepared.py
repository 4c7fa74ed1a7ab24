"""What weights are turned into before they can be used, made once and kept between starts.

Unpacking the weights and words of an encoder takes seconds, mapping the outcome milliseconds. It
is a cache and nothing more: where it cannot be written, it is made anew at each start.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.telemetry import logger

Arrays = Mapping[str, NDArray[Any]]
Opened = TypeVar("Opened")

# A smaller file is known by its bytes, a larger one by its size and its time.
READ_BYTES = 1024 * 1024
# A smaller array is read, a larger one mapped: processes on one machine then share it.
MAPPED_BYTES = 64 * 1024


def open_prepared(
    folder: Path | None,
    name: str,
    sources: Sequence[Path],
    fill: Callable[[Path], None],
    open_from: Callable[[Path], Opened],
) -> Opened:
    """What `open_from` makes of the files that `fill` writes; they may go when it returns.

    They are kept in `folder` until one of `sources` (weights, and the code that turns them)
    changes, and made anew where they are damaged; without a `folder`, or where that cannot be
    written, they last until `open_from` returns. Processes that make them at once do not disturb
    one another.
    """
    if folder is not None:
        kept = folder / f"{name}-{_digest(sources)}"
        for _ in range(2):
            if not kept.is_dir() and not _make(kept, name, fill):
                break
            try:
                return open_from(kept)
            except Exception as error:
                # A machine that lost its power may have kept a name and lost what was in it.
                logger("core.prepared").warning("prepared_damaged", reason=type(error).__name__)
                shutil.rmtree(kept, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        fill(Path(temporary))
        return open_from(Path(temporary))


def _make(kept: Path, name: str, fill: Callable[[Path], None]) -> bool:
    """Fill a folder beside, then give it its name: it is there whole or not at all."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        _remove_others(kept, name)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=f".{name}-") as beside:
            made = Path(beside, "made")
            made.mkdir()
            fill(made)
            made.rename(kept)
    except OSError as error:
        if not kept.is_dir():
            logger("core.prepared").warning("prepared_not_kept", reason=type(error).__name__)
    return kept.is_dir()


def _remove_others(kept: Path, name: str) -> None:
    for other in kept.parent.glob(f"{name}-*"):
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)


def _digest(sources: Sequence[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for source in sources:
        found = source.stat()
        small = found.st_size <= READ_BYTES
        digest.update(source.name.encode())
        digest.update(source.read_bytes() if small else _mark(found.st_size, found.st_mtime_ns))
    return digest.hexdigest()


def _mark(size: int, changed_ns: int) -> bytes:
    return f"{size} {changed_ns}".encode()


def write_arrays(folder: Path, arrays: Arrays) -> None:
    """Write each array under its name; the folder is made where it is missing."""
    folder.mkdir(exist_ok=True)
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)


def read_array(folder: Path, name: str, *, by_chance: bool = False) -> NDArray[Any]:
    """One array of a folder, which may go afterwards.

    Of one that is read `by_chance`, here and there, only the pages that are met are held.
    """
    path = folder / f"{name}.npy"
    if path.stat().st_size <= MAPPED_BYTES:
        return np.asarray(np.load(path))
    mapped = np.load(path, mmap_mode="r")
    if by_chance:
        mapped._mmap.madvise(mmap.MADV_RANDOM)
    # As a plain array: what is computed with the mapping type pays for its bookkeeping.
    return np.asarray(mapped)


def rows_of(folder: Path, name: str) -> tuple[Path, int, tuple[int, ...]]:
    """The file of an array, the byte where its first row begins, and its shape."""
    path = folder / f"{name}.npy"
    mapped = np.load(path, mmap_mode="r")
    return path, int(mapped.offset), mapped.shape


def copy_models(source: Path, target: Path) -> None:
    """Copy a folder of models; prepared files, which never change, are linked where that can be."""

    def copy(path: str, to: str) -> None:
        if Path(path).parent == source:
            shutil.copy2(path, to)
        elif not Path(to).exists():
            _link(path, to)

    being_made = shutil.ignore_patterns(".*")
    shutil.copytree(source, target, copy_function=copy, ignore=being_made, dirs_exist_ok=True)


def _link(path: str, to: str) -> None:
    try:
        os.link(path, to)
    except OSError:
        shutil.copy2(path, to)
