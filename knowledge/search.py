"""Which documents answer a question, how surely, and in which words?

Similarity of meaning (titles and passages, centred) and shared words are summed, not ranked
against each other, so that a sum means the same for every question; `calibrated` turns it into
the share of such questions that the first document did answer.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from core.providers.vectors import VectorStoreBroken
from knowledge.corpus import Corpus, KnownDocument, KnownPassage
from knowledge.index import Knowledge
from knowledge.quotes import Quotable, Quote, best_quote, question_terms, share_of_words
from knowledge.space import Space, Vectors

# At this score or above a question counts as answered by the documents; measured by
# `scripts/bench retrieval`.
ANSWER_THRESHOLD = 0.25

WORDS_WEIGHT = 1.2
TITLE_SHARE = 0.4
OTHER_LANGUAGE_PENALTY = 0.03
NEAREST_VECTORS = 80
BEST_PASSAGES_BY_WORDS = 40
QUOTED_BY_MEANING = 1
QUOTED_PASSAGES = 1
OPENING_WEIGHT = 0.6
# Fitted on the questions of tests/evaluation that have an answer and on those that have none.
TOTAL_SLOPE = 1.8
NEAREST_SLOPE = 5.9
INTERCEPT = -3.45
TOTAL_SLOPE_ALONE = 3.7
INTERCEPT_ALONE = -2.2


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
    """A document, its best passages first, how near its title is, and its summed score."""

    document: KnownDocument
    passages: tuple[KnownPassage, ...]
    title: float
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
    nearest = max(similar.values()) if similar else None
    terms = question_terms(question, language)
    return [
        await _hit(
            knowledge, candidate, terms, nearest, vector if rank < QUOTED_BY_MEANING else None
        )
        for rank, candidate in enumerate(candidates)
    ]


def calibrated(total: float, nearest: float | None) -> float:
    """How often a first document with this sum was the right one, by a fitted logistic curve.

    `nearest` is the similarity of the nearest title or passage of all: a question that nothing
    is near to is seldom answered. None where there are no vectors.
    """
    if nearest is None:
        logit = TOTAL_SLOPE_ALONE * total + INTERCEPT_ALONE
    else:
        logit = TOTAL_SLOPE * total + NEAREST_SLOPE * nearest + INTERCEPT
    return 1.0 / (1.0 + math.exp(-logit))


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
    """Every document that is near or shares words, with its best passages, best first.

    What is not among the nearest vectors is taken to be as far as the last of them.
    """
    floor = min(similar.values(), default=0.0)
    seen: dict[str, list[tuple[float, int, KnownPassage]]] = {}
    for id in {*similar, *words}:
        passage = corpus.passages.get(id)
        if passage is not None:
            near = (1.0 - TITLE_SHARE) * similar.get(id, floor)
            score = near + WORDS_WEIGHT * words.get(id, 0.0)
            seen.setdefault(passage.title_id, []).append((score, -passage.position, passage))
    for id in similar:
        if id in corpus.titles and id not in seen:
            first = corpus.titles[id].passages[0]
            seen[id] = [((1.0 - TITLE_SHARE) * floor, 0, first)]
    found = []
    for id, scored in seen.items():
        document = corpus.titles[id]
        scored.sort(reverse=True)
        title = similar.get(id, floor)
        total = scored[0][0] + TITLE_SHARE * title
        if document.language != language:
            total -= OTHER_LANGUAGE_PENALTY
        best = tuple(passage for _, _, passage in scored[:QUOTED_PASSAGES])
        found.append(_Candidate(document, best, title, total))
    return sorted(found, key=lambda one: (-one.total, one.passages[0].title_id))


async def _hit(
    knowledge: Knowledge,
    candidate: _Candidate,
    wanted: Sequence[frozenset[str]],
    nearest: float | None,
    vector: Vectors | None,
) -> SearchHit:
    """A candidate with its quote.

    With a vector the sentences of its best passages, and of the one that opens the document, are
    compared by meaning too; without one those of the best passage, by words.
    """
    document = candidate.document
    passages = list(candidate.passages)
    if vector is None:
        passages = passages[:1]
    elif document.passages[0] not in passages:
        passages.append(document.passages[0])
    quotes = [(await _quote(knowledge, candidate, one, wanted, vector), one) for one in passages]
    quote, passage = max(quotes, key=lambda pair: pair[0].score)
    return SearchHit(
        document_id=document.id,
        title=document.title,
        language=document.language,
        passage=passage.text,
        start=passage.start,
        end=passage.end,
        quote=passage.text[quote.span.start : quote.span.end],
        quote_start=passage.start + quote.span.start,
        quote_end=passage.start + quote.span.end,
        score=round(calibrated(candidate.total, nearest), 4),
    )


async def _quote(
    knowledge: Knowledge,
    candidate: _Candidate,
    passage: KnownPassage,
    wanted: Sequence[frozenset[str]],
    vector: Vectors | None,
) -> Quote:
    """The best quote of one passage.

    A question that is near to the title asks what the document answers first: the more so, the
    more its opening passage is preferred to details ("La livraison en Corse coûte …").
    """
    document = candidate.document
    dense = knowledge.vectors(document.organization_id).ready
    similarities = None
    if vector is None or dense is None:
        prepared = knowledge.quotable(passage, document.language)
    else:
        prepared = await knowledge.quotable_with_vectors(passage, document.language)
        similarities = _similarity_of_sentences(dense.space, vector, prepared)
    advantage = 0.0
    if passage.position == 0:
        nearness = max(candidate.title, share_of_words(document.title, document.language, wanted))
        advantage = OPENING_WEIGHT * nearness
    return best_quote(passage.text, prepared, wanted, similarities, advantage)


def _similarity_of_sentences(space: Space, vector: Vectors, prepared: Quotable) -> list[float]:
    if prepared.vectors is None:
        return [0.0] * len(prepared.spans)
    rows = prepared.vectors.astype(np.float32)
    projected = space.project(np.vstack([vector[None, :], rows]))
    return [float(one) for one in projected[1:] @ projected[0]]
