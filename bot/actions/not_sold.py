"""Does the catalogue hold nothing of what a message asks whether the shop sells it?"""

from __future__ import annotations

from bot.turn import Turn
from bot.understanding.cues import has_cue
from knowledge.product_search import Catalogues, search_products
from knowledge.words import plain_words


async def is_not_sold(turn: Turn) -> bool:
    """Whether no product holds the first word of what is asked for: "… des trottinettes ?"."""
    if not has_cue(turn.read.folded, "sells"):
        return False
    words = plain_words(turn.read.corrected, turn.language)
    asked = [word for word in words if not has_cue(word, "looks_for")]
    if not asked:
        return False
    catalogue = await turn.runtime.part(Catalogues).of(turn.principal.organization_id)
    found = search_products(catalogue, asked[0], language=turn.language, limit=1)
    return not found.hits
