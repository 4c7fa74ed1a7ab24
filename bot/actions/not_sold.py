"""Does the catalogue hold nothing of what a message asks whether the shop sells it?"""

from __future__ import annotations

from bot.turn import Turn
from bot.understanding.cues import after_cue, fold
from knowledge.product_search import Catalogues, search_products
from knowledge.words import plain_words


async def is_not_sold(turn: Turn) -> bool:
    """Whether no product holds the first word of what is asked for: "… des trottinettes ?"."""
    asked = after_cue(fold(turn.read.corrected), "sells")
    words = plain_words(asked or "", turn.language)
    if not words:
        return False
    catalogue = await turn.runtime.part(Catalogues).of(turn.principal.organization_id)
    return not search_products(catalogue, words[0], language=turn.language, limit=1).hits
