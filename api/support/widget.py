"""What the customers' widget needs beside the chat itself: who visits, what was cited, ratings."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi import Request as HttpRequest
from pydantic import BaseModel, Field

from api.dependencies import CurrentRuntime, KnownChatCaller, organization_of_visit
from api.json_body import StrictRoute
from api.support.envelope import Answer, Request, failures
from core.errors import NotFound
from core.text import Text
from knowledge.documents import read_document
from services.accounts.sessions import issue_visitor_token
from services.conversations.citations import was_cited
from services.conversations.ratings import (
    HIGHEST_SCORE,
    LOWEST_SCORE,
    MAXIMUM_COMMENT_LENGTH,
    Rating,
    rate_conversation,
)

# How much of a document is shown on either side of a quote.
CONTEXT_CHARACTERS = 1_200
MAXIMUM_QUOTE_CHARACTERS = 4_000

router = APIRouter(prefix="/api/chat", tags=["Chat"], route_class=StrictRoute)


class VisitorAnswer(Answer):
    visitor_token: str = Field(
        description="Send it as bearer token or in `X-Visitor-Token`; no cookie is set."
    )


class RatingRequest(Request):
    session_id: Text = Field(min_length=1, max_length=200, examples=["session_123"])
    score: int = Field(
        ge=LOWEST_SCORE,
        le=HIGHEST_SCORE,
        strict=True,
        description="1 (very bad) to 5 (very good).",
        examples=[5],
    )
    comment: Text = Field("", max_length=MAXIMUM_COMMENT_LENGTH, examples=["Réponse rapide."])


class RatingView(BaseModel):
    session_id: str
    score: int
    comment: str


class RatingAnswer(Answer):
    rating: RatingView


class CitedText(BaseModel):
    """The stretch of a document around a quote: `before`, `quote` and `after` join up."""

    id: str
    title: str
    before: str
    quote: str
    after: str
    begins_document: bool = Field(description="Whether `before` begins where the document does.")
    ends_document: bool


class CitedTextAnswer(Answer):
    source: CitedText


@router.post("/visitor", status_code=201, summary="Become a visitor", responses=failures(401))
async def become_visitor(request: HttpRequest, runtime: CurrentRuntime) -> VisitorAnswer:
    """A token for someone without an account, of the shop that `X-Public-Key` names."""
    organization_id = await organization_of_visit(request, runtime)
    token, _ = issue_visitor_token(runtime, organization_id)
    return VisitorAnswer(visitor_token=token)


@router.post("/rating", summary="Rate a conversation", responses=failures(401, 403, 404))
async def rate(
    body: RatingRequest, caller: KnownChatCaller, runtime: CurrentRuntime
) -> RatingAnswer:
    """Say what you think of a conversation of your own; the last rating counts."""
    principal = caller.principal
    principal.require("chat:write")
    rating = Rating(body.score, body.comment.strip())
    async with runtime.database.transaction(principal.organization_id) as transaction:
        await rate_conversation(
            transaction, principal.actor, body.session_id, rating, runtime.clock()
        )
    view = RatingView(session_id=body.session_id, score=rating.score, comment=rating.comment)
    return RatingAnswer(rating=view)


@router.get("/sources/{document_id}", summary="Read around a quote", responses=failures(401, 404))
async def read_cited_text(
    document_id: Annotated[UUID, Path(description="The `id` of a source of an answer.")],
    caller: KnownChatCaller,
    runtime: CurrentRuntime,
    session_id: Annotated[Text, Query(min_length=1, max_length=200)],
    quote: Annotated[Text, Query(min_length=1, max_length=MAXIMUM_QUOTE_CHARACTERS)],
) -> CitedTextAnswer:
    """The text around a quote that an answer in the caller's conversation was proved by."""
    principal = caller.principal
    async with runtime.database.reading(principal.organization_id) as transaction:
        cited = await was_cited(transaction, principal.actor, session_id, str(document_id), quote)
        if not cited:
            raise NotFound("No answer in this conversation was proved by this quote.")
        document = await read_document(transaction, document_id)
    begin = document.text.find(quote)
    if begin < 0:
        raise NotFound("The document has been changed since; this quote is no longer in it.")
    end = begin + len(quote)
    first, last = max(0, begin - CONTEXT_CHARACTERS), end + CONTEXT_CHARACTERS
    return CitedTextAnswer(
        source=CitedText(
            id=str(document_id),
            title=document.title,
            before=document.text[first:begin],
            quote=quote,
            after=document.text[end:last],
            begins_document=first == 0,
            ends_document=last >= len(document.text),
        )
    )
