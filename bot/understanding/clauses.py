"""Which part of a talkative message asks something, and which says what is not wanted?"""

from __future__ import annotations

import re
from itertools import pairwise

from bot.understanding.cues import cued_words, fold, has_cue

# A greeting, an aside or a story ends in one of these before the question begins.
_ENDS = re.compile(r"(?<=[.!?…;:])\s+|\n+")
SHORTEST_WORDS = 3


_STOPS = re.compile(r"[,;:.!?\n]+\s*")
# How far into a clause the word stands that tells it from the one before.
INSTEAD_WITHIN_WORDS = 4


def without_refusal(text: str) -> str:
    """What is wanted, without the clause before it that says what is not.

    "Je veux pas annuler ma commande, juste savoir où elle est" asks where an order is. Takes time
    in proportion to the text.
    """
    stops = list(_STOPS.finditer(text))
    starts = [0, *(stop.end() for stop in stops)]
    clauses = [text[start : stop.start()] for start, stop in zip(starts, stops, strict=False)]
    clauses.append(text[starts[-1] :])
    for place, (refused, wanted) in enumerate(pairwise(clauses)):
        if _says_instead(wanted) and _refuses(fold(refused)):
            rest = text[: starts[place]] + text[starts[place + 1] :]
            own = _own(refused)
            return f"{rest}, {own}" if own else rest
    return text


def _says_instead(clause: str) -> bool:
    return has_cue(fold(" ".join(clause.split()[:INSTEAD_WITHIN_WORDS])), "instead")


def _refuses(clause: str) -> bool:
    if has_cue(clause, "refuses"):
        return True
    return bool(cued_words(clause, "wants")) and has_cue(clause, "refuses_what_is_wanted")


def _own(clause: str) -> str | None:
    """What a clause speaks of at its end, where "it" follows: "ma commande"."""
    last = clause.split()[-2:]
    return " ".join(last) if len(last) == 2 and cued_words(fold(last[0]), "own") else None


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
