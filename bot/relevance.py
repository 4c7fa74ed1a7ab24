"""Does a document that was found answer the message: how sure must it be, and what must it hold?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from bot.assistant import Assistant
from bot.certainty import DIGRESSION_CONFIDENCE, is_surely_foreign
from bot.intent_groups import KNOWLEDGE_INTENTS
from bot.understanding.cues import cued_words, fold, has_cue
from bot.understanding.understand import Understanding
from knowledge.search import SearchHit

# A capitalised word after a small letter or a comma; the first word of a sentence is no name.
_INNER_CAPITAL = re.compile(r"(?:(?<=[a-zà-ÿ,] )|(?<=['’]))[A-ZÀ-Ý][a-zà-ÿ]{2,}")

# A title that intents tell more of than not.
FAMILIAR = 0.5


def least_score(assistant: Assistant, read: Understanding, hit: SearchHit, strict: bool) -> float:
    """How sure a document must be to answer a message, 0 to 1.

    What the intents say of the message counts as far as they know the document's matter: where a
    shop's documents tell of what no intent was taught, "none of our business" says little.
    """
    if strict:
        doubt = max(assistant.strict_answer_score - assistant.answer_score, 0.0)
        return assistant.answer_score + doubt * hit.familiar
    if read.intent in KNOWLEDGE_INTENTS and read.confidence >= DIGRESSION_CONFIDENCE:
        expected = hit.familiar >= FAMILIAR
        more = -assistant.expected_ease if expected else assistant.unexpected_doubt
        return assistant.answer_score + more * (1.0 - assistant.answer_score)
    return assistant.answer_score


def put_off_score(assistant: Assistant, hit: SearchHit, least: float) -> float:
    """How sure a document must be to answer before what a message was read as is done, 0 to 1.

    `least` is asked of a matter that the intents know. Of one that they do not, the reading is no
    better than a guess: `doubtful_score` is enough, and in between in proportion.
    """
    more = max(least - assistant.doubtful_score, 0.0)
    return min(least, assistant.doubtful_score) + more * hit.familiar


def sure_score(assistant: Assistant, strict: bool) -> float:
    """From which score on a document is given without a word of doubt."""
    return assistant.strict_answer_score if strict else assistant.sure_score


def verdict(
    assistant: Assistant, read: Understanding, hit: SearchHit
) -> Literal["sure", "doubtful", "silent"]:
    """Whether a document would be given as the answer to a message, and how."""
    strict = is_surely_foreign(read)
    if hit.score < least_score(assistant, read, hit, strict):
        return "silent"
    return "sure" if hit.score >= sure_score(assistant, strict) else "doubtful"


def lacks_what_is_asked(read: Understanding, hit: SearchHit) -> bool:
    """Whether a passage lacks the number, the person or the place that a message asks for."""
    if has_cue(read.folded, "asks_number") and not any(letter.isdigit() for letter in hit.passage):
        return True
    if has_cue(read.folded, "asks_person"):
        return True
    return lacks_name(read, hit)


def lacks_name(read: Understanding, hit: SearchHit) -> bool:
    """Whether a passage speaks of none of the places, people or brands that a message names."""
    held = fold(f"{hit.title} {hit.passage}")
    names = {fold(name) for name in _proper_names(read.text)} | set(named_places(read))
    return any(name not in held for name in names)


def named_places(read: Understanding) -> tuple[str, ...]:
    """The countries and regions that a message names, folded."""
    return cued_words(read.folded, "places")


def place_first(read: Understanding, hits: Sequence[SearchHit], least: float) -> list[SearchHit]:
    """Hits with one that speaks of the place asked about first, where one is sure enough.

    "Vous livrez en Suisse ?" is not answered by a page on Belgium that comes near it.
    """
    if not named_places(read) or not hits or not lacks_name(read, hits[0]):
        return list(hits)
    holding = [hit for hit in hits if hit.score >= least and not lacks_name(read, hit)]
    return [*holding, *(hit for hit in hits if hit not in holding)]


def unmentioned_name(read: Understanding, is_used: Callable[[str], bool]) -> str | None:
    """The first place, person or brand of a message whose words no document uses."""
    names = _proper_names(read.text)
    return next((name for name in names if not is_used(name)), None)


def _proper_names(text: str) -> list[str]:
    """Words with a capital inside a sentence of ordinary case: places, people, brands."""
    if text.isupper():
        return []
    return [match.group() for match in _INNER_CAPITAL.finditer(text)]
