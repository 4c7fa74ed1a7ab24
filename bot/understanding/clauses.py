"""Which part of a talkative message asks something?"""

from __future__ import annotations

import re

from bot.understanding.cues import fold, has_cue

# A greeting, an aside or a story ends in one of these before the question begins.
_ENDS = re.compile(r"(?<=[.!?…;:])\s+|\n+")
SHORTEST_WORDS = 3


def asking_clause(text: str) -> str | None:
    """The last clause that asks, where others stand beside it; None where there is nothing to cut.

    "Bonjour, on vient d'emménager. Livrez-vous en Corse ?" asks "Livrez-vous en Corse ?".
    """
    clauses = [clause.strip() for clause in _ENDS.split(text) if clause and clause.strip()]
    if len(clauses) < 2:
        return None
    asking = [
        clause
        for clause in clauses
        if len(clause.split()) >= SHORTEST_WORDS and ("?" in clause or _has_question_word(clause))
    ]
    return asking[-1] if asking else None


def _has_question_word(clause: str) -> bool:
    return has_cue(fold(clause), "question")
