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
# In a large index, words that more than this share of the passages hold tell little apart and cost
# most: they are counted only where a question has no other.
COMMON_SHARE = 0.03
LARGE_INDEX_PASSAGES = 20_000

# What is remembered of single terms: so many, each of so many passages at most.
KEPT_ANSWERS = 2_000
KEPT_ANSWER_PASSAGES = 1_000

# Slots of passages, and what each of them earns.
Gains = tuple[NDArray[np.int32], NDArray[np.float32]]


@dataclass
class _Postings:
    """Where one kind of term occurs: passage slots and counts."""

    slots: dict[str, array[int]] = field(default_factory=dict)
    counts: dict[str, array[int]] = field(default_factory=dict)
    lengths: array[float] = field(default_factory=lambda: array("f"))
    total_length: float = 0.0
    # What `gains` has answered since the last passage was added.
    _answered: dict[tuple[str, tuple[str, ...]], Gains] = field(default_factory=dict)

    def add(self, slot: int, terms: Mapping[str, int]) -> None:
        self._answered.clear()
        length = float(sum(terms.values()))
        self.lengths.append(length)
        self.total_length += length
        for term, count in terms.items():
            if term not in self.slots:
                self.slots[term] = array("i")
                self.counts[term] = array("H")
            self.slots[term].append(slot)
            self.counts[term].append(min(count, 65_535))

    def rarity(self, term: str) -> float:
        known = len(self.slots.get(term, ()))
        return math.log(1.0 + (len(self.lengths) - known + 0.5) / (known + 0.5))

    def gains(self, term: str, words: tuple[str, ...]) -> Gains:
        """The passages that say one of `words`, and how much each earns by that for `term`.

        `words` are the term itself and its synonyms, which count for less; the best one counts.
        """
        answered = self._answered.get((term, words))
        if answered is None:
            answered = self._gains(term, words)
            if len(answered[0]) <= KEPT_ANSWER_PASSAGES:
                if len(self._answered) >= KEPT_ANSWERS:
                    self._answered.clear()
                self._answered[term, words] = answered
        return answered

    def _gains(self, term: str, words: Sequence[str]) -> Gains:
        rarity = self.rarity(term)
        said = [
            self._saturated(
                word,
                rarity if word == term else SYNONYM_WEIGHT * min(rarity, self.rarity(word)),
            )
            for word in words
            if word in self.slots
        ]
        if len(said) == 1:
            return said[0]
        best = np.zeros(len(self.lengths), dtype=np.float32)
        for slots, gains in said:
            best[slots] = np.maximum(best[slots], gains)
        together = np.flatnonzero(best)
        return together.astype(np.int32), best[together]

    def _saturated(self, word: str, weight: float) -> Gains:
        """The passages that say a word, and how much, up to `SATURATION` + 1 times its weight."""
        # A copy: the array could not grow while a view of it is kept.
        slots = np.array(self.slots[word], dtype=np.int32)
        counts = np.frombuffer(self.counts[word], dtype=np.uint16).astype(np.float32)
        lengths = np.frombuffer(self.lengths, dtype=np.float32)[slots]
        mean = max(self.total_length / len(self.lengths), 1.0)
        bounds = lengths * np.float32(SATURATION * LENGTH_WEIGHT / mean)
        bounds += np.float32(SATURATION * (1.0 - LENGTH_WEIGHT))
        gains = counts * np.float32(weight * (SATURATION + 1.0)) / (counts + bounds)
        return slots, gains.astype(np.float32, copy=False)


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
        # Known words by first letter and length; a dict keeps them in order, each once.
        self._words: dict[tuple[str, int], dict[str, None]] = {}
        self._passages: list[LexicalPassage | None] = []
        self._slots: dict[UUID, list[int]] = {}
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
        for word in head + body:
            self._words.setdefault((word[0], len(word)), {})[word] = None
        starts = Counter(beginnings(body))
        for start in beginnings(head):
            starts[start] += TITLE_WEIGHT
        self._stems.add(slot, terms)
        self._beginnings.add(slot, starts)
        self._passages.append(passage)
        self._slots.setdefault(passage.document_id, []).append(slot)
        self._alive.append(1)

    def remove(self, document_id: UUID) -> None:
        """Forget the passages of a document; the space is reclaimed when enough are gone."""
        for slot in self._slots.pop(document_id, ()):
            self._passages[slot] = None
            self._alive[slot] = 0
            self._dead += 1
        if self._dead > DEAD_SHARE * len(self._passages):
            kept = [passage for passage in self._passages if passage is not None]
            self._clear()
            self.add(kept)

    def uses(self, word: str) -> bool:
        """Whether a passage or title has had a folded word."""
        return bool(word) and word in self._words.get((word[0], len(word)), ())

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
        scores /= np.float32(1.0 + BEGINNING_WEIGHT)
        if self._dead:
            scores *= np.frombuffer(self._alive, dtype=np.uint8)
        best = _best(scores, limit)
        return {
            passage.id: score
            for slot, score in zip(best.tolist(), scores[best].tolist(), strict=True)
            if (passage := self._passages[slot]) is not None
        }

    def _corrected(self, words: list[str]) -> list[str]:
        """Replace words that no passage knows by the known word one slip away from each."""
        unknown = [
            word
            for word, stem in zip(words, stems(words, self.language), strict=True)
            if len(word) >= MINIMUM_CORRECTED_LETTERS and stem not in self._stems.slots
        ]
        corrections: dict[str, str] = {}
        for word in unknown[:MAXIMUM_CORRECTIONS]:
            found = process.extractOne(word, self._alike(word), scorer=OSA.distance, score_cutoff=1)
            if found is not None:
                corrections[word] = found[0]
        return [corrections.get(word, word) for word in words]

    def _alike(self, word: str) -> list[str]:
        """Known words of about a word's length that begin as it does, or as it goes on.

        The second letter counts because an apostrophe is often left out: `letage`.
        """
        return [
            known
            for letter in dict.fromkeys(word[:2])
            for length in range(len(word) - 1, len(word) + 2)
            for known in self._words.get((letter, length), ())
        ]

    def _coverage(
        self, postings: _Postings, terms: Mapping[str, Sequence[str]]
    ) -> NDArray[np.float32]:
        """BM25 of every passage over the most that the terms could give.

        A passage that lacks a term may have one of its synonyms, which counts for less. Only the
        passages that hold a term are touched, so that the cost follows how common the words are.
        """
        scores = np.zeros(len(self._passages), dtype=np.float32)
        possible = 0.0
        common = self._common(postings, terms)
        for term, alike in terms.items():
            possible += postings.rarity(term) * (SATURATION + 1.0)
            words = (term, *alike)
            if common:
                words = tuple(word for word in words if word not in common)
            slots, gains = postings.gains(term, words)
            scores[slots] += gains
        return scores / np.float32(possible) if possible else scores

    def _common(self, postings: _Postings, terms: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """The words that are left out: see `COMMON_SHARE`."""
        if len(self._passages) < LARGE_INDEX_PASSAGES:
            return frozenset()
        most = COMMON_SHARE * len(self._passages)
        words = {word for term, alike in terms.items() for word in (term, *alike)}
        common = {word for word in words if len(postings.slots.get(word, ())) > most}
        known = {term for term in terms if term in postings.slots}
        return frozenset() if known <= common else frozenset(common)


def _best(scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """The slots of the highest scores above nothing, best first; the earlier of equal ones."""
    found = np.flatnonzero(scores)
    if len(found) > limit:
        least = np.partition(scores[found], -limit)[-limit]
        found = found[scores[found] >= least]
    return found[np.argsort(-scores[found], kind="stable")[:limit]]
