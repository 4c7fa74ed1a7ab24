"""Which of the documents found answer this message: what it asks for counts beside its words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.understanding.cues import fold, has_cue
from bot.understanding.understand import Understanding
from knowledge.search import SearchHit

# Intents that say nothing of what a document is about.
UNINFORMATIVE = frozenset(
    {
        "affirm",
        "complaint",
        "deny",
        "goodbye",
        "greeting",
        "human_agent",
        "out_of_scope",
        "thanks",
    }
)
SUBJECT_WEIGHT = 0.3

# A capitalised word after a small letter or a comma; the first word of a sentence is no name.
_INNER_CAPITAL = re.compile(r"(?:(?<=[a-zà-ÿ,] )|(?<=['’]))[A-ZÀ-Ý][a-zà-ÿ]{2,}")


def by_subject(
    hits: Sequence[SearchHit],
    read: Understanding,
    subject_of: Callable[[str], Mapping[str, float]],
) -> list[SearchHit]:
    """Raise the score of hits whose title asks for what the message asks for; best first."""
    raised = [
        replace(
            hit,
            score=min(1.0, hit.score + SUBJECT_WEIGHT * _agreement(read, subject_of(hit.title))),
        )
        for hit in hits
    ]
    return sorted(raised, key=lambda hit: -hit.score)


def _agreement(read: Understanding, subject: Mapping[str, float]) -> float:
    """How alike two readings are: the Bhattacharyya coefficient of their intents, 0 to 1."""
    return sum(
        math.sqrt(score * subject.get(intent, 0.0))
        for intent, score in read.ranking
        if intent not in UNINFORMATIVE
    )


def lacks_what_is_asked(read: Understanding, hit: SearchHit) -> bool:
    """Whether a passage lacks the number, the person or the place that a message asks for."""
    if has_cue(read.folded, "asks_number") and not any(letter.isdigit() for letter in hit.passage):
        return True
    if has_cue(read.folded, "asks_person"):
        return True
    held = fold(f"{hit.title} {hit.passage}")
    return any(fold(name) not in held for name in _proper_names(read.text))


def _proper_names(text: str) -> list[str]:
    """Words with a capital inside a sentence of ordinary case: places, people, brands."""
    if text.isupper():
        return []
    return [match.group() for match in _INNER_CAPITAL.finditer(text)]
