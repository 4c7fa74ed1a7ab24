"""Where does one breath of a spoken text end and the next begin?"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_SENTENCE = 240
# A word longer than this is nothing that a voice can say; engines hang on it.
LONGEST_WORD = 40
_END = re.compile(r"(?<=[.!?…;:])\s+|\n+")
_PAUSE = re.compile(r"(?<=,)\s+")
_WORD = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, none longer than an engine takes at once."""
    for sentence in _END.split(text):
        whole = " ".join(_WORD.sub(r"\g<0> ", sentence).split())
        while len(whole) > LONGEST_SENTENCE:
            cut = _cut(whole)
            yield whole[:cut].strip()
            whole = whole[cut:].strip()
        if any(sign.isalnum() for sign in whole):
            yield whole


def _cut(sentence: str) -> int:
    """Where a long sentence is broken: behind a comma, else between words."""
    commas = [found.end() for found in _PAUSE.finditer(sentence, 0, LONGEST_SENTENCE)]
    if commas:
        return commas[-1]
    space = sentence.rfind(" ", 0, LONGEST_SENTENCE)
    return space if space > 0 else LONGEST_SENTENCE
