"""Which documents answer a question, how surely, and in which words?

Similarity of meaning (titles and passages, centred) and shared words are summed, not ranked
against each other, so that a sum means the same for every question; `calibrated` turns it into
the share of such questions that the first document did answer.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from core.providers.vectors import VectorStoreBroken
from knowledge.corpus import Corpus, KnownDocument, KnownPassage
from knowledge.index import Knowledge
from knowledge.quotes import Quotable, best_quote, question_terms
from knowledge.space import Space, Vectors

# At this score or above a question counts as answered by the documents; measured by
# scripts/bench/retrieval.py.
ANSWER_THRESHOLD = 0.5

WORDS_WEIGHT = 1.0
TITLE_SHARE = 0.5
OTHER_LANGUAGE_PENALTY = 0.03
NEAREST_VECTORS = 80
BEST_PASSAGES_BY_WORDS = 40
QUOTED_BY_MEANING = 1
CALIBRATION_SLOPE = 9.0
CALIBRATION_MIDDLE = 0.45


@dataclass(frozen=True)
class SearchHit:
    """One document that may answer: its best passage and the words to quote.

    `start` and `end` are the passage's offsets in the document's text, `quote_start` and
    `quote_end` those of `quote`; `score` (0 to 1) compares across questions.
    """

    document_id: UUID
    title: str
    language: str
    passage: str
    start: int
    end: int
    quote: str
    quote_start: int
    quote_end: int
    score: float


@dataclass(frozen=True)
class _Candidate:
    document: KnownDocument
    passage: KnownPassage
    total: float


async def search(
    knowledge: Knowledge,
    organization_id: UUID,
    question: str,
    language: str,
    limit: int = 5,
    vector: Vectors | None = None,
) -> list[SearchHit]:
    """The documents of one organization that answer a question best, one hit a document.

    `language` is the question's: words are compared with documents of that language only.
    `vector` is the question's raw vector, (dimensions,), if it was computed already. While the
    vectors are not ready or damaged, words alone decide.
    """
    corpus = knowledge.corpus(organization_id)
    if not corpus.documents or not question.strip():
        return []
    if vector is None and knowledge.vectors(organization_id).ready is not None:
        encoder = knowledge.runtime.encoder
        vector = (await asyncio.to_thread(encoder.encode, [question]))[0]
    similar = await _similarities(knowledge, organization_id, vector)
    index = corpus.lexical.get(language)
    words = index.search(question, BEST_PASSAGES_BY_WORDS) if index is not None else {}
    candidates = _ranked(corpus, similar, words, language)[:limit]
    terms = question_terms(question, language)
    return [
        await _hit(knowledge, candidate, terms, vector if rank < QUOTED_BY_MEANING else None)
        for rank, candidate in enumerate(candidates)
    ]


def calibrated(total: float) -> float:
    """A summed score as a probability, by a logistic curve fitted on unseen questions."""
    return 1.0 / (1.0 + math.exp(-CALIBRATION_SLOPE * (total - CALIBRATION_MIDDLE)))


async def _similarities(
    knowledge: Knowledge, organization_id: UUID, vector: Vectors | None
) -> dict[str, float]:
    if vector is None:
        return {}
    try:
        return await knowledge.vectors(organization_id).nearest(vector, NEAREST_VECTORS)
    except VectorStoreBroken as error:
        knowledge.report_damage(error)
        return {}


def _ranked(
    corpus: Corpus, similar: Mapping[str, float], words: Mapping[str, float], language: str
) -> list[_Candidate]:
    """Every document that is near or shares words, with its best passage, best first.

    What is not among the nearest vectors is taken to be as far as the last of them.
    """
    floor = min(similar.values(), default=0.0)
    passages: dict[str, tuple[float, KnownPassage]] = {}
    for id in {*similar, *words}:
        passage = corpus.passages.get(id)
        if passage is not None:
            near = (1.0 - TITLE_SHARE) * similar.get(id, floor)
            score = near + WORDS_WEIGHT * words.get(id, 0.0)
            best = passages.get(passage.title_id)
            if best is None or score > best[0]:
                passages[passage.title_id] = (score, passage)
    for id in similar:
        if id in corpus.titles and id not in passages:
            first = corpus.titles[id].passages[0]
            passages[id] = ((1.0 - TITLE_SHARE) * floor, first)
    found = []
    for id, (score, passage) in passages.items():
        document = corpus.titles[id]
        score += TITLE_SHARE * similar.get(id, floor)
        if document.language != language:
            score -= OTHER_LANGUAGE_PENALTY
        found.append(_Candidate(document, passage, score))
    return sorted(found, key=lambda one: (-one.total, one.passage.title_id))


async def _hit(
    knowledge: Knowledge,
    candidate: _Candidate,
    terms: frozenset[str],
    vector: Vectors | None,
) -> SearchHit:
    """A candidate with its quote; with a vector, sentences are compared by meaning too."""
    document, passage = candidate.document, candidate.passage
    dense = knowledge.vectors(document.organization_id).ready
    if vector is None or dense is None:
        prepared, similarities = knowledge.quotable(passage, document.language), None
    else:
        prepared = await knowledge.quotable_with_vectors(passage, document.language)
        similarities = _similarity_of_sentences(dense.space, vector, prepared)
    span = best_quote(passage.text, prepared, terms, similarities)
    return SearchHit(
        document_id=document.id,
        title=document.title,
        language=document.language,
        passage=passage.text,
        start=passage.start,
        end=passage.end,
        quote=passage.text[span.start : span.end],
        quote_start=passage.start + span.start,
        quote_end=passage.start + span.end,
        score=round(calibrated(candidate.total), 4),
    )


def _similarity_of_sentences(space: Space, vector: Vectors, prepared: Quotable) -> list[float]:
    if prepared.vectors is None:
        return [0.0] * len(prepared.spans)
    rows = prepared.vectors.astype(np.float32)
    projected = space.project(np.vstack([vector[None, :], rows]))
    return [float(one) for one in projected[1:] @ projected[0]]
