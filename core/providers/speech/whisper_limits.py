"""What holds for Whisper whichever program runs it: its languages, and how much it may write."""

from __future__ import annotations

import math

# Those that the product speaks, of the ninety-nine that Whisper knows.
LANGUAGES = ("fr", "en", "de", "es", "it", "nl")
BEAM_SIZE = 5
# A person says three or four words a second, a word takes one to three tokens.
TOKENS_A_SECOND = 12
FEWEST_TOKENS = 24
MOST_TOKENS = 224


def most_tokens(seconds: float) -> int:
    """How many tokens can be said in so many seconds: a model that repeats itself is cut off."""
    return min(MOST_TOKENS, FEWEST_TOKENS + math.ceil(seconds * TOKENS_A_SECOND))
