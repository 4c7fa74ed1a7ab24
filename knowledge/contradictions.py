"""Do two of the passages that were found say different things about one matter?

Two sentences contradict one another when they are about the same (they share most of their words,
their documents' titles included, and name the same places and products) and give different
amounts, delays, shares, hours or dates. It is better to miss one than to see one that is not there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import combinations, product
from uuid import UUID

from knowledge.passages import Span, sentences_of_passage
from knowledge.words import BEGINNING_LETTERS, fold, plain_words

SHARED_WORDS = 0.75
OWN_WORDS = 0.4
LEAST_SHARED_WORDS = 2
# Names that tell nothing apart in a shop of this country.
_HOME = frozenset({"france"})
# The pattern of each kind of quantity, on folded text; the first group is its value.
_NUMBER = r"(\d+(?:[   .]\d{3})*(?:[.,]\d{1,2})?)\s*"
_KINDS: Mapping[str, re.Pattern[str]] = {
    "euros": re.compile(_NUMBER + r"(?:€|euros?\b|eur\b)"),
    "percent": re.compile(_NUMBER + r"%"),
    "hours": re.compile(_NUMBER + r"(?:heures?\b|hours?\b|h\b)"),
    "days": re.compile(_NUMBER + r"(?:jours?\b|days?\b|dias?\b|tage?n?\b|giorni\b|dagen\b)"),
    "weeks": re.compile(
        _NUMBER + r"(?:semaines?\b|weeks?\b|semanas?\b|wochen?\b|settiman[ae]\b|weken\b)"
    ),
    "months": re.compile(_NUMBER + r"(?:mois\b|months?\b|meses\b|monaten?\b|mesi\b|maanden\b)"),
    "years": re.compile(_NUMBER + r"(?:ans?\b|annees?\b|years?\b|anos?\b|jahren?\b|anni\b|jaar\b)"),
    "centimetres": re.compile(_NUMBER + r"(?:cm\b|centimetres?\b)"),
    "kilograms": re.compile(_NUMBER + r"(?:kg\b|kilos?\b)"),
    "dates": re.compile(
        r"\b(\d{1,2}(?:er)? (?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre"
        r"|novembre|decembre|january|february|march|april|may|june|july|august|september|october"
        r"|november|december)(?: \d{4})?)\b"
    ),
}
_UNITS = frozenset(
    "euros euro eur heures heure jours jour semaines semaine mois ans an annees annee days day "
    "weeks week months month years year hours hour cm kg ouvres ouvrables calendaires".split()
)
_WORDS_FOR_NUMBERS = {
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "six": 6,
    "sept": 7,
    "huit": 8,
    "dix": 10,
    "douze": 12,
    "quatorze": 14,
    "quinze": 15,
    "trente": 30,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "seven": 7,
    "ten": 10,
    "fourteen": 14,
    "thirty": 30,
}
_WORD_FOR_NUMBER = re.compile(r"\b(" + "|".join(_WORDS_FOR_NUMBERS) + r")\b")
_EXAMPLE = re.compile(r"par exemple|for example|for instance", re.IGNORECASE)
_NAME = re.compile(r"(?<=[a-zà-ÿ,] )[A-ZÀ-Ý][\w-]{2,}|(?<=['’])[A-ZÀ-Ý][\w-]{2,}|\b[A-Z]{2,}\b")


@dataclass(frozen=True)
class DatedPassage:
    """A passage of a document, when that was last written, and which part of it is said.

    `said` are offsets into `text`; only sentences that begin there are compared; None: all.
    """

    document_id: UUID
    title: str
    language: str
    text: str
    written_at: datetime
    said: Span | None = None


@dataclass(frozen=True)
class Side:
    """One sentence of a contradiction: its passage, and its offsets there."""

    passage: DatedPassage
    sentence: Span

    @property
    def text(self) -> str:
        return self.passage.text[self.sentence.start : self.sentence.end]


@dataclass(frozen=True)
class Contradiction:
    """Two sentences about one matter that give different values; the newer document's first."""

    newer: Side
    older: Side
    kind: str


