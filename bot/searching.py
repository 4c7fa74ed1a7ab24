"""Which documents answer a message as it was read: one embedding serves intent and search."""

from __future__ import annotations

import re
from uuid import UUID

from bot.understanding.understand import Interpreter, Understanding, informative
from core.runtime import Runtime
from core.text import fold
from knowledge.index import Knowledge
from knowledge.search import ExplainedHit, explain

# Where a shop is asked about, a document that names it goes before the best if it comes so near.
ABOUT_SHOPS = frozenset({"store_hours", "stock_question"})
NAMED_SHOP_RATIO = 0.5
NAME_LETTERS = 4

_WORD = re.compile(r"\w+")


async def documents_for(
    runtime: Runtime, organization_id: UUID, read: Understanding, limit: int
) -> list[ExplainedHit]:
    """The documents of one organization that answer a message best, best first, with reasons.

    Of documents that come near, those about the shop that is named come before others.
    """
    found = await explain(
        runtime.part(Knowledge),
        organization_id,
        read.corrected,
        read.language,
        limit,
        vector=read.vector,
        intents=informative(read.ranking),
    )
    about_shop = read.intent in ABOUT_SHOPS and read.entities.stores
    return _named_shops_first(found, read) if about_shop else found


def _named_shops_first(found: list[ExplainedHit], read: Understanding) -> list[ExplainedHit]:
    """ "Ouvert le dimanche à Lille ?": rather the page of that shop than that of all."""
    names = set(fold(" ".join(read.entities.stores)).split())
    said = {word for word in names & set(_WORD.findall(read.folded)) if len(word) >= NAME_LETTERS}

    def shared(one: ExplainedHit) -> int:
        near = one.hit.score >= NAMED_SHOP_RATIO * found[0].hit.score
        if not near or one.hit.language != found[0].hit.language:
            return 0
        return len(said & set(_WORD.findall(fold(one.hit.title))))

    return sorted(found, key=shared, reverse=True)


async def documents_for_text(
    runtime: Runtime, organization_id: UUID, text: str, language: str, limit: int
) -> tuple[Understanding, list[ExplainedHit]]:
    """The same for a text as the assistant would read it, and what it has read.

    `language` is taken where the text does not tell its own.
    """
    read = await runtime.part(Interpreter).understand(text, language, organization_id)
    return read, await documents_for(runtime, organization_id, read, limit)
