"""A large dictionary of strings in a tenth of the memory: only the hashes of its keys are kept."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 8


class HashedNumbers:
    """Numbers by string, read as from a dictionary that never changes.

    Two of 300,000 strings share a hash of 64 bits once in 400 million dictionaries; a lookup takes
    a microsecond.
    """

    def __init__(self, hashes: NDArray[np.int64], numbers: NDArray[np.int32]) -> None:
        # Arrays of Python's own: their items cost less to read one by one.
        self._hashes = array("q", hashes.tobytes())
        self._numbers = array("i", numbers.tobytes())

    @staticmethod
    def arrays(numbers: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The hashes of a dictionary's strings in order, and their numbers: what one is made of."""
        hashes = np.fromiter(map(_hash, numbers), dtype=np.int64, count=len(numbers))
        values = np.fromiter(numbers.values(), dtype=np.int32, count=len(numbers))
        order = np.argsort(hashes, kind="stable")
        return hashes[order], values[order]

    def get(self, text: str) -> int | None:
        wanted = _hash(text)
        place = bisect_left(self._hashes, wanted)
        if place < len(self._hashes) and self._hashes[place] == wanted:
            return self._numbers[place]
        return None


def _hash(text: str) -> int:
    """The same in every process, unlike Python's own."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=HASH_BYTES).digest(), "little", signed=True)
