"""How are an encoder's raw vectors made comparable? They are centred on their corpus.

Sentence encoders give every text of one shop nearly the same direction. Subtracting the corpus
mean, and the few directions in which its texts differ most (style and form more than subject),
leaves what tells the texts apart (Mu and Viswanath 2018, "All-but-the-top"). A question is centred
half on the corpus and half on everyday questions: it is written in another manner than what
answers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

REMOVED_DIRECTIONS = 2
VECTORS_FOR_DIRECTIONS = 200
VECTORS_FOR_OWN_MEAN = 400


@dataclass(frozen=True)
class Space:
    """What is subtracted from a raw vector: a mean (n) and orthonormal directions (k, n).

    `questions` (n) is the mean that is subtracted from a question.
    """

    mean: Vectors
    questions: Vectors
    directions: Vectors

    def project(self, vectors: Vectors) -> Vectors:
        """Raw rows (m, n) as centred unit rows (m, n)."""
        return self._without(vectors - self.mean)

    def project_questions(self, vectors: Vectors) -> Vectors:
        """The same of questions."""
        return self._without(vectors - self.questions)

    def _without(self, centred: Vectors) -> Vectors:
        centred -= (centred @ self.directions.T) @ self.directions
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        projected: Vectors = (centred / np.maximum(norms, 1e-6)).astype(np.float32)
        return projected

    def to_bytes(self) -> bytes:
        rows = np.vstack([self.mean[None, :], self.questions[None, :], self.directions])
        return rows.astype("<f4").tobytes()


def space_from_bytes(data: bytes, dimensions: int) -> Space:
    """Read what `Space.to_bytes` wrote; raise ValueError when the sizes do not fit."""
    rows = np.frombuffer(data, dtype="<f4").reshape(-1, dimensions).astype(np.float32)
    if len(rows) < 2:
        raise ValueError("a space has two means")
    return Space(rows[0], rows[1], rows[2:])


def fit_space(
    vectors: Vectors,
    ordinary: Vectors,
    asked: Vectors | None = None,
    removed_directions: int = REMOVED_DIRECTIONS,
) -> Space:
    """Find the space of a corpus from its raw vectors (m, n).

    A small corpus is centred on itself together with `ordinary`, the vectors of everyday
    questions: the mean of three texts would take away what they are about. `asked` are the same
    where an encoder reads questions in another way than passages.
    """
    if len(vectors) < VECTORS_FOR_OWN_MEAN:
        vectors = np.vstack([vectors, ordinary]).astype(np.float32)
    mean: Vectors = vectors.mean(axis=0).astype(np.float32)
    directions: Vectors = np.zeros((0, vectors.shape[1]), dtype=np.float32)
    if len(vectors) >= VECTORS_FOR_DIRECTIONS:
        centred = (vectors - mean).astype(np.float64)
        _, found = np.linalg.eigh(centred.T @ centred)
        directions = np.ascontiguousarray(found[:, -removed_directions:].T).astype(np.float32)
    everyday = (ordinary if asked is None else asked).mean(axis=0)
    return Space(mean, ((mean + everyday) / 2).astype(np.float32), directions)


@cache
def ordinary_questions() -> tuple[str, ...]:
    """Everyday questions to a shop, in its languages, that belong to no corpus."""
    path = Path(__file__).parent / "ordinary_questions.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
