"""Which words and letter groups does a text hold? The sparse half of what an intent is read from.

Words, pairs of neighbouring words and groups of three to five letters, each known by a 32-bit
checksum: a vocabulary is then one sorted array, stored and searched without strings.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_CHARACTERS = 2_000
GROUP_SIZES = (3, 4, 5)
# What is remembered of single words: so many, each of so many letters at most.
KEPT_WORDS = 4_096
KEPT_WORD_LETTERS = 30

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The n-grams met in training: sorted checksums, and how telling each one is."""

    checksums: NDArray[np.uint32]
    weights: NDArray[np.float32]
    # The rows of words that were met: most return in message after message.
    _known_words: dict[str, NDArray[np.intp]] = field(default_factory=dict, init=False)

    def vector(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the known n-grams of a text: their rows, and values of Euclidean length 1."""
        tokens = _tokens(text)
        every = [self._rows_of_word(token) for token in tokens]
        every.append(self._rows(_checksums(_pairs(tokens))))
        rows, counts = np.unique(np.concatenate(every), return_counts=True)
        values = (1.0 + np.log(counts)) * self.weights[rows]
        length = float(np.linalg.norm(values))
        return rows, (values / length if length else values).astype(np.float32)

    def _rows_of_word(self, token: str) -> NDArray[np.intp]:
        rows = self._known_words.get(token)
        if rows is None:
            rows = self._rows(_checksums(_parts(token)))
            if len(token) <= KEPT_WORD_LETTERS:
                if len(self._known_words) >= KEPT_WORDS:
                    self._known_words.clear()
                self._known_words[token] = rows
        return rows

    def _rows(self, found: NDArray[np.uint32]) -> NDArray[np.intp]:
        """The rows of those checksums that are known."""
        if not len(self.checksums):
            return np.zeros(0, dtype=np.intp)
        rows = np.searchsorted(self.checksums, found)
        rows = np.minimum(rows, len(self.checksums) - 1)
        known: NDArray[np.intp] = rows[self.checksums[rows] == found]
        return known


def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Collect the n-grams of texts; a rare one weighs more (inverse document frequency)."""
    every = [np.unique(_checksums(_ngrams(text))) for text in texts]
    joined = np.concatenate(every) if every else np.zeros(0, dtype=np.uint32)
    checksums, documents = np.unique(joined, return_counts=True)
    weights = np.log((1.0 + len(texts)) / (1.0 + documents)) + 1.0
    return Vocabulary(checksums, weights.astype(np.float32))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text[:MAX_CHARACTERS].lower())


def _ngrams(text: str) -> list[str]:
    tokens = _tokens(text)
    return [*_pairs(tokens), *(part for token in tokens for part in _parts(token))]


def _pairs(tokens: Sequence[str]) -> list[str]:
    return [f"b{first} {second}" for first, second in pairwise(tokens)]


def _parts(token: str) -> list[str]:
    """A word, and its groups of letters."""
    padded = f" {token} "
    groups = [
        padded[start : start + size]
        for size in GROUP_SIZES
        for start in range(len(padded) - size + 1)
    ]
    return ["w" + token, *groups]


def _checksums(grams: Iterable[str]) -> NDArray[np.uint32]:
    found = [zlib.crc32(gram.encode("utf-8", "replace")) for gram in grams]
    return np.array(found, dtype=np.uint32)
