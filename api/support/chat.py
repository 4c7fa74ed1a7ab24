"""A customer's conversation: `POST /api/chat` and `GET /api/chat/history` (seed 003)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, FailFast, Field

from api.dependencies import (
    ChatCaller,
    CurrentRuntime,
    KnownChatCaller,
    remember_visitor,
)
from api.json_body import StrictRoute
from api.support.chat_stream import stream_turn, wants_stream
from api.support.envelope import Answer, Moment, Request, failures
from bot.messages import IncomingMessage
from channels.turns import LiveTurns
from channels.web_chat import answer
from core.errors import InvalidRequest
from core.security import random_token
from core.text import Text
from services.conversations.conversations import Message, read_history
from services.uploads.attachments import MAXIMUM_ATTACHMENTS

MAXIMUM_MESSAGE_CHARACTERS = 20_000

router = APIRouter(prefix="/api/chat", tags=["Chat"], route_class=StrictRoute)


class ChatRequest(Request):
    message: Text = Field(
        min_length=1,
        max_length=MAXIMUM_MESSAGE_CHARACTERS,
        examples=["Bonjour, j'ai un problème avec mon canapé"],
    )
    language: Literal["fr", "en", "es", "de", "it", "nl"] | None = Field(
        None, description="A hint for the first message; the assistant follows the customer."
    )
    session_id: Text | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Names the conversation among the caller's own; made when left out.",
        examples=["session_123"],
    )
    client_message_id: Text | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The same id again answers with the first reply; nothing is done twice.",
    )
    attachments: Annotated[list[Text], FailFast()] = Field(
        default_factory=list,
        max_length=MAXIMUM_ATTACHMENTS,
        description="Ids of the caller's own uploaded files.",
        examples=[["upload_123"]],
    )


class SourceView(BaseModel):
    """What an answer is proved by: `quote` is a literal part of the document `id`."""

    id: str
    title: str
    quote: str
    score: float


class ToolResultView(BaseModel):
    """A tool that has run in this turn, and what it answered."""

    tool: str
    result: dict[str, Any]


class ChatAnswer(Answer):
    response: str
    language: str
    session_id: str
    intent: str = Field(description="Of this message.")
    confidence: float = Field(ge=0, le=1)
    sources: list[SourceView]
    products: list[dict[str, Any]] = Field(description="Product cards, as `/api/products` answers.")
    tool_results: list[ToolResultView]
    suggestions: list[str]
    message_id: str
    visitor_token: str | None = Field(
        None,
        description="Only in a visitor's first answer: send it as bearer token or in "
        "`X-Visitor-Token`; nothing else opens this conversation.",
    )


class HistoryMessage(BaseModel):
    id: str
    role: Literal["user", "assistant", "agent", "system"]
    content: str
    intent: str | None
    sources: list[SourceView]
    attachments: list[str] = Field(description="Ids of the files that came with it.")
    created_at: Moment


class HistoryAnswer(Answer):
    messages: list[HistoryMessage]
    total: int
    limit: int
    offset: int


@router.post(
    "",
    response_model=ChatAnswer,
    response_model_exclude_none=True,
    responses={
        200: {
            "description": "The reply; as events where `Accept: text/event-stream` asks for them.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **failures(401),
    },
    summary="Send a message",
)
async def post_chat(
    body: ChatRequest,
    caller: ChatCaller,
    runtime: CurrentRuntime,
    response: Response,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> ChatAnswer | Response:
    """Answer a customer's message.

    Visitors need no account: their first answer carries a token that opens the conversation again.
    With `Accept: text/event-stream` the reply comes sentence by sentence, as server-sent events.
    """
    if not body.message.strip():
        raise InvalidRequest("The message is empty; write something.")
    caller.principal.require("chat:write")
    session_id = body.session_id or random_token("session_")
    message = IncomingMessage(
        principal=caller.principal,
        session_id=session_id,
        text=body.message,
        language=body.language,
        client_message_id=body.client_message_id,
        attachments=tuple(body.attachments),
    )
    if wants_stream(accept):
        turn = runtime.part(LiveTurns).start(message, streamed=True)
        return await stream_turn(turn, caller, runtime)
    reply = await answer(message, runtime)
    remember_visitor(response, caller, runtime)
    return ChatAnswer(
        response=reply.text,
        language=reply.language,
        session_id=session_id,
        intent=reply.intent,
        confidence=round(reply.confidence, 4),
        sources=[SourceView(**source) for source in reply.sources],
        products=reply.products,
        tool_results=[ToolResultView(**done) for done in reply.tool_results],
        suggestions=reply.suggestions,
        message_id=str(reply.message_id),
        visitor_token=caller.new_visitor_token,
    )


@router.get(
    "/history",
    response_model=HistoryAnswer,
    responses=failures(401),
    summary="Read one's own messages",
)
async def get_history(
    caller: KnownChatCaller,
    runtime: CurrentRuntime,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    session_id: Annotated[Text | None, Query(max_length=200)] = None,
) -> HistoryAnswer:
    """The caller's own messages, oldest first; of one session where `session_id` is given."""
    principal = caller.principal
    async with runtime.database.reading(principal.organization_id) as transaction:
        messages, total = await read_history(
            transaction, principal.actor, session_id, limit, offset
        )
    return HistoryAnswer(
        messages=[_view(message) for message in messages],
        total=total,
        limit=limit,
        offset=offset,
    )


def _view(message: Message) -> HistoryMessage:
    return HistoryMessage(
        id=str(message.id),
        role=message.role,
        content=message.content,
        intent=message.intent,
        sources=[SourceView(**source) for source in message.sources],
        attachments=list(message.attachments.get("files", ())),
        created_at=message.created_at,
    )