@dataclass(frozen=True)
class _Statement:
    words: frozenset[str]
    title_words: frozenset[str]
    names: frozenset[str]
    values: Mapping[str, frozenset[float | str]]


def contradictions(passages: Sequence[DatedPassage]) -> list[Contradiction]:
    """Every pair of sentences, of different documents in one language, that contradict each other.

    In the order of the passages, so that what is found first for a question comes first.
    """
    sides = [(passage, list(stated(passage))) for passage in passages]
    found = []
    for (one, mine), (other, theirs) in combinations(sides, 2):
        if one.document_id == other.document_id or one.language != other.language:
            continue
        for side, against in product(mine, theirs):
            contrary = contradiction(side, against)
            if contrary is not None:
                found.append(contrary)
    return found


def stated(passage: DatedPassage) -> Iterator[Side]:
    """The sentences of a passage that are said and hold a quantity."""
    said = passage.said or Span(0, len(passage.text))
    for span in sentences_of_passage(passage.text):
        side = Side(passage, span)
        counts = said.start <= span.start < said.end and not _EXAMPLE.match(side.text)
        if counts and _of(side).values:
            yield side


def matter_of(side: Side) -> tuple[frozenset[str], frozenset[str]]:
    """What a sentence is about: its words with those of its title, and its kinds of quantities."""
    statement = _of(side)
    return statement.words | statement.title_words, frozenset(statement.values)


def contradiction(one: Side, other: Side) -> Contradiction | None:
    """What two sentences of different documents say differently; None where nothing."""
    kind = _disagreement(one, other)
    return None if kind is None else _newest_first(one, other, kind)


def _newest_first(one: Side, other: Side, kind: str) -> Contradiction:
    if other.passage.written_at > one.passage.written_at:
        one, other = other, one
    return Contradiction(one, other, kind)


def _disagreement(one: Side, other: Side) -> str | None:
    """The kind of quantity on which two sentences about the same differ; None for no such pair."""
    mine, theirs = _of(one), _of(other)
    kinds = mine.values.keys() & theirs.values.keys()
    if not kinds or mine.names != theirs.names or not _same_matter(mine, theirs):
        return None
    differing = [kind for kind in sorted(kinds) if not mine.values[kind] & theirs.values[kind]]
    # Sentences that agree on one quantity and differ on another speak of several things.
    return differing[0] if len(differing) == len(kinds) else None


def _same_matter(one: _Statement, other: _Statement) -> bool:
    """Whether what the shorter sentence speaks of is in the other, which adds little of its own.

    A word of the other's title counts as said.
    """
    if len(other.words) < len(one.words):
        one, other = other, one
    shared = one.words & (other.words | other.title_words)
    if len(shared) < LEAST_SHARED_WORDS or len(shared) < SHARED_WORDS * len(one.words):
        return False
    own = other.words - one.words - one.title_words
    return len(own) <= OWN_WORDS * len(other.words)


def _of(side: Side) -> _Statement:
    return _statement(side.text, side.passage.title, side.passage.language)


@lru_cache(maxsize=2_048)
def _statement(text: str, title: str, language: str) -> _Statement:
    folded = _WORD_FOR_NUMBER.sub(lambda match: str(_WORDS_FOR_NUMBERS[match.group()]), fold(text))
    values: dict[str, set[float | str]] = defaultdict(set)
    for kind, pattern in _KINDS.items():
        for match in pattern.finditer(folded):
            values[kind].add(_value(match.group(1)))
    names = frozenset(fold(name) for name in _NAME.findall(text)) - _HOME
    return _Statement(
        _words(folded, language),
        _words(title, language),
        names,
        {kind: frozenset(found) for kind, found in values.items()},
    )


def _words(text: str, language: str) -> frozenset[str]:
    return frozenset(
        word[:BEGINNING_LETTERS]
        for word in plain_words(text, language)
        if not word[0].isdigit() and word not in _UNITS
    )


def _value(written: str) -> float | str:
    """`1 299,50` as a number; a date as it is."""
    plain = re.sub(r"[   ]|\.(?=\d{3}\b)", "", written).replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return written
