"""What the agents' console is shown of conversations, their threads and files."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from api.admin.console_calls import CallView
from api.support.envelope import Moment
from api.support.upload import FileView, file_view
from channels.handoff_file import HandoffFile
from core.runtime import Runtime
from services.accounts.customers import Customer
from services.conversations.desk import Person, Summary
from services.conversations.notes import Note
from services.conversations.stream import StoredMessage
from services.orders.orders import Order
from services.tickets.tickets import Ticket


class QueueView(BaseModel):
    name: str = Field(examples=["unassigned"])
    conversations: int
    tickets: int


class PersonView(BaseModel):
    id: str
    reference: str = Field(examples=["CUST123"])
    name: str
    email: str


class AgentView(BaseModel):
    id: str
    name: str | None


class ConversationView(BaseModel):
    """A conversation in a list."""

    id: str
    channel: str = Field(examples=["web_chat"])
    language: str = Field(examples=["fr"])
    owner: Literal["bot", "waiting", "human", "closed"] = Field(
        description="Who answers the customer's next message."
    )
    owner_since: Moment
    assignee: AgentView | None
    unanswered_since: Moment | None = Field(
        description="When the customer wrote what the agent has not answered yet."
    )
    due_at: Moment | None = Field(description="When the promise to the customer ends.")
    reason: str | None = Field(description="Why a person was asked for.", examples=["requested"])
    customer: PersonView | None = Field(description="null for a visitor.")
    preview: str
    preview_role: str | None
    created_at: Moment
    updated_at: Moment


class MessageView(BaseModel):
    id: str
    sequence: int
    role: Literal["user", "assistant", "agent", "system"]
    content: str
    language: str | None
    intent: str | None
    confidence: float | None
    author: AgentView | None = Field(description="Of an agent's message.")
    sources: list[dict[str, Any]]
    products: list[dict[str, Any]]
    tool_results: list[dict[str, Any]]
    files: list[FileView]
    handoff: dict[str, Any] | None = Field(description="Of a message about who has it now.")
    trace: list[dict[str, Any]] = Field(description="How the assistant's reply came about.")
    created_at: Moment


class NoteView(BaseModel):
    id: str
    author: AgentView | None
    body: str
    created_at: Moment


class HandoffEventView(BaseModel):
    kind: str = Field(examples=["taken"])
    actor: str
    owner: str
    waited_seconds: int | None
    created_at: Moment


class TicketSummary(BaseModel):
    ticket_id: str = Field(examples=["TKT-2026-000012"])
    status: str
    priority: str
    problem_category: str
    sla_state: str
    sla_response_deadline: Moment
    first_response_at: Moment | None = Field(description="The clock stops with it.")
    escalated: bool = Field(description="Whether others were told that the answer is late.")
    created_at: Moment


class ThreadView(BaseModel):
    """A conversation as a whole."""

    conversation: ConversationView
    messages: list[MessageView]
    notes: list[NoteView]
    events: list[HandoffEventView]
    tickets: list[TicketSummary] = Field(description="This conversation's, then the customer's.")
    calls: list[CallView] = Field(description="That it was held in, oldest first.")


class StepView(BaseModel):
    step: str = Field(examples=["answered"])
    what: str
    at: Moment


class CustomerView(PersonView):
    phone: str | None
    city: str | None
    language: str


class OrderLineView(BaseModel):
    sku: str
    name: str
    quantity: int
    unit_price_cents: int


class OrderView(BaseModel):
    number: str = Field(examples=["CMD-2026-000101"])
    status: str
    ordered_at: Moment
    total_cents: int
    delivery_city: str
    lines: list[OrderLineView]


class HandoffFileView(BaseModel):
    """What a person must know who takes over."""

    reason: str | None
    facts: dict[str, Any]
    steps: list[StepView]
    sources: list[dict[str, Any]]
    photos: list[FileView]
    mood: Literal["calm", "impatient", "upset"]
    signs: list[str] = Field(description="What the mood was read from.")
    consents: dict[str, bool]
    customer: CustomerView | None
    orders: list[OrderView]
    tickets: list[TicketSummary]


def conversation_view(summary: Summary) -> ConversationView:
    return ConversationView(
        id=str(summary.id),
        channel=summary.channel,
        language=summary.language,
        owner=summary.owner,
        owner_since=summary.owner_since,
        assignee=agent_view(summary.assignee_id, summary.assignee_name),
        unanswered_since=summary.unanswered_since,
        due_at=summary.due_at,
        reason=summary.reason,
        customer=_person_view(summary.customer) if summary.customer else None,
        preview=summary.preview,
        preview_role=summary.preview_role,
        created_at=summary.created_at,
        updated_at=summary.updated_at,
    )


def agent_view(id: UUID | None, name: str | None) -> AgentView | None:
    return AgentView(id=str(id), name=name) if id is not None else None


def _person_view(person: Person) -> PersonView:
    return PersonView(
        id=str(person.id), reference=person.reference, name=person.name, email=person.email
    )


def message_view(
    message: StoredMessage, files: dict[str, FileView], trace: list[dict[str, Any]]
) -> MessageView:
    attached = message.attachments
    author = attached.get("author")
    return MessageView(
        id=str(message.id),
        sequence=message.sequence,
        role=message.role,
        content=message.content,
        language=message.language,
        intent=message.intent,
        confidence=message.confidence,
        author=AgentView(**author) if author else None,
        sources=[dict(source) for source in message.sources],
        products=list(attached.get("products", ())),
        tool_results=list(attached.get("tool_results", ())),
        files=[files[id] for id in attached.get("files", ()) if id in files],
        handoff=attached.get("handoff"),
        trace=trace,
        created_at=message.created_at,
    )


def note_view(note: Note) -> NoteView:
    return NoteView(
        id=str(note.id),
        author=agent_view(note.author_id, note.author),
        body=note.body,
        created_at=note.created_at,
    )


def ticket_summary(ticket: Ticket, now: Any) -> TicketSummary:
    return TicketSummary(
        ticket_id=ticket.number,
        status=ticket.status,
        priority=ticket.priority,
        problem_category=ticket.problem_category,
        sla_state=ticket.sla_state(now),
        sla_response_deadline=ticket.sla_response_deadline,
        first_response_at=ticket.first_response_at,
        escalated=ticket.is_escalated,
        created_at=ticket.created_at,
    )


def customer_view(customer: Customer) -> CustomerView:
    return CustomerView(
        id=str(customer.id),
        reference=customer.reference,
        name=f"{customer.first_name} {customer.last_name}".strip(),
        email=customer.email,
        phone=customer.phone,
        city=customer.city,
        language=customer.language,
    )


def order_view(order: Order) -> OrderView:
    lines = [
        OrderLineView(
            sku=line.sku,
            name=line.name,
            quantity=line.quantity,
            unit_price_cents=line.unit_price_cents,
        )
        for line in order.lines
    ]
    return OrderView(
        number=order.number,
        status=order.status,
        ordered_at=order.ordered_at,
        total_cents=order.total_cents,
        delivery_city=order.delivery_city,
        lines=lines,
    )


def handoff_file_view(runtime: Runtime, page: HandoffFile, request: Request) -> HandoffFileView:
    return HandoffFileView(
        reason=page.reason,
        facts=dict(page.facts),
        steps=[StepView(step=one.step, what=one.what, at=one.at) for one in page.steps],
        sources=[dict(source) for source in page.sources],
        photos=[file_view(runtime, photo, request) for photo in page.photos],
        mood=page.mood,
        signs=list(page.signs),
        consents=dict(page.consents),
        customer=customer_view(page.customer) if page.customer else None,
        orders=[order_view(order) for order in page.orders],
        tickets=[ticket_summary(ticket, runtime.clock()) for ticket in page.tickets],
    )
