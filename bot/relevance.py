"""Does the document that was found hold what the message asks for: its number, person or place?"""

from __future__ import annotations

import re

from bot.understanding.cues import fold, has_cue
from bot.understanding.understand import Understanding
from knowledge.search import SearchHit

# A capitalised word after a small letter or a comma; the first word of a sentence is no name.
_INNER_CAPITAL = re.compile(r"(?:(?<=[a-zà-ÿ,] )|(?<=['’]))[A-ZÀ-Ý][a-zà-ÿ]{2,}")


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
