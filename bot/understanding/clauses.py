"""Which part of a talkative message asks something, and which says what is not wanted?"""

from __future__ import annotations

import re

from bot.understanding.cues import fold, has_cue

# A greeting, an aside or a story ends in one of these before the question begins.
_ENDS = re.compile(r"(?<=[.!?…;:])\s+|\n+")
SHORTEST_WORDS = 3


# "I do not want to …", and its halves where words stand between them.
_REFUSES = re.compile(
    r"\b(?:(?:veux|voudrais|souhaite|cherche) (?:surtout )?pas|no quiero|non voglio)\b"
    r"|(?:n['’]t|\bnot) want\b",
    re.IGNORECASE,
)
_WANTS = re.compile(r"\b(?:will|möchte|wil)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:nicht|keinen?|niet|geen)\b", re.IGNORECASE)
_STOPS = re.compile(r"[,;:.!?\n]+\s*")
# "… just to …": what is wanted in its place.
_INSTEAD = re.compile(
    r"(?:(?:mais|but|pero|ma|maar|sondern)\s+)?(?:(?:je|j|i|ich|ik)['’]?\s*)?"
    r"(?:(?:veux|voudrais|souhaite|want|quiero|voglio|will|möchte|wil)\s+)?"
    r"(?:juste|seulement|simplement|just|only|simply|solo|sólo|nur|bloß|alleen|(?<=\s)savoir)\b",
    re.IGNORECASE,
)


# What the refused clause speaks of, where "it" follows.
_OWN = re.compile(r"\b(?:ma|mon|mes|my|meinen?|meine[rsm]?|mis?|mi[ao]|mijn)\s+\w+$", re.IGNORECASE)


def without_refusal(text: str) -> str:
    """What is wanted, without the clause before it that says what is not.

    "Je veux pas annuler ma commande, juste savoir où elle est" asks where an order is. Takes time
    in proportion to the text.
    """
    begins = 0
    for stop in _STOPS.finditer(text):
        clause = text[begins : stop.start()]
        if _INSTEAD.match(text, stop.end()) and _refuses(clause):
            own = _OWN.search(clause)
            wanted = text[:begins] + text[stop.end() :]
            return f"{wanted}, {own.group()}" if own else wanted
        begins = stop.end()
    return text


def _refuses(clause: str) -> bool:
    if _REFUSES.search(clause):
        return True
    wants = _WANTS.search(clause)
    return wants is not None and _NOT.search(clause, wants.end()) is not None


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
