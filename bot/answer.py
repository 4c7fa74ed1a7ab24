"""Writing an answer from passages: literal sentences, each with the span that supports it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.messages import Sentence, Source
from knowledge.passages import Span, sentences_of_passage
from knowledge.search import SearchHit

# An answer is read in a chat window: a few sentences, not the article.
LONGEST_ANSWER_CHARACTERS = 420
SHORTEST_ANSWER_CHARACTERS = 160
# Where the best document is not certain to answer, others that come close are quoted beside it.
OTHER_SOURCE_RATIO = 0.6

_MARKUP = re.compile(r"^(?:#{1,6}|[-*•–>]|\d{1,3}[.)])\s+|\*\*|__|`")


def compose(hits: Sequence[SearchHit]) -> Iterator[Sentence]:
    """The sentences of the best passage around its quote."""
    return _quote(hits[0])


def near_the_best(hits: Sequence[SearchHit], most: int) -> list[SearchHit]:
    """At most so many other documents that come near the best, in its language."""
    best = hits[0]
    return [
        other
        for other in hits[1 : 1 + most]
        if other.language == best.language and other.score >= OTHER_SOURCE_RATIO * best.score
    ]


def compose_short(hit: SearchHit) -> Iterator[Sentence]:
    """A short quote of a document that stands beside another."""
    return _quote(hit, LONGEST_ANSWER_CHARACTERS // 2)


def said(hit: SearchHit) -> Span:
    """The part of the passage that an answer from this hit says."""
    spans = _window(hit, LONGEST_ANSWER_CHARACTERS)
    return Span(spans[0].start, spans[-1].end)


def quote_sentence(hit: SearchHit, span: Span) -> Sentence:
    """One sentence of a hit's passage, as it stands there."""
    quote = hit.passage[span.start : span.end]
    source = Source(str(hit.document_id), hit.title, quote, hit.score)
    return Sentence(_MARKUP.sub("", quote).strip(), (source,))


def _quote(hit: SearchHit, longest: int = LONGEST_ANSWER_CHARACTERS) -> Iterator[Sentence]:
    spans = _window(hit, longest)
    quote = hit.passage[spans[0].start : spans[-1].end]
    source = Source(str(hit.document_id), hit.title, quote, hit.score)
    for position, span in enumerate(spans):
        text = _MARKUP.sub("", hit.passage[span.start : span.end]).strip()
        if text:
            yield Sentence(text, (source,), joint=" " if position else "\n\n")


def _window(hit: SearchHit, longest: int) -> Sequence[Span]:
    """Sentences from the quoted one on; the opening one and others where that leaves little."""
    spans = sentences_of_passage(hit.passage) or (Span(0, len(hit.passage)),)
    quoted = hit.quote_start - hit.start
    first = next((i for i, span in enumerate(spans) if span.end > quoted), 0)
    if first == 1 and spans[1].end - spans[0].start <= longest:
        first = 0
    last = first
    while last + 1 < len(spans) and spans[last + 1].end - spans[first].start <= longest:
        last += 1
    while (
        first > 0
        and spans[last].end - spans[first].start < SHORTEST_ANSWER_CHARACTERS
        and spans[last].end - spans[first - 1].start <= longest
    ):
        first -= 1
    return spans[first : last + 1]
