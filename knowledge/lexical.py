"""Which passages share the question's words? A BM25 index in memory, changed a document at a time.

Each passage is indexed with its document's title and tags (titles count double). A score is the
share of the question's weight that a passage covers: 0 when no word is shared, about 1 when a
short passage holds every word; a word that no passage knows lowers it. Scores of different
questions can therefore be compared and summed with similarities.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.words import beginnings, plain_words, stems, synonyms

TITLE_WEIGHT = 2
BEGINNING_WEIGHT = 0.5
SYNONYM_WEIGHT = 0.7
SATURATION = 1.2
LENGTH_WEIGHT = 0.75
MAXIMUM_QUESTION_WORDS = 60
MINIMUM_CORRECTED_LETTERS = 5
MAXIMUM_CORRECTIONS = 6
DEAD_SHARE = 0.3


@dataclass
class _Postings:
    """Where one kind of term occurs: passage slots and counts."""

    slots: dict[str, array[int]] = field(default_factory=dict)
    counts: dict[str, array[int]] = field(default_factory=dict)
    lengths: array[float] = field(default_factory=lambda: array("f"))

    def add(self, slot: int, terms: Mapping[str, int]) -> None:
        self.lengths.append(float(sum(terms.values())))
        for term, count in terms.items():
            if term not in self.slots:
                self.slots[term] = array("i")
                self.counts[term] = array("H")
            self.slots[term].append(slot)
            self.counts[term].append(min(count, 65_535))


@dataclass(frozen=True)
class LexicalPassage:
    """What the index needs to know of a passage; it answers with the passage's vector id."""

    id: str
    document_id: UUID
    title: str
    tags: tuple[str, ...]
    text: str


class LexicalIndex:
    """The passages of one organization in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._clear()

    def _clear(self) -> None:
        self._stems = _Postings()
        self._beginnings = _Postings()
        self._words: dict[str, None] = {}
        self._passages: list[LexicalPassage | None] = []
        self._alive = array("B")
        self._dead = 0

    def __len__(self) -> int:
        return len(self._passages) - self._dead

    def add(self, passages: Sequence[LexicalPassage]) -> None:
        """Index passages that are not in the index."""
        for passage in passages:
            self._add(passage)

    def _add(self, passage: LexicalPassage) -> None:
        head = plain_words(f"{passage.title} {' '.join(passage.tags)}", self.language)
        body = plain_words(passage.text, self.language)
        slot = len(self._passages)
        terms = Counter(stems(body, self.language))
        for stem in stems(head, self.language):
            terms[stem] += TITLE_WEIGHT
        self._words.update(dict.fromkeys(head + body))
        starts = Counter(beginnings(body))
        for start in beginnings(head):
            starts[start] += TITLE_WEIGHT
        self._stems.add(slot, terms)
        self._beginnings.add(slot, starts)
        self._passages.append(passage)
        self._alive.append(1)

    def remove(self, document_id: UUID) -> None:
        """Forget the passages of a document; the space is reclaimed when enough are gone."""
        for slot, passage in enumerate(self._passages):
            if passage is not None and passage.document_id == document_id:
                self._passages[slot] = None
                self._alive[slot] = 0
                self._dead += 1
        if self._dead > DEAD_SHARE * len(self._passages):
            kept = [passage for passage in self._passages if passage is not None]
            self._clear()
            self.add(kept)

    def search(self, question: str, limit: int) -> dict[str, float]:
        """The best passages for a question: their id and the share of its weight they cover."""
        words = plain_words(question, self.language)[:MAXIMUM_QUESTION_WORDS]
        if not words or not len(self):
            return {}
        words = self._corrected(words)
        meant = stems(words, self.language)
        alike = synonyms(self.language)
        scores = self._coverage(self._stems, {stem: alike.get(stem, ()) for stem in meant})
        starts = {start: () for start in beginnings(words)}
        scores += BEGINNING_WEIGHT * self._coverage(self._beginnings, starts)
        scores *= np.frombuffer(self._alive, dtype=np.uint8) / (1.0 + BEGINNING_WEIGHT)
        best = np.argsort(-scores, kind="stable")[:limit]
        found: dict[str, float] = {}
        for slot in best:
            passage = self._passages[slot]
            if passage is not None and scores[slot] > 0.0:
                found[passage.id] = float(scores[slot])
        return found

    def _corrected(self, words: list[str]) -> list[str]:
        """Replace words that no passage knows by the known word one slip away from each."""
        unknown = [
            word
            for word, stem in zip(words, stems(words, self.language), strict=True)
            if len(word) >= MINIMUM_CORRECTED_LETTERS and stem not in self._stems.slots
        ]
        corrections: dict[str, str] = {}
        for word in unknown[:MAXIMUM_CORRECTIONS]:
            found = process.extractOne(
                word, self._words.keys(), scorer=OSA.distance, score_cutoff=1
            )
            if found is not None:
                corrections[word] = found[0]
        return [corrections.get(word, word) for word in words]

    def _coverage(
        self, postings: _Postings, terms: Mapping[str, Sequence[str]]
    ) -> NDArray[np.float64]:
        """BM25 of every passage over the most that the terms could give.

        A passage that lacks a term may have one of its synonyms, which counts for less.
        """
        passages = len(self._passages)
        scores = np.zeros(passages)
        lengths = np.frombuffer(postings.lengths, dtype=np.float32)
        bounds = SATURATION * (
            1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * lengths / max(float(lengths.mean()), 1.0)
        )
        possible = 0.0
        for term, alike in terms.items():
            rarity = self._rarity(postings, term)
            possible += rarity * (SATURATION + 1.0)
            own = _saturated(postings, term, bounds) * rarity
            for other in alike:
                if other in postings.slots:
                    weight = SYNONYM_WEIGHT * min(rarity, self._rarity(postings, other))
                    own = np.maximum(own, weight * _saturated(postings, other, bounds))
            scores += own
        return scores / possible if possible else scores

    def _rarity(self, postings: _Postings, term: str) -> float:
        known = len(postings.slots.get(term, ()))
        return math.log(1.0 + (len(self._passages) - known + 0.5) / (known + 0.5))


def _saturated(
    postings: _Postings, term: str, bounds: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """How much each passage says a term, from 0 to `SATURATION` + 1."""
    scores = np.zeros(len(bounds))
    slots = postings.slots.get(term)
    if slots is not None:
        where = np.frombuffer(slots, dtype=np.int32)
        count = np.frombuffer(postings.counts[term], dtype=np.uint16).astype(np.float64)
        scores[where] = count * (SATURATION + 1.0) / (count + bounds[where])
    return scores
