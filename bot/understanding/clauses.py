"""Which part of a talkative message asks something, which says what is not wanted, and are two
things wanted in one?"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from bot.understanding.cues import cued_words, first_cue, fold, has_cue

# A greeting, an aside or a story ends in one of these before the question begins.
_ENDS = re.compile(r"(?<=[.!?…;:])\s+|\n+")
SHORTEST_WORDS = 3
# "… et vous livrez le samedi ?" A word that joins in one language stands within a part in another.
_JOINTS = {"fr": "et", "en": "and", "es": "y", "de": "und", "it": "e", "nl": "en"}
# Who tells more than this tells a story, of which parts say nothing alone.
LONGEST_DOUBLE_WORDS = 40

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
    return first_cue(fold(clause), "question") is not None


def two_wishes(text: str, language: str) -> tuple[str, str] | None:
    """The two parts of a message that each want something; None where it is not clearly two.

    "Où est ma commande et vous livrez le samedi ?"
    """
    if len(text.split()) > LONGEST_DOUBLE_WORDS:
        return None
    joints = _joined(language).finditer(text)
    cuts = sorted((*_ENDS.finditer(text), *joints), key=lambda cut: cut.start())
    # No more cuts than words, also of a text that is all blank lines.
    halves = [
        (text[: cut.start()].strip(" .!,;:"), text[cut.end() :].strip())
        for cut in cuts[:LONGEST_DOUBLE_WORDS]
    ]
    wanting = [(one, other) for one, other in halves if _wants(one) and _wants(other)]
    return wanting[0] if wanting else None


@cache
def _joined(language: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=\s){_JOINTS[language]}(?=\s)", re.IGNORECASE)


def _wants(clause: str) -> bool:
    if len(clause.split()) < SHORTEST_WORDS:
        return False
    folded = fold(clause)
    if "?" in clause or cued_words(folded, "wishes"):
        return True
    return first_cue(folded, "categories") is not None
