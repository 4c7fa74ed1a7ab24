"""How sure is a reading, and does it stand alone?"""

from __future__ import annotations

from bot import forms
from bot.understanding.understand import Understanding

FOREIGN_CONFIDENCE = 0.45
CLARIFY_BELOW = 0.5
CLARIFY_RATIO = 0.6
DIGRESSION_CONFIDENCE = 0.6
VAGUE_CONFIDENCE = 0.3
# Consent, and courtesies, are taken from a message that says so, not from a faint likeness.
AGREE_CONFIDENCE = 0.5
WORDLESS_CONFIDENCE = 0.9
FOLLOW_UP_WORDS = 7


def agrees(read: Understanding) -> bool:
    """Whether a message says yes."""
    least = WORDLESS_CONFIDENCE if forms.is_wordless(read) else AGREE_CONFIDENCE
    return read.intent == "affirm" and read.confidence >= least


def is_surely_foreign(read: Understanding) -> bool:
    """Whether a message is read as none of our business, rather than as hard to read."""
    if read.intent != "out_of_scope" or not read.ranking:
        return read.intent == "out_of_scope"
    best, score = read.ranking[0]
    return best == "out_of_scope" and score >= FOREIGN_CONFIDENCE


def is_short(read: Understanding) -> bool:
    """Whether a message may lean on what was said before."""
    return len(read.text.split()) <= FOLLOW_UP_WORDS


def opens_with_and(read: Understanding) -> bool:
    """Whether a message goes on with what was said before."""
    return read.folded.lstrip(" ¿¡").startswith(
        ("et ", "and ", "y ", "und ", "e ", "en ", "ou ", "or ", "mais ")
    )
