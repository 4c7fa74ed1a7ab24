"""What must text from outside be before anything reads it, and in what form is it compared?"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Annotated

from pydantic import AfterValidator

# Bringing n marks in a row to NFC costs n² steps; Unicode's stream-safe format allows 30.
MAXIMUM_MARKS_IN_A_ROW = 64
_MARKS = range(0x300, 0x1EA00)
_PERHAPS_MARKS = re.compile(f"[\u0300-\U0001ea00]{{{MAXIMUM_MARKS_IN_A_ROW + 1}}}")


@cache
def _mark_run() -> re.Pattern[str]:
    marks = "".join(chr(point) for point in _MARKS if unicodedata.combining(chr(point)))
    return re.compile(f"[{marks}]{{{MAXIMUM_MARKS_IN_A_ROW + 1}}}")


def _holds_mark_run(value: str) -> bool:
    return bool(_PERHAPS_MARKS.search(value) and _mark_run().search(value))


def clean_text(value: str) -> str:
    """Bring text to NFC; refuse what no database stores faithfully, or what never ends.

    Raises ValueError for NUL, a lone surrogate, or a long run of combining marks.
    """
    if value.isascii() and "\x00" not in value:
        return value
    if "\x00" in value:
        raise ValueError("the text holds a NUL character; remove it")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("the text is not valid Unicode (lone surrogate)") from error
    if _holds_mark_run(value):
        raise ValueError("the text holds too many combining marks in a row")
    return unicodedata.normalize("NFC", value)


def _plain_letters() -> dict[int, str]:
    """Every accented Latin letter, ligature and typographic apostrophe, and its plain form."""
    letters = {ord("œ"): "oe", ord("æ"): "ae", ord("ß"): "ss", ord("ø"): "o", ord("’"): "'"}
    for code in range(0xC0, 0x250):
        plain = unicodedata.normalize("NFKD", chr(code).lower())
        if plain[0].isascii():
            letters.setdefault(code, plain[0])
    return letters


_PLAIN_LETTERS = _plain_letters()


def fold(text: str) -> str:
    """Lower case without accents: `Éléphant` and `elephant` are one word, `m²` is `m2`."""
    folded = text.lower().translate(_PLAIN_LETTERS)
    if folded.isascii():
        return folded
    # Some signs decompose into capitals: `℠` is `SM`.
    decomposed = unicodedata.normalize("NFKD", folded).lower().translate(_PLAIN_LETTERS)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


Text = Annotated[str, AfterValidator(clean_text)]
