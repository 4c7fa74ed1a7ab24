"""Which sentence or two of a passage answer the question best, word for word?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Span, sentences, without_bullet
from knowledge.words import beginnings, plain_words, stems, synonyms

SHORT_SENTENCE_CHARACTERS = 70
LONGEST_QUOTE_CHARACTERS = 320
LATER_SENTENCES_SHARE = 0.8
WORDS_WEIGHT = 0.5


@dataclass(frozen=True)
class Quotable:
    """A passage's sentences with their words, and their raw vectors once they were needed."""

    spans: tuple[Span, ...]
    terms: tuple[frozenset[str], ...]
    vectors: NDArray[np.float16] | None = None


def quotable(passage: str, language: str) -> Quotable:
    """Prepare a passage: its sentences, without their bullets, and the words of each."""
    spans = [without_bullet(passage, span) for span in sentences(passage)]
    spans = spans or [Span(0, len(passage))]
    terms = [_terms_said(passage[span.start : span.end], language) for span in spans]
    return Quotable(tuple(spans), tuple(terms))


def question_terms(text: str, language: str) -> tuple[frozenset[str], ...]:
    """For each word of a question: what a sentence may say for it."""
    words = plain_words(text, language)
    alike = synonyms(language)
    return tuple(
        frozenset((stem, *alike.get(stem, ()), *beginnings([word])))
        for word, stem in zip(words, stems(words, language), strict=True)
    )


def share_of_words(title: str, language: str, wanted: Sequence[frozenset[str]]) -> float:
    """How many of a question's words a document's title holds, 0 to 1."""
    held = _terms_of_title(title, language)
    return sum(not one.isdisjoint(held) for one in wanted) / (len(wanted) or 1)


def _terms_said(text: str, language: str) -> frozenset[str]:
    """What a text says for a question's words."""
    words = plain_words(text, language)
    return frozenset(stems(words, language)) | frozenset(beginnings(words))


# A title is asked about with every question.
_terms_of_title = lru_cache(maxsize=2_048)(_terms_said)


@dataclass(frozen=True)
class Quote:
    """A stretch of a passage, and how well it answers (comparable within one question)."""

    span: Span
    score: float


def best_quote(
    passage: str,
    prepared: Quotable,
    wanted: Sequence[frozenset[str]],
    similarities: Sequence[float] | None = None,
    advantage: float = 0.0,
) -> Quote:
    """The stretch of a passage to show as the answer: one sentence, or two if the first is short.

    `similarities`, one a sentence, weigh more than the shared words; without them words decide.
    `advantage` is given to the first sentence in full and to the others nearly so.
    """
    scores = []
    for position, terms in enumerate(prepared.terms):
        score = WORDS_WEIGHT * sum(not one.isdisjoint(terms) for one in wanted) / (len(wanted) or 1)
        score += advantage if position == 0 else LATER_SENTENCES_SHARE * advantage
        score += similarities[position] if similarities is not None else 0.0
        scores.append(score)
    best = scores.index(max(scores))
    return Quote(_completed(passage, prepared.spans, best), scores[best])


def _completed(passage: str, spans: Sequence[Span], best: int) -> Span:
    """A short sentence ("Oui.") or one that announces a list goes with the one that follows."""
    span = spans[best]
    text = passage[span.start : span.end]
    announces = text.endswith(":")
    if best + 1 < len(spans) and (announces or len(text) < SHORT_SENTENCE_CHARACTERS):
        following = spans[best + 1]
        if following.end - span.start <= LONGEST_QUOTE_CHARACTERS:
            return Span(span.start, following.end)
    return span
