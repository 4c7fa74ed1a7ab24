"""Which documents answer a message as it was read: one embedding serves intent and search."""

from __future__ import annotations

from uuid import UUID

from bot.understanding.understand import Interpreter, Understanding, informative
from core.runtime import Runtime
from knowledge.index import Knowledge
from knowledge.search import ExplainedHit, explain


async def documents_for(
    runtime: Runtime, organization_id: UUID, read: Understanding, limit: int
) -> list[ExplainedHit]:
    """The documents of one organization that answer a message best, best first, with reasons."""
    return await explain(
        runtime.part(Knowledge),
        organization_id,
        read.corrected,
        read.language,
        limit,
        vector=read.vector,
        intents=informative(read.ranking),
    )


async def documents_for_text(
    runtime: Runtime, organization_id: UUID, text: str, language: str, limit: int
) -> tuple[Understanding, list[ExplainedHit]]:
    """The same for a text as the assistant would read it, and what it has read.

    `language` is taken where the text does not tell its own.
    """
    read = await runtime.part(Interpreter).understand(text, language, organization_id)
    return read, await documents_for(runtime, organization_id, read, limit)
