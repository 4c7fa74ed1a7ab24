"""Which documents are out of date, contradict one another, or help nobody?"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, Literal, get_args
from uuid import UUID

import orjson

from knowledge.contradictions import (
    Contradiction,
    DatedPassage,
    Side,
    contradiction,
    matter_of,
    stated,
)
from knowledge.corpus import KnownDocument
from knowledge.health.dates import past_dates

Kind = Literal["old", "past_date", "never_cited", "contradiction"]
KINDS: tuple[Kind, ...] = get_args(Kind)

OLD_AFTER = timedelta(days=365)
CITED_WITHIN = timedelta(days=90)
# A document has to have been there for a while, and answers to have been given, to be missed.
UNCITED_AFTER = timedelta(days=30)
LEAST_ANSWERS = 50
# A word of so many sentences tells no two of them apart.
COMMON_WORD = 200
MOST_PAIRS = 200_000
# A sentence that contradicts more others is one of a series: the sizes of twenty shelves.
MOST_CONTRARY = 3


@dataclass(frozen=True)
class Finding:
    """Something to look at in a document; `details` quote it."""

    kind: Kind
    document_id: UUID
    other_document_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for the same finding, whenever it is made."""
        parts = [self.kind, str(self.document_id), str(self.other_document_id), self.details]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def examine(
    documents: Sequence[KnownDocument],
    cited: Mapping[UUID, int],
    answers: int,
    created_at: Mapping[UUID, datetime],
    now: datetime,
) -> list[Finding]:
    """Everything that is to be said of published documents.

    `cited` says how often each was quoted within `CITED_WITHIN`, among so many `answers`.
    Contradictions of thousands of passages take seconds: call it in a thread.
    """
    return [
        *_old(documents, now),
        *_past(documents, now),
        *_never_cited(documents, cited, answers, created_at, now),
        *_contradicting(documents),
    ]


def _old(documents: Sequence[KnownDocument], now: datetime) -> Iterator[Finding]:
    for one in documents:
        if now - one.updated_at >= OLD_AFTER:
            yield Finding("old", one.id, details={"updated_on": one.updated_at.date().isoformat()})


def _past(documents: Sequence[KnownDocument], now: datetime) -> Iterator[Finding]:
    for one in documents:
        for passage in one.passages:
            for span, day in past_dates(passage.text, now.date()):
                quote = passage.text[span.start : span.end]
                details = {"quote": quote, "date": day.isoformat()}
                yield Finding("past_date", one.id, details=details)


def _never_cited(
    documents: Sequence[KnownDocument],
    cited: Mapping[UUID, int],
    answers: int,
    created_at: Mapping[UUID, datetime],
    now: datetime,
) -> Iterator[Finding]:
    if answers < LEAST_ANSWERS:
        return
    for one in documents:
        there = now - created_at.get(one.id, now)
        if one.id not in cited and there >= UNCITED_AFTER:
            yield Finding("never_cited", one.id)


def _contradicting(documents: Sequence[KnownDocument]) -> Iterator[Finding]:
    """One finding for each pair of documents and matter; titles and quotes are theirs."""
    seen: set[str] = set()
    for one in _contradictions(documents):
        finding = Finding(
            "contradiction",
            one.newer.passage.document_id,
            one.older.passage.document_id,
            {"quote": one.newer.text, "other_quote": one.older.text, "quantity": one.kind},
        )
        if finding.fingerprint not in seen:
            seen.add(finding.fingerprint)
            yield finding


def _contradictions(documents: Sequence[KnownDocument]) -> Iterator[Contradiction]:
    """What any two documents say differently; only sentences that share words are compared."""
    sides = [
        side
        for one in documents
        for passage in one.passages
        for side in stated(
            DatedPassage(one.id, one.title, one.language, passage.text, one.updated_at)
        )
    ]
    contrary = [
        (first, second, found)
        for first, second in _pairs(sides)
        if (found := contradiction(sides[first], sides[second])) is not None
    ]
    times = Counter(place for first, second, _ in contrary for place in (first, second))
    for first, second, found in contrary:
        if times[first] <= MOST_CONTRARY and times[second] <= MOST_CONTRARY:
            yield found


def _pairs(sides: Sequence[Side]) -> list[tuple[int, int]]:
    """Sentences that share two telling words and a kind of quantity, those that share most."""
    matters = [matter_of(side) for side in sides]
    by_word: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (words, _) in enumerate(matters):
        for word in words:
            by_word[sides[place].passage.language, word].append(place)
    shared: Counter[tuple[int, int]] = Counter()
    for places in by_word.values():
        if len(places) <= COMMON_WORD and len(shared) < MOST_PAIRS * 5:
            shared.update(combinations(places, 2))
    telling = [
        ((first, second), times)
        for (first, second), times in shared.items()
        if times > 1
        and matters[first][1] & matters[second][1]
        and sides[first].passage.document_id != sides[second].passage.document_id
    ]
    telling.sort(key=lambda one: (-one[1], one[0]))
    return sorted(pair for pair, _ in telling[:MOST_PAIRS])
