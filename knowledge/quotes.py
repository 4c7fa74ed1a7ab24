"""Which sentence or two of a passage answer the question best, word for word?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Span, sentences, without_bullet
from knowledge.words import beginnings, plain_words, stems

SHORT_SENTENCE_CHARACTERS = 70
LONGEST_QUOTE_CHARACTERS = 320
FIRST_SENTENCE_BONUS = 0.12
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
    words = [question_terms(passage[span.start : span.end], language) for span in spans]
    return Quotable(tuple(spans), tuple(words))


def question_terms(text: str, language: str) -> frozenset[str]:
    """What is compared of a question and a sentence: stems and beginnings of words."""
    words = plain_words(text, language)
    return frozenset(stems(words, language)) | frozenset(beginnings(words))


def best_quote(
    passage: str,
    prepared: Quotable,
    wanted: frozenset[str],
    similarities: Sequence[float] | None = None,
) -> Span:
    """The stretch of a passage to show as the answer: one sentence, or two if the first is short.

    `similarities`, one a sentence, weigh more than the shared words; without them words decide.
    The first sentence wins ties: texts answer first.
    """
    scores = []
    for position, terms in enumerate(prepared.terms):
        score = WORDS_WEIGHT * len(wanted & terms) / max(len(wanted), 1)
        score += FIRST_SENTENCE_BONUS if position == 0 else 0.0
        score += similarities[position] if similarities is not None else 0.0
        scores.append(score)
    return _completed(passage, prepared.spans, scores.index(max(scores)))


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
