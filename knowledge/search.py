"""Which documents answer a question, how surely, and in which words?

`knowledge.ranking` sums what speaks for each document; here it is gathered, and the words to quote
are chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from core.providers.vectors import VectorStoreBroken
from knowledge.corpus import KnownPassage
from knowledge.courtesies import without_courtesies
from knowledge.index import Knowledge
from knowledge.quotes import Quotable, Quote, best_quote, question_terms, share_of_words
from knowledge.ranking import (
    INTENT_WEIGHT,
    SUBJECT_WEIGHT,
    Candidate,
    Evidence,
    Parts,
    calibrated,
    parts_of,
    ranked,
)
from knowledge.space import Space, Vectors

# At this score or above a question counts as answered by the documents; measured by
# `scripts/bench retrieval`.
ANSWER_THRESHOLD = 0.2

NEAREST_VECTORS = 80
BEST_PASSAGES_BY_WORDS = 40
BEST_DOCUMENTS_BY_WORDS = 60
QUOTED_BY_MEANING = 1
OPENING_WEIGHT = 0.6


@dataclass(frozen=True)
class SearchHit:
    """One document that may answer: its best passage and the words to quote.

    `start` and `end` are the passage's offsets in the document's text, `quote_start` and
    `quote_end` those of `quote`; `score` (0 to 1) compares across questions. `familiar` (0 to 1)
    is how much of its title the taught intents tell: next to nothing where a shop's documents are
    about other matters than the intents.
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
    familiar: float = 1.0


@dataclass(frozen=True)
class ExplainedHit:
    """A hit, where its passage stands in its document, and what its rank is made of."""

    hit: SearchHit
    heading: str
    position: int
    parts: Parts


async def search(
    knowledge: Knowledge,
    organization_id: UUID,
    question: str,
    language: str,
    limit: int = 5,
    vector: Vectors | None = None,
    intents: Mapping[str, float] | None = None,
) -> list[SearchHit]:
    """The documents of one organization that answer a question best, one hit a document.

    `language` is the question's: words are compared with documents of that language only.
    `vector` is the question's raw vector, (dimensions,), and `intents` the share of each intent
    that it may have, if they were read already. While the vectors are not ready or damaged, words
    alone decide.
    """
    found = await explain(knowledge, organization_id, question, language, limit, vector, intents)
    return [one.hit for one in found]


async def explain(
    knowledge: Knowledge,
    organization_id: UUID,
    question: str,
    language: str,
    limit: int = 5,
    vector: Vectors | None = None,
    intents: Mapping[str, float] | None = None,
) -> list[ExplainedHit]:
    """What `search` finds, with the reasons."""
    corpus = knowledge.corpus(organization_id)
    if not corpus.documents or not question.strip():
        return []
    question = without_courtesies(question, language)
    if vector is None and knowledge.vectors(organization_id).ready is not None:
        encoder = knowledge.runtime.encoder
        vector = (await asyncio.to_thread(encoder.encode, [question]))[0]
    evidence = await _evidence(knowledge, organization_id, question, language, vector, intents)
    terms = question_terms(question, language)
    candidates = ranked(corpus, evidence, limit)
    return [
        ExplainedHit(
            await _hit(
                knowledge,
                candidate,
                terms,
                calibrated(
                    candidate.total,
                    evidence.nearest,
                    candidates[0].agreement,
                    len(corpus.passages),
                ),
                vector if rank < QUOTED_BY_MEANING else None,
            ),
            candidate.passage.heading,
            candidate.passage.position,
            parts_of(candidate, evidence),
        )
        for rank, candidate in enumerate(candidates)
    ]


async def _evidence(
    knowledge: Knowledge,
    organization_id: UUID,
    question: str,
    language: str,
    vector: Vectors | None,
    intents: Mapping[str, float] | None,
) -> Evidence:
    """What speaks for which document: nearness, words and subject."""
    corpus = knowledge.corpus(organization_id)
    similar = await _similarities(knowledge, organization_id, question, vector)
    lexical, whole = corpus.lexical.get(language), corpus.whole.get(language)
    agreements = None
    if vector is not None:
        row = knowledge.read(organization_id, question, vector, language, intents)
        readings = knowledge.readings(organization_id)
        agreements = readings.agreements(row, SUBJECT_WEIGHT, INTENT_WEIGHT)
    return Evidence(
        language,
        similar,
        {} if lexical is None else lexical.search(question, BEST_PASSAGES_BY_WORDS),
        {} if whole is None else whole.search(question, BEST_DOCUMENTS_BY_WORDS),
        agreements,
    )


async def _similarities(
    knowledge: Knowledge, organization_id: UUID, question: str, vector: Vectors | None
) -> dict[str, float]:
    vectors = knowledge.vectors(organization_id)
    if vector is None or vectors.ready is None:
        return {}
    asked = await knowledge.question_vector(question, vector)
    try:
        return await vectors.nearest(asked, NEAREST_VECTORS)
    except VectorStoreBroken as error:
        knowledge.report_damage(error)
        return {}


async def _hit(
    knowledge: Knowledge,
    candidate: Candidate,
    wanted: Sequence[frozenset[str]],
    score: float,
    vector: Vectors | None,
) -> SearchHit:
    """A candidate with its quote.

    With a vector the sentences of its best passages, and of the one that opens the document, are
    compared by meaning too; without one those of the best passage, by words.
    """
    document = candidate.document
    passages = [candidate.passage]
    if vector is not None and document.passages[0] not in passages:
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
        score=round(score, 4),
        familiar=knowledge.readings(document.organization_id).familiar(document.id),
    )


async def _quote(
    knowledge: Knowledge,
    candidate: Candidate,
    passage: KnownPassage,
    wanted: Sequence[frozenset[str]],
    vector: Vectors | None,
) -> Quote:
    """The best quote of one passage.

    A question that is near to the title asks what the document answers first: the more so, the
    more its opening passage is preferred to details ("La livraison en Corse coûte …").
    """
    document = candidate.document
    similarities = None
    if vector is None:
        prepared = knowledge.quotable(passage, document.language)
    else:
        prepared = await knowledge.quotable_with_vectors(passage, document.language)
        similarities = _similarity_of_sentences(knowledge.sentence_space, vector, prepared)
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
