"""The agents' console: queues, conversations, and what agents do in them (rows M25, X07, X08)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, FailFast, Field

from api.admin.console_agents import AssignmentRequest, chosen_agent
from api.admin.console_calls import call_views
from api.admin.console_views import (
    ConversationView,
    HandoffEventView,
    HandoffFileView,
    MessageView,
    NoteView,
    QueueView,
    ThreadView,
    conversation_view,
    handoff_file_view,
    message_view,
    note_view,
    ticket_summary,
)
from api.admin.envelope import APIResponse
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.upload import file_view
from channels import desk
from channels.desk import MAXIMUM_REPLY_LENGTH, Done, Reply, agent_of
from channels.draft import Draft, draft_reply
from channels.handoff_file import tickets_of, uploads_in, write_file
from core.database import Transaction
from core.errors import NotFound
from core.runtime import Runtime
from core.text import Text
from services.conversations.desk import (
    Queue,
    count_queues,
    read_conversation,
    summaries,
    thread_events,
    thread_messages,
    thread_traces,
)
from services.conversations.notes import MAXIMUM_NOTE_LENGTH, add_note, delete_note, list_notes
from services.conversations.search import Filters, find_conversations
from services.tickets.assignment import conversations_of_tickets, count_tickets

WORK = "conversations:write"

router = APIRouter(prefix="/api/v1/console", tags=["Console"], route_class=StrictRoute)

ConversationId = Annotated[str, Path(description="The conversation's id.", max_length=1_000)]


class SourceBody(BaseModel):
    """A source as the proposal gave it."""

    model_config = ConfigDict(extra="forbid")

    id: Text = Field(max_length=200)
    title: Text = Field(max_length=500)
    quote: Text = Field(max_length=5_000)
    score: float = Field(ge=0, le=1, strict=True)


class ReplyRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    message: Text = Field(
        min_length=1,
        max_length=MAXIMUM_REPLY_LENGTH,
        examples=["Bonjour, votre colis part demain ; je vous envoie le numéro de suivi."],
    )
    client_message_id: Text = Field(
        min_length=1,
        max_length=100,
        description="Sent again under the same id it is sent once.",
        examples=["reply-7f3a"],
    )
    suggestion: Literal["accepted", "edited"] | None = Field(
        None, description="Where the text was proposed by `GET …/suggestion`."
    )
    sources: Annotated[list[SourceBody], FailFast()] = Field(
        default_factory=list, max_length=20, description="Of the proposal, where they still hold."
    )


class NoteRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    body: Text = Field(
        min_length=1, max_length=MAXIMUM_NOTE_LENGTH, examples=["A déjà appelé le magasin hier."]
    )


class ActionView(BaseModel):
    """The conversation after an action, and the message that the customer now reads."""

    conversation: ConversationView
    message: MessageView | None = None


class SuggestionView(BaseModel):
    """What the assistant would answer; nothing has been sent."""

    message_id: str = Field(description="The customer's message; tests are made of it.")
    question: str
    text: str
    sources: list[dict[str, Any]]
    products: list[dict[str, Any]]
    intent: str
    confidence: float


@route(router, "GET", "/queues", summary="Count the queues")
async def read_queues(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[QueueView]]:
    """How many conversations and tickets wait in each queue of the caller."""
    operator.require(WORK)
    now = runtime.clock()
    async with runtime.database.reading(operator.organization_id) as transaction:
        conversations = await count_queues(transaction, operator.user_id, now)
        tickets = await count_tickets(transaction, operator.user_id, now)
    return APIResponse(
        data=[
            QueueView(name=name, conversations=count, tickets=tickets.get(name, 0))
            for name, count in conversations.items()
        ]
    )


@route(router, "GET", "/conversations", summary="Find conversations")
async def read_conversations(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    queue: Queue = "all",
    search: Annotated[
        Text | None, Query(max_length=200, description="Words, a name, a ticket's number.")
    ] = None,
    owner: Literal["bot", "waiting", "human", "closed"] | None = None,
    channel: Annotated[Text | None, Query(max_length=20)] = None,
    language: Annotated[Text | None, Query(max_length=2)] = None,
    assignee: UUID | None = None,
    customer: UUID | None = None,
    ids: Annotated[
        list[UUID] | None,
        Query(max_length=100, description="Of these only: which of them are still in the list."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`metadata.next_cursor` of the page before.")
    ] = None,
) -> APIResponse[list[ConversationView]]:
    """Queues begin with whoever waits longest, the rest with the newest."""
    operator.require(WORK)
    filters = Filters(queue, search, owner, channel, language, assignee, customer, ids)
    async with runtime.database.reading(operator.organization_id) as transaction:
        numbered = await conversations_of_tickets(transaction, search) if search else []
        rows, following = await find_conversations(
            transaction, filters, operator.user_id, limit, cursor, runtime.clock(), numbered
        )
        found = await summaries(transaction, rows)
    return APIResponse(
        data=[conversation_view(one) for one in found], metadata={"next_cursor": following}
    )


@route(
    router, "GET", "/conversations/{conversation_id}", summary="Read a conversation", fails=(404,)
)
async def read_thread(
    conversation_id: ConversationId,
    request: Request,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    after: Annotated[
        int, Query(ge=0, le=2**31 - 1, description="Only messages behind this number.")
    ] = 0,
) -> APIResponse[ThreadView]:
    """The whole thread: customer, assistant, people, tools, sources, files, notes and traces."""
    operator.require(WORK)
    id = _id(conversation_id)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=await _thread(transaction, runtime, request, id, after))


async def _thread(
    transaction: Transaction, runtime: Runtime, request: Request, id: UUID, after: int
) -> ThreadView:
    row = await read_conversation(transaction, id)
    said = await thread_messages(transaction, id, after)
    traces = await thread_traces(transaction, id)
    files = {
        upload.file_id: file_view(runtime, upload, request)
        for upload in await uploads_in(transaction, id, said)
    }
    events = await thread_events(transaction, id)
    return ThreadView(
        conversation=conversation_view((await summaries(transaction, [row]))[0]),
        messages=[
            message_view(one, files, [dict(step) for step in traces.get(one.id, ())])
            for one in said
        ],
        notes=[note_view(note) for note in await list_notes(transaction, id)],
        events=[HandoffEventView.model_validate(event, from_attributes=True) for event in events],
        tickets=[
            ticket_summary(ticket, runtime.clock()) for ticket in await tickets_of(transaction, row)
        ],
        calls=await call_views(transaction, runtime, request, id),
    )


@route(
    router,
    "GET",
    "/conversations/{conversation_id}/file",
    summary="Read the handoff file",
    fails=(404,),
)
async def read_file(
    conversation_id: ConversationId,
    request: Request,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[HandoffFileView]:
    """Facts, steps tried, sources shown, photos, mood, consents, the customer and their orders."""
    operator.require(WORK)
    id = _id(conversation_id)
    async with runtime.database.reading(operator.organization_id) as transaction:
        row = await read_conversation(transaction, id)
        said = await thread_messages(transaction, id)
        page = await write_file(transaction, row, said, await thread_traces(transaction, id))
    return APIResponse(data=handoff_file_view(runtime, page, request))


@route(
    router,
    "GET",
    "/conversations/{conversation_id}/suggestion",
    summary="Propose a reply",
    fails=(404,),
)
async def suggest_reply(
    conversation_id: ConversationId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[SuggestionView]:
    """What the assistant would answer the customer's last message; `data` null where nothing.

    An answer that you correct becomes a test by `POST /api/v1/evaluations/cases`.
    """
    operator.require(WORK)
    draft = await draft_reply(runtime, operator.organization_id, _id(conversation_id))
    return APIResponse(data=_suggestion_view(draft) if draft else None)


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/take",
    summary="Take a conversation",
    fails=(404, 409),
)
async def take_conversation(
    conversation_id: ConversationId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[ActionView]:
    """Answer the customer yourself. Of several who take it one has it, the others get 409."""
    done = await desk.take(runtime, operator, _id(conversation_id))
    return await _answer(runtime, operator.organization_id, _id(conversation_id), done)


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/reply",
    summary="Answer the customer",
    fails=(404, 409),
    status_code=201,
)
async def send_reply(
    conversation_id: ConversationId,
    body: ReplyRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[ActionView]:
    """Send a message; in a closed conversation the customer gets it by e-mail as well."""
    sources = tuple(source.model_dump() for source in body.sources)
    new = Reply(body.message, body.client_message_id, sources, body.suggestion)
    done = await desk.reply(runtime, operator, _id(conversation_id), new)
    return await _answer(runtime, operator.organization_id, _id(conversation_id), done)


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/hand_back",
    summary="Hand back to the assistant",
    fails=(404, 409),
)
async def hand_conversation_back(
    conversation_id: ConversationId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[ActionView]:
    """The assistant goes on, knowing what was said; managers may do it for others."""
    done = await desk.hand_back(runtime, operator, _id(conversation_id))
    return await _answer(runtime, operator.organization_id, _id(conversation_id), done)


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/close",
    summary="Close a conversation",
    fails=(404, 409),
)
async def close_conversation(
    conversation_id: ConversationId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[ActionView]:
    """End a conversation; the customer's next message opens it again."""
    done = await desk.close(runtime, operator, _id(conversation_id))
    return await _answer(runtime, operator.organization_id, _id(conversation_id), done)


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/assign",
    summary="Give a conversation to an agent",
    fails=(400, 404, 409),
)
async def assign_conversation(
    conversation_id: ConversationId,
    body: AssignmentRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[ActionView]:
    """By hand, in turn among the agents available, or by a skill."""
    operator.require(WORK)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        assignee = await chosen_agent(transaction, body, operator, runtime.clock())
    done = await desk.assign(runtime, operator, _id(conversation_id), assignee)
    return await _answer(runtime, operator.organization_id, _id(conversation_id), done)


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/typing",
    summary="Show that you are writing",
    fails=(404,),
    status_code=202,
)
async def show_typing(
    conversation_id: ConversationId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[None]:
    """The customer and other agents see it for a few seconds; sockets can send it too."""
    await desk.agent_types(runtime, operator, _id(conversation_id))
    return APIResponse(message="Shown.")


@route(
    router,
    "POST",
    "/conversations/{conversation_id}/note",
    summary="Write an internal note",
    fails=(404,),
    status_code=201,
)
async def write_note(
    conversation_id: ConversationId,
    body: NoteRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[NoteView]:
    """A note for staff; customers never see it."""
    author = agent_of(operator)
    id, now = _id(conversation_id), runtime.clock()
    async with runtime.database.transaction(operator.organization_id) as transaction:
        note = await add_note(transaction, id, author, body.body, now)
    await desk.announce(runtime, operator.organization_id, id, None)
    return APIResponse(message="The note is kept.", data=note_view(note))


@route(
    router,
    "DELETE",
    "/conversations/{conversation_id}/note/{note_id}",
    summary="Remove a note of your own",
    fails=(404,),
)
async def remove_note(
    conversation_id: ConversationId,
    note_id: Annotated[str, Path(max_length=1_000)],
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[None]:
    """Remove an internal note that you have written."""
    author = agent_of(operator)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        await delete_note(transaction, _id(conversation_id), _id(note_id, "note"), author)
    return APIResponse(message="The note has been removed.")


async def _answer(
    runtime: Runtime, organization_id: UUID, id: UUID, done: Done
) -> APIResponse[ActionView]:
    async with runtime.database.reading(organization_id) as transaction:
        row = await read_conversation(transaction, id)
        found = (await summaries(transaction, [row]))[0]
    message = message_view(done.message, {}, []) if done.message else None
    return APIResponse(data=ActionView(conversation=conversation_view(found), message=message))


def _suggestion_view(draft: Draft) -> SuggestionView:
    return SuggestionView(
        message_id=str(draft.message_id),
        question=draft.question,
        text=draft.text,
        sources=list(draft.sources),
        products=list(draft.products),
        intent=draft.intent,
        confidence=draft.confidence,
    )


def _id(text: str, what: str = "conversation") -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"There is no such {what}.") from error
