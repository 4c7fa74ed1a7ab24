"""Which part of a talkative message asks something, and which says what is not wanted?"""

from __future__ import annotations

import re

from bot.understanding.cues import fold, has_cue

# A greeting, an aside or a story ends in one of these before the question begins.
_ENDS = re.compile(r"(?<=[.!?…;:])\s+|\n+")
SHORTEST_WORDS = 3


# "I do not want to …", up to the next stop.
_REFUSED = re.compile(
    r"[^,;:.!?\n]*"
    r"(?:(?:veux|voudrais|souhaite|cherche) (?:surtout )?pas|(?:n['’]t|not) want"
    r"|no quiero|non voglio|(?:will|möchte|wil)\b[^,;:.!?\n]*\b(?:nicht|keinen?|niet|geen))"
    r"\b[^,;:.!?\n]*[,;:.]+\s*",
    re.IGNORECASE,
)
# "… just to …": what is wanted in its place.
_INSTEAD = re.compile(
    r"(?:(?:mais|but|pero|ma|maar|sondern)\s+)?(?:(?:je|j|i|ich|ik)['’]?\s*)?"
    r"(?:(?:veux|voudrais|souhaite|want|quiero|voglio|will|möchte|wil)\s+)?"
    r"(?:juste|seulement|simplement|just|only|simply|solo|sólo|nur|bloß|alleen|(?<=\s)savoir)\b",
    re.IGNORECASE,
)


# What the refused clause speaks of, where "it" follows.
_OWN = re.compile(
    r"\b(?:ma|mon|mes|my|meinen?|meine[rsm]?|mis?|mi[ao]|mijn)\s+\w+(?=[,;:.]+\s*$)", re.IGNORECASE
)


def without_refusal(text: str) -> str:
    """What is wanted, without the clause before it that says what is not.

    "Je veux pas annuler ma commande, juste savoir où elle est" asks where an order is.
    """
    for refused in _REFUSED.finditer(text):
        if _INSTEAD.match(text, refused.end()):
            own = _OWN.search(refused.group())
            wanted = f"{text[: refused.start()]} {text[refused.end() :]}".strip()
            return f"{wanted}, {own.group()}" if own else wanted
    return text


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
