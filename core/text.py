"""What must text from outside be before anything reads it, and in what form is it compared?"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Annotated

from pydantic import AfterValidator

# Bringing n marks in a row to NFC costs n² steps; Unicode's stream-safe format allows 30.
MAXIMUM_MARKS_IN_A_ROW = 64
# Folding comes upon some hundred other than letters; a hostile text must not fill the memory.
MOST_REMEMBERED_FORMS = 4_096
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


class _PlainForms(dict[int, str]):
    """What each character becomes when it is folded; found out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        # Some signs decompose into capitals: `℠` is `SM`.
        decomposed = unicodedata.normalize("NFKD", character).lower()
        if decomposed != character:
            plain = decomposed.translate(self)
        else:
            plain = "" if unicodedata.combining(character) else character
        if len(self) < MOST_REMEMBERED_FORMS:
            self[code] = plain
        return plain


def _plain_forms() -> _PlainForms:
    """Begins with ASCII, every accented Latin letter, ligatures and the typographic apostrophe."""
    forms = _PlainForms({code: chr(code) for code in range(0x80)})
    forms |= {ord("œ"): "oe", ord("æ"): "ae", ord("ß"): "ss", ord("ø"): "o", ord("’"): "'"}
    for code in range(0xC0, 0x250):
        plain = unicodedata.normalize("NFKD", chr(code).lower())
        if plain[0].isascii():
            forms.setdefault(code, plain[0])
    return forms


_PLAIN_FORMS = _plain_forms()


def fold(text: str) -> str:
    """Lower case without accents: `Éléphant` and `elephant` are one word, `m²` is `m2`."""
    lower = text.lower()
    return lower if lower.isascii() else lower.translate(_PLAIN_FORMS)


Text = Annotated[str, AfterValidator(clean_text)]
