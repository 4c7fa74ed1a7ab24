"""Is a sentence proven by the documents, tool results and customer's words of this turn?

A sentence that claims nothing passes. Any other needs one place that supports it: the same words
or the same meaning, no turned sense, and there every price, delay, date, right and reference that
the sentence states. Thresholds are measured by `tests/unit/test_grounding.py` on the labelled
sentences of `tests/evaluation/grounding.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bot.claims import (
    CUSTOMERS_OWN,
    Fact,
    Statement,
    claim_words,
    claims_nothing,
    contradicts,
    missing_facts,
    opposed,
    statement,
    states,
    tells_a_deed,
    without_marks,
)
from bot.evidence import Evidence
from bot.messages import Source
from knowledge.passages import sentences, without_bullet
from knowledge.words import beginnings, plain_words, stems

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

# Enough of the sentence's words are the source's own.
SURE_OVERLAP = 0.7
# Fewer are, and the meanings are near.
LEAST_OVERLAP = 0.5
NEAR_MEANING = 0.65
# Other words or another language altogether.
SAME_MEANING = 0.72
OTHER_LANGUAGE_MEANING = 0.55
TOOL_OVERLAP = 0.6
LONGEST_WINDOW_SENTENCES = 3
COMPARED_BY_MEANING = 6
# A source this near that says the contrary outweighs what else might support the sentence.
TURNED_OVERLAP = 0.6
# Facts of which one thing has one.
EXCLUSIVE = frozenset({"money", "days", "months", "percent", "hour"})
# What stands in one place only: with it, fewer words need to be the same.
UNIQUE = frozenset({"phone", "email", "law"})
# What is promised must be what the source promises: more than half of the sentence's words stand
# in the clause that promises.
MARK_SHARE = 0.55
_CLAUSE = re.compile(r";|, (?:et|mais|and|but|y|pero|und|aber|e|ma|en|maar) |\n")


@dataclass(frozen=True)
class Grounded:
    """How a sentence is proven; neither is set where it claims nothing."""

    sources: tuple[Source, ...] = ()
    tool: str | None = None

    @property
    def is_claim(self) -> bool:
        return bool(self.sources or self.tool)


@dataclass(frozen=True)
class _Clause:
    """A part of a sentence that states something for itself."""

    said: Statement
    words: frozenset[str]


@dataclass(frozen=True)
class _Window:
    """One to three sentences of a piece of evidence, ready to be compared."""

    evidence: Evidence
    text: str
    said: Statement
    title: Statement
    words: frozenset[str]
    clauses: tuple[_Clause, ...] = ()


@dataclass
class Grounder:
    """Checks the sentences of one turn; what was read of the evidence is kept between them."""

    language: str
    today: date
    encode: Encode
    _windows: dict[Evidence, tuple[_Window, ...]] = field(default_factory=dict)
    _vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def check(self, sentence: str, evidence: Sequence[Evidence]) -> Grounded | None:
        """How a sentence is proven, None where it is not."""
        said = statement(sentence, self.language, self.today)
        own = [
            statement(one.text, one.language, self.today)
            for one in evidence
            if one.kind == "customer"
        ]
        given = frozenset(fact for one in own for fact in one.facts if fact[0] in CUSTOMERS_OWN)
        if claims_nothing(sentence, replace(said, facts=said.facts - given), self.today):
            # A question may name what the customer or the evidence has named.
            names = {fact for fact in said.facts if fact[0] == "name"}
            known = [window.said for one in evidence for window in self._of(one)]
            return Grounded() if not missing_facts(names, [*own, *known]) else None
        found = self._best(sentence, said, given, evidence)
        if found is None:
            return None
        proof = found.evidence
        if proof.kind == "tool":
            return Grounded(tool=proof.tool)
        return Grounded((Source(proof.id, proof.title, found.text, proof.score),))

    def _best(
        self,
        sentence: str,
        said: Statement,
        given: frozenset[Fact],
        evidence: Sequence[Evidence],
    ) -> _Window | None:
        """The window nearest to the sentence, where that supports it."""
        words = _stems(without_marks(sentence), self.language)
        wanted = said.facts - given
        proving = {"tool"} if tells_a_deed(said) else {"tool", "document"}
        likely = [
            (self._overlap(words, window), window)
            for one in evidence
            if one.kind in proving
            for window in self._of(one)
            if not missing_facts(wanted, (window.said, window.title))
            and self._says_it_of_the_same(words, wanted, window)
        ]
        likely.sort(key=lambda pair: (-pair[0], len(pair[1].text)))
        for rank, (overlap, window) in enumerate(likely):
            if window.evidence.kind == "document" and self._turns(said, wanted, window):
                if overlap >= TURNED_OVERLAP:
                    return None
            elif self._supports(sentence, said, overlap, window, rank):
                return window
        return None

    def _supports(
        self, sentence: str, said: Statement, overlap: float, window: _Window, rank: int
    ) -> bool:
        if window.evidence.kind == "tool":
            now = states(said.folded, self.language)
            return overlap >= TOOL_OVERLAP and all(
                re.search(rf"(?<!\w){re.escape(state)}[es]*(?!\w)", window.said.folded)
                for state in now
            )
        same_language = window.evidence.language == self.language
        if same_language and overlap >= SURE_OVERLAP:
            return True
        if same_language and overlap >= LEAST_OVERLAP and UNIQUE & {kind for kind, _ in said.facts}:
            return True
        if rank >= COMPARED_BY_MEANING:
            return False
        similarity = self._similarity(sentence, window.text)
        if not same_language:
            return similarity >= OTHER_LANGUAGE_MEANING
        return similarity >= SAME_MEANING or (
            overlap >= LEAST_OVERLAP and similarity >= NEAR_MEANING
        )

    def _turns(self, said: Statement, wanted: frozenset[Fact], window: _Window) -> bool:
        """Whether the sentence says the contrary of the window, or of its clause on that day."""
        if contradicts(said, window.said):
            return True
        days = {fact for fact in wanted if fact[0] == "date"}
        return any(
            opposed(said, clause.said) for clause in window.clauses if days & clause.said.facts
        )

    def _says_it_of_the_same(
        self, words: frozenset[str], wanted: frozenset[Fact], window: _Window
    ) -> bool:
        """Whether, of the clauses that state a price or delay, the nearest one states this one.

        "Sofas 5 years; mattresses 10 years" does not prove that sofas have ten.
        """
        if window.evidence.language != self.language:
            return True
        for kind, value in wanted:
            if kind == "mark" and window.clauses:
                marked = [one for one in window.clauses if (kind, value) in one.said.facts]
                if max((self._share(words, one.words) for one in marked), default=1) < MARK_SHARE:
                    return False
            if kind not in EXCLUSIVE:
                continue
            rivals = [
                (self._share(words, clause.words), (kind, value) in clause.said.facts)
                for clause in window.clauses
                if any(fact[0] == kind for fact in clause.said.facts)
            ]
            if rivals and max(rivals)[0] > max([own for own, has in rivals if has], default=0.0):
                return False
        return True

    def _overlap(self, words: frozenset[str], window: _Window) -> float:
        return self._share(words, window.words)

    def _share(self, words: frozenset[str], found: frozenset[str]) -> float:
        """Share of the sentence's words that are found, by stem or by first letters."""
        if not words:
            return 1.0
        return sum(word in found or word[:5] in found for word in words) / len(words)

    def _similarity(self, first: str, second: str) -> float:
        new = [text for text in (first, second) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self.encode(new), strict=True))
        return float(self._vectors[first] @ self._vectors[second])

    def _of(self, evidence: Evidence) -> tuple[_Window, ...]:
        if evidence not in self._windows:
            self._windows[evidence] = tuple(self._cut(evidence))
        return self._windows[evidence]

    def _cut(self, evidence: Evidence) -> Iterator[_Window]:
        """Every one, two and three sentences in a row; a record of a tool stays whole."""
        language = evidence.language
        title = statement(evidence.title, language, self.today)
        if evidence.kind != "document":
            words = _content(evidence.text, language) | _tool_words(evidence, language)
            said = statement(evidence.text, language, self.today)
            yield _Window(evidence, evidence.text, said, title, words)
            return
        spans = [without_bullet(evidence.text, span) for span in sentences(evidence.text)]
        for first in range(len(spans)):
            for last in range(first, min(first + LONGEST_WINDOW_SENTENCES, len(spans))):
                text = evidence.text[spans[first].start : spans[last].end]
                said = statement(text, language, self.today)
                words = _content(text, language)
                yield _Window(evidence, text, said, title, words, self._clauses(text, language))

    def _clauses(self, text: str, language: str) -> tuple[_Clause, ...]:
        parts = [
            part for span in sentences(text) for part in _CLAUSE.split(text[span.start : span.end])
        ]
        return tuple(
            _Clause(statement(part, language, self.today), _content(part, language))
            for part in parts
        )


def _said(text: str, language: str) -> list[str]:
    """The words that say something; no numbers."""
    return [word for word in plain_words(text, language) if word.isalpha() and len(word) > 2]


def _stems(text: str, language: str) -> frozenset[str]:
    return frozenset(stems(_said(text, language), language))


def _content(text: str, language: str) -> frozenset[str]:
    """Stems and first letters: what the words of a sentence are looked for in."""
    return _stems(text, language) | frozenset(beginnings(_said(text, language)))


def _tool_words(evidence: Evidence, language: str) -> frozenset[str]:
    """The words that a sentence about a record of this kind may use."""
    lists = claim_words()["tools"]
    named = f"{evidence.tool}.{evidence.record}"
    said = lists.get(named, lists.get(evidence.tool, {})).get(language, "")
    return _content(str(said), language)
