"""Which documents come first for a question, and how surely do they answer it?

Similarity of meaning, shared words and a common subject are summed, not ranked against each other,
so that a sum means the same for every question. The weights were chosen on the tuning questions of
two corpora that have nothing in common; docs/benchmarks.md says how.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from knowledge.corpus import Corpus, KnownDocument, KnownPassage, passage_vector_id, title_vector_id
from knowledge.readings import Agreements

TITLE_WEIGHT = 0.2
PASSAGE_WEIGHT = 1.0
PASSAGE_WORDS_WEIGHT = 0.36
DOCUMENT_WORDS_WEIGHT = 0.14
SUBJECT_WEIGHT = 0.3
INTENT_WEIGHT = 0.15
OTHER_LANGUAGE_PENALTY = 0.08
CANDIDATES_BY_SUBJECT = 20
# Fitted on the tuning questions that have an answer and on those of
# tests/evaluation/out_of_knowledge.yaml, which have none.
TOTAL_SLOPE = 0.9
NEAREST_SLOPE = 10.6
AGREEMENT_SLOPE = 2.5
INTERCEPT = -4.5
# The nearest of few is farther than the nearest of many. A corpus of fewer passages than the shop
# is made up for, so that scores mean the same for a dozen documents as for hundreds.
ENOUGH_PASSAGES = 350
SIZE_SLOPE = 0.4
TOTAL_SLOPE_ALONE = 9.4
INTERCEPT_ALONE = -2.2


@dataclass(frozen=True)
class Evidence:
    """What speaks for the documents of one corpus: by vector id (`similar`, `passage_words`), by
    the vector id of the title (`document_words`), and by document."""

    language: str
    similar: Mapping[str, float] = field(default_factory=dict)
    passage_words: Mapping[str, float] = field(default_factory=dict)
    document_words: Mapping[str, float] = field(default_factory=dict)
    agreements: Agreements | None = None

    @cached_property
    def floor(self) -> float:
        """What is not among the nearest vectors is taken to be as far as the last of them."""
        return min(self.similar.values(), default=0.0)

    @property
    def nearest(self) -> float | None:
        """The similarity of the nearest title or passage; None where there are no vectors."""
        return max(self.similar.values()) if self.similar else None


@dataclass(frozen=True)
class Parts:
    """What a sum is made of: meaning, words, subject, and what another language takes away."""

    meaning: float
    words: float
    subject: float
    language: float


@dataclass(frozen=True)
class Candidate:
    """A document with its best passage and its summed score.

    `title` is how near its title is, `agreement` how far it is about what is asked.
    """

    document: KnownDocument
    passage: KnownPassage
    title: float
    total: float
    agreement: float


def ranked(corpus: Corpus, evidence: Evidence, limit: int) -> list[Candidate]:
    """The first of the documents that something speaks for, the best first."""
    similar, floor, titles = evidence.similar, evidence.floor, corpus.titles
    totals = []
    for id, (score, passage) in _best_passages(corpus, evidence).items():
        total = score + TITLE_WEIGHT * similar.get(id, floor)
        total += DOCUMENT_WORDS_WEIGHT * evidence.document_words.get(id, 0.0)
        total += _agreement(titles[id], evidence)
        if titles[id].language != evidence.language:
            total -= OTHER_LANGUAGE_PENALTY
        totals.append((-total, id, passage))
    totals.sort()
    return [
        Candidate(
            document=titles[id],
            passage=passage,
            title=similar.get(id, floor),
            total=-total,
            agreement=_agreement(titles[id], evidence),
        )
        for total, id, passage in totals[:limit]
    ]


def _agreement(document: KnownDocument, evidence: Evidence) -> float:
    return 0.0 if evidence.agreements is None else evidence.agreements.of(document.id)


def _best_passages(corpus: Corpus, evidence: Evidence) -> dict[str, tuple[float, KnownPassage]]:
    """By the vector id of a document's title: its best passage, the earlier of equal ones."""
    similar, words, floor = evidence.similar, evidence.passage_words, evidence.floor
    best: dict[str, tuple[float, KnownPassage]] = {}
    for id, passage in _passages(corpus, evidence):
        score = PASSAGE_WEIGHT * similar.get(id, floor)
        score += PASSAGE_WORDS_WEIGHT * words.get(id, 0.0)
        known = best.get(passage.title_id)
        if known is None or (score, -passage.position) > (known[0], -known[1].position):
            best[passage.title_id] = (score, passage)
    return best


def _passages(corpus: Corpus, evidence: Evidence) -> Iterable[tuple[str, KnownPassage]]:
    """The passages that something speaks for, with their ids; of a document alone, its first."""
    passages, openings = corpus.passages, corpus.openings
    found = {*evidence.similar, *evidence.passage_words}
    alone = found.union(evidence.document_words)
    if evidence.agreements is not None:
        best = evidence.agreements.best(CANDIDATES_BY_SUBJECT)
        alone.update(map(title_vector_id, best))
    return [
        *[(id, passages[id]) for id in found if id in passages],
        *[openings[id] for id in alone if id in openings],
    ]


def parts_of(candidate: Candidate, evidence: Evidence) -> Parts:
    """Why a candidate stands where it stands; the parts add up to its total."""
    id = passage_vector_id(candidate.passage.id)
    words = PASSAGE_WORDS_WEIGHT * evidence.passage_words.get(id, 0.0)
    words += DOCUMENT_WORDS_WEIGHT * evidence.document_words.get(candidate.passage.title_id, 0.0)
    foreign = candidate.document.language != evidence.language
    return Parts(
        meaning=PASSAGE_WEIGHT * evidence.similar.get(id, evidence.floor)
        + TITLE_WEIGHT * candidate.title,
        words=words,
        subject=candidate.agreement,
        language=-OTHER_LANGUAGE_PENALTY if foreign else 0.0,
    )


def calibrated(total: float, nearest: float | None, agreement: float, passages: int) -> float:
    """How often a document with this sum is the right one, by a fitted logistic curve.

    `nearest` is the similarity of the nearest title or passage of all, `agreement` how far the
    first document is about what is asked, `passages` how many the corpus has: all are the same for
    every document of a question, so that scores keep the order of the sums. `nearest` is None where
    there are no vectors.
    """
    if nearest is None:
        logit = TOTAL_SLOPE_ALONE * total + INTERCEPT_ALONE
    else:
        logit = TOTAL_SLOPE * total + NEAREST_SLOPE * nearest + AGREEMENT_SLOPE * agreement
        logit += INTERCEPT + SIZE_SLOPE * max(0.0, math.log(ENOUGH_PASSAGES / max(passages, 1)))
    return 1.0 / (1.0 + math.exp(-logit))
