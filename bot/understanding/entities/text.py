"""How is a message cleaned, folded and cut into words before entities are looked for?"""

import re
import unicodedata

from core.text import fold as plain

MAX_CHARACTERS = 4000
"""Longer messages are read at both ends only: the work for one message stays bounded."""

_TAIL_CHARACTERS = 1000
_MAX_TOKENS = 800
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")
_LETTERS = str.maketrans(
    {
        "ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i",
        "’": "'", "‘": "'", "´": "'", "`": "'", "′": "'", "“": '"', "”": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‑": "-", "‐": "-", "−": "-", "×": "x",
    }
)  # fmt: skip
_TOKEN = re.compile(r"[a-z0-9]+|[,;.:!?]")


def clean(text: str) -> str:
    """Bound, normalise and lowercase a message; accents stay.

    Invisible characters are removed, typographic quotes and dashes become plain ones, white space
    becomes one space.
    """
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - _TAIL_CHARACTERS] + " " + text[-_TAIL_CHARACTERS:]
    composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).lower()
    return _BLANK.sub(" ", composed.translate(_LETTERS)).strip()


def strip_accents(text: str) -> str:
    """Remove accents and compatibility forms: "canapé" gives "canape", "m²" gives "m2"."""
    return plain(text)[: 2 * MAX_CHARACTERS]


def fold(text: str) -> str:
    """Clean a text and remove its accents: the form in which all lists are compared."""
    return strip_accents(clean(text))


def tokenize(folded: str) -> list[str]:
    """Cut a folded text into words, numbers and punctuation marks, at most 800 of them."""
    return _TOKEN.findall(folded)[:_MAX_TOKENS]


def stem(token: str) -> str:
    """Remove a final plural mark; applied to lists and messages alike."""
    return token[:-1] if len(token) > 3 and token[-1] in "sx" else token
