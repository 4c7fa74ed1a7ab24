"""When two e-mail addresses are the same."""

from __future__ import annotations

import re
import unicodedata

from core.errors import InvalidRequest

# RFC 5321: a path holds at most 254 characters.
MAXIMUM_EMAIL_LENGTH = 254
_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def normalise_email(value: str) -> str:
    """Bring an address to the one form that is stored and compared: NFKC, lower case, trimmed.

    Compatibility characters (full-width letters, ligatures) become the letters that they show, so
    no second account can look the same as a first; letters of other scripts stay different.
    Raises InvalidRequest for what is no address.
    """
    clipped = value[: 2 * MAXIMUM_EMAIL_LENGTH]
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", clipped).lower()).strip()
    printable = folded.isprintable() and not any(
        unicodedata.category(character) in {"Cf", "Cs"} for character in folded
    )
    if len(folded) > MAXIMUM_EMAIL_LENGTH or not printable or _ADDRESS.fullmatch(folded) is None:
        raise InvalidRequest("This is not an e-mail address.", {"field": "email"})
    return folded
