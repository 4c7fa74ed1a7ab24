"""What text from outside must be before anything reads it."""

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


Text = Annotated[str, AfterValidator(clean_text)]
