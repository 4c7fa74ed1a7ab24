"""A small collection's vectors in memory: comparing all of them beats asking an index.

A thousand passages take 2 MB and a tenth of a millisecond; what Chroma adds to each question is
ten times that. Above `MOST_VECTORS` its index is the cheaper way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

MOST_VECTORS = 4_000
FIRST_ROWS = 256


class ResidentVectors:
    """Unit vectors by id, compared one and all; rows are kept without gaps."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._rows: Vectors = np.zeros((0, 0), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> set[str]:
        return set(self._ids)

    def put(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add rows (n, dimensions), or replace those of known ids."""
        for id, vector in zip(ids, vectors, strict=True):
            place = self._places.get(id)
            if place is None:
                place = self._places[id] = len(self._ids)
                self._ids.append(id)
                self._make_room(len(vector))
            self._rows[place] = vector

    def _make_room(self, dimensions: int) -> None:
        if len(self._ids) <= len(self._rows):
            return
        rows = np.zeros((max(FIRST_ROWS, 2 * len(self._rows)), dimensions), dtype=np.float32)
        if len(self._rows):
            rows[: len(self._rows)] = self._rows
        self._rows = rows

    def remove(self, ids: Sequence[str]) -> None:
        """Forget rows; the last one takes each place."""
        for id in ids:
            place = self._places.pop(id, None)
            if place is None:
                continue
            last = self._ids.pop()
            if last != id:
                self._ids[place] = last
                self._places[last] = place
                self._rows[place] = self._rows[len(self._ids)]

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest `limit` ids with their cosine similarity, best first."""
        count = len(self._ids)
        if not count or limit < 1:
            return []
        similarities = self._rows[:count] @ vector.astype(np.float32)
        best = np.arange(count)
        if limit < count:
            best = np.argpartition(similarities, count - limit)[count - limit :]
        order = best[np.argsort(-similarities[best], kind="stable")]
        return [(self._ids[place], float(similarities[place])) for place in order]
