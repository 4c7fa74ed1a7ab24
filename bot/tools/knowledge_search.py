"""The tool that searches what the shop knows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.text import Text
from core.tools import Tool, ToolContext
from knowledge.index import Knowledge
from knowledge.search import search

MAXIMUM_LIMIT = 10


class KnowledgeSearchArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: Text = Field(min_length=1, max_length=1_000, description="In the customer's words.")
    limit: int = Field(3, ge=1, le=MAXIMUM_LIMIT)


class PassageView(BaseModel):
    document_id: str
    title: str
    language: str
    quote: str = Field(description="A literal part of the document.")
    score: float = Field(description="0 to 1; how surely the passage answers the question.")


class KnowledgeSearchResult(BaseModel):
    passages: list[PassageView]


async def knowledge_search(
    context: ToolContext, arguments: KnowledgeSearchArguments
) -> KnowledgeSearchResult:
    """Find the passages of the shop's documents that answer a question, best first."""
    hits = await search(
        context.runtime.part(Knowledge),
        context.principal.organization_id,
        arguments.question,
        context.language,
        arguments.limit,
    )
    return KnowledgeSearchResult(
        passages=[
            PassageView(
                document_id=str(hit.document_id),
                title=hit.title,
                language=hit.language,
                quote=hit.quote,
                score=hit.score,
            )
            for hit in hits
        ]
    )


TOOL = Tool(
    name="knowledge_search",
    arguments=KnowledgeSearchArguments,
    result=KnowledgeSearchResult,
    run=knowledge_search,
    permission="chat:write",
)
