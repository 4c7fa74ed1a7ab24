"""Which questions mean the same? Groups by meaning and shared words, the same for the same input.

Two questions are as near as their vectors, and nearer for words that they share, the more so the
rarer these are; groups are joined while their members are near on average (average linkage).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.space import Vectors, fit_space
from knowledge.words import BEGINNING_LETTERS, fold, plain_words

# Chosen on two dozen questions in their variants: 18 of 23 pairs joined, 2 joined that should not.
WORDS_WEIGHT = 0.5
FARTHEST = 0.6
SHORTEST_WORD = 3


@dataclass(frozen=True)
class Group:
    """Positions of the questions that mean the same; `middle` is nearest to all others."""

    members: tuple[int, ...]
    middle: int


def group_questions(
    texts: Sequence[str],
    languages: Sequence[str],
    encode: Callable[[Sequence[str]], Vectors],
    ordinary: Sequence[str],
) -> list[Group]:
    """Group questions, the largest group first and then the one that begins first.

    `encode` makes raw vectors; `ordinary` are everyday questions, with which a few questions are
    centred. Equal questions count once: what is asked often would otherwise seem to be what all
    have in common. Takes n² memory of different questions: 2,000 cost about 100 MB for a second.
    """
    copies: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        copies.setdefault(fold(" ".join(text.split())), []).append(position)
    firsts = [own[0] for own in copies.values()]
    groups = [
        _group(own, list(copies.values()))
        for own in _joined(
            [texts[i] for i in firsts], [languages[i] for i in firsts], encode, ordinary
        )
    ]
    return sorted(groups, key=lambda one: (-len(one.members), one.members[0]))


def _group(places: Sequence[int], copies: Sequence[Sequence[int]]) -> Group:
    """A group of questions from the places of its different ones, the middle one first."""
    members = sorted(position for place in places for position in copies[place])
    return Group(tuple(members), copies[places[0]][0])


def _joined(
    texts: Sequence[str],
    languages: Sequence[str],
    encode: Callable[[Sequence[str]], Vectors],
    ordinary: Sequence[str],
) -> list[list[int]]:
    """Places of the different questions that belong together, the middle one of each first."""
    if len(texts) < 2:
        return [[place] for place in range(len(texts))]
    vectors = encode(texts)
    rows = fit_space(vectors, encode(ordinary)).project(vectors)
    near = rows @ rows.T + WORDS_WEIGHT * _shared_words(texts, languages)
    found: dict[int, list[int]] = {}
    for place, label in enumerate(_labels(np.maximum(0.0, 1.0 - near)).tolist()):
        found.setdefault(label, []).append(place)
    return [_middle_first(own, near) for own in found.values()]


def _labels(distances: NDArray[np.float32]) -> NDArray[np.int32]:
    # SciPy takes a tenth of a second to import: only whoever groups questions pays it.
    from scipy.cluster.hierarchy import (  # type: ignore[import-untyped]
        fcluster,
        linkage,
    )

    upper = distances[np.triu_indices(len(distances), k=1)].astype(np.float64)
    labels: NDArray[np.int32] = fcluster(linkage(upper, "average"), FARTHEST, "distance")
    return labels


def _middle_first(places: Sequence[int], near: NDArray[np.float32]) -> list[int]:
    sums = near[np.ix_(places, places)].sum(axis=1)
    middle = places[int(np.argmax(np.round(sums, 4)))]
    return [middle, *(place for place in places if place != middle)]


def _shared_words(texts: Sequence[str], languages: Sequence[str]) -> NDArray[np.float32]:
    """For each pair the weight of the words in common, as a share of the shorter one's, 0 to 1."""
    words = [_words(text, language) for text, language in zip(texts, languages, strict=True)]
    counts = Counter(word for one in words for word in one)
    columns = {word: place for place, word in enumerate(sorted(counts))}
    roots = np.zeros((len(texts), max(1, len(columns))), dtype=np.float32)
    for row, one in enumerate(words):
        for word in one:
            roots[row, columns[word]] = math.sqrt(math.log(1 + len(texts) / counts[word]))
    shared = roots @ roots.T
    own = np.diag(shared)
    shares: NDArray[np.float32] = (shared / np.maximum(np.minimum.outer(own, own), 1e-6)).astype(
        np.float32
    )
    return shares


def _words(text: str, language: str) -> frozenset[str]:
    found = plain_words(text, language)
    return frozenset(word[:BEGINNING_LETTERS] for word in found if len(word) >= SHORTEST_WORD)
