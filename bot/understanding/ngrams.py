"""Which words and letter groups does a text hold? The sparse half of what an intent is read from.

Words, pairs of neighbouring words and groups of three to five letters, each known by a 32-bit
checksum: a vocabulary is then one sorted array, stored and searched without strings.
"""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_CHARACTERS = 2_000
GROUP_SIZES = (3, 4, 5)

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The n-grams met in training: sorted checksums, and how telling each one is."""

    checksums: NDArray[np.uint32]
    weights: NDArray[np.float32]

    def vector(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the known n-grams of a text: their rows, and values of Euclidean length 1."""
        found, counts = count_ngrams(text)
        rows = np.searchsorted(self.checksums, found)
        rows = np.minimum(rows, max(len(self.checksums) - 1, 0))
        known = self.checksums[rows] == found if len(self.checksums) else np.zeros(0, dtype=bool)
        rows, counts = rows[known], counts[known]
        values = (1.0 + np.log(counts)) * self.weights[rows]
        length = float(np.linalg.norm(values))
        return rows, (values / length if length else values).astype(np.float32)


def count_ngrams(text: str) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Count a text's n-grams: checksums, and how often each occurs."""
    counted = Counter(map(zlib.crc32, _ngrams(text[:MAX_CHARACTERS].lower())))
    checksums = np.fromiter(counted.keys(), dtype=np.uint32, count=len(counted))
    return checksums, np.fromiter(counted.values(), dtype=np.float32, count=len(counted))


def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Collect the n-grams of texts; a rare one weighs more (inverse document frequency)."""
    every = [count_ngrams(text)[0] for text in texts]
    joined = np.concatenate(every) if every else np.zeros(0, dtype=np.uint32)
    checksums, documents = np.unique(joined, return_counts=True)
    weights = np.log((1.0 + len(texts)) / (1.0 + documents)) + 1.0
    return Vocabulary(checksums, weights.astype(np.float32))


def _ngrams(text: str) -> list[bytes]:
    tokens = _TOKEN.findall(text)
    grams = ["w" + token for token in tokens]
    grams += [f"b{first} {second}" for first, second in pairwise(tokens)]
    for token in tokens:
        padded = f" {token} "
        for size in GROUP_SIZES:
            grams += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    return [gram.encode("utf-8", "replace") for gram in grams]
