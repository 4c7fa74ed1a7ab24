"""How is a written text said?

A voice reads what it is given: "1 290 €", "TKT-2025-001234", "lun.-ven. 9h30-19h" or "90 x 200 cm"
come out wrong or not at all. Each is written out here as a person of the language reads it; the
words are in words.yaml, plurals, months and units come from Unicode's tables (Babel).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from channels.voice.spoken.addresses import say_addresses
from channels.voice.spoken.moments import say_dates, say_days, say_times
from channels.voice.spoken.numbers import say_numbers
from channels.voice.spoken.quantities import (
    say_dimensions,
    say_instalments,
    say_prices,
    say_ranges,
    say_units,
)
from channels.voice.spoken.references import say_ordinals, say_phones, say_references
from channels.voice.spoken.signs import plain_text, say_abbreviations, say_signs
from channels.voice.spoken.wording import Wording, wording_of

# Each finds what the ones behind it would take for something else: a date is no reference, the
# figures of a price are no plain number.
_STEPS: tuple[Callable[[str, Wording], str], ...] = (
    say_addresses,
    say_phones,
    say_dates,
    say_references,
    say_days,
    say_times,
    say_dimensions,
    say_instalments,
    say_ranges,
    say_prices,
    say_units,
    say_abbreviations,
    say_ordinals,
    say_signs,
    say_numbers,
)


def as_spoken(text: str, language: str) -> str:
    """The text with everything spelt out that a voice would misread; no figure is left.

    `language` is ISO 639-1, one of the six of the product; another one is returned as it is.
    """
    wording = wording_of(language)
    if wording is None:
        return text
    said = plain_text(text)
    for step in _STEPS:
        said = step(said, wording)
    return re.sub(r"[ \t]+([,.;:!?])(?=\s|$)", r"\1", re.sub(r"[ \t]{2,}", " ", said)).strip()
