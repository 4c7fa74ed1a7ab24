"""Tickets at the agents' desk: queues, the ticket panel, related tickets and merging."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.admin.console_agents import AssignmentRequest, chosen_agent
from api.admin.console_views import TicketSummary, ticket_summary
from api.admin.envelope import APIResponse
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from core.database import Transaction
from core.runtime import Runtime
from core.security import Principal
from core.text import Text
from services.conversations.desk import names_of
from services.tickets.assignment import TicketQueue, find_tickets
from services.tickets.changes import Status, assign, list_comments, list_events
from services.tickets.related import merge_tickets, related_tickets, unmerge_ticket
from services.tickets.sla import seconds_left
from services.tickets.tickets import Ticket, find_ticket

WORK = "tickets:manage"

router = APIRouter(prefix="/api/v1/console/tickets", tags=["Console"], route_class=StrictRoute)

TicketNumber = Annotated[str, Path(description="Such as TKT-2026-000012.", max_length=1_000)]


class TicketRow(TicketSummary):
    """A ticket in a list."""

    problem_severity: str
    customer_id: str | None = Field(examples=["CUST123"])
    product_sku: str | None
    order_number: str | None
    assignee_id: str | None
    assignee_name: str | None
    conversation_id: str | None
    preview: str
    seconds_left: int | None = Field(
        description="Until the deadline, negative behind it; null once answered."
    )
    paused_since: Moment | None = Field(description="While the clock stands still.")
    updated_at: Moment


class CommentRow(BaseModel):
    id: str
    actor: str
    from_staff: bool
    is_internal: bool
    body: str
    created_at: Moment


class EventRow(BaseModel):
    actor: str
    kind: str
    details: dict[str, object]
    created_at: Moment


class TicketPanel(TicketRow):
    """Everything about a ticket; it is changed by `PATCH /api/tickets/{ticket_id}`."""

    description: str
    contact_email: str | None
    resolved_at: Moment | None
    comments: list[CommentRow]
    events: list[EventRow]
    related: list[TicketSummary]
    merged: bool


class MergeRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    into: Text = Field(
        max_length=40, description="The ticket that stays.", examples=["TKT-2026-000042"]
    )


@route(router, "GET", "", summary="Find tickets")
async def read_tickets(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    queue: TicketQueue = "all",
    search: Annotated[
        Text | None, Query(max_length=200, description="Words, names, numbers or parts of them.")
    ] = None,
    status: Status | None = None,
    numbers: Annotated[
        list[Annotated[Text, Field(max_length=40)]] | None,
        Query(max_length=100, description="Of these only: which of them are still in the list."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`metadata.next_cursor` of the page before.")
    ] = None,
) -> APIResponse[list[TicketRow]]:
    """Queues begin with the nearest deadline, `all` with the newest ticket."""
    operator.require(WORK)
    now = runtime.clock()
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, following = await find_tickets(
            transaction, queue, search, status, operator.user_id, limit, cursor, now, numbers
        )
        names = await names_of(transaction, {ticket.assignee_id for ticket in found})
    rows = [_row(ticket, names, runtime) for ticket in found]
    return APIResponse(data=rows, metadata={"next_cursor": following})


@route(router, "GET", "/{ticket_id}", summary="Read a ticket's panel", fails=(404,))
async def read_panel(
    ticket_id: TicketNumber, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[TicketPanel]:
    """Status, priority, SLA clock, comments with notes, history, and related tickets."""
    operator.require(WORK)
    async with runtime.database.reading(operator.organization_id) as transaction:
        ticket = await find_ticket(transaction, ticket_id, principal=operator)
        return APIResponse(data=await _panel(transaction, runtime, operator, ticket))


@route(router, "POST", "/{ticket_id}/merge", summary="Merge two tickets", fails=(404, 409))
async def merge_ticket(
    ticket_id: TicketNumber,
    body: MergeRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[TicketPanel]:
    """Close this ticket as a double of another, which is answered."""
    async with runtime.database.transaction(operator.organization_id) as transaction:
        kept = await merge_tickets(
            transaction,
            ticket_id,
            body.into,
            principal=operator,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
        panel = await _panel(transaction, runtime, operator, kept)
    return APIResponse(message="The tickets have been merged.", data=panel)


@route(router, "POST", "/{ticket_id}/unmerge", summary="Undo a merge", fails=(404, 409))
async def undo_merge(
    ticket_id: TicketNumber, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[TicketPanel]:
    """Open a merged ticket again."""
    async with runtime.database.transaction(operator.organization_id) as transaction:
        ticket = await unmerge_ticket(
            transaction,
            ticket_id,
            principal=operator,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
        panel = await _panel(transaction, runtime, operator, ticket)
    return APIResponse(message="The ticket is open again.", data=panel)


@route(router, "POST", "/{ticket_id}/assign", summary="Give a ticket", fails=(400, 404, 409))
async def assign_ticket(
    ticket_id: TicketNumber,
    body: AssignmentRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[TicketPanel]:
    """By hand, in turn among the agents available, or by a skill."""
    operator.require(WORK)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        assignee = await chosen_agent(transaction, body, operator, runtime.clock())
        ticket = await assign(
            transaction,
            ticket_id,
            assignee,
            principal=operator,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
        panel = await _panel(transaction, runtime, operator, ticket)
    return APIResponse(message="The ticket has been given.", data=panel)


async def _panel(
    transaction: Transaction, runtime: Runtime, operator: Principal, ticket: Ticket
) -> TicketPanel:
    names = await names_of(transaction, {ticket.assignee_id})
    comments = await list_comments(transaction, ticket, principal=operator)
    events = await list_events(transaction, ticket)
    related = await related_tickets(transaction, ticket)
    return TicketPanel(
        **_row(ticket, names, runtime).model_dump(),
        description=ticket.description,
        contact_email=ticket.contact_email,
        resolved_at=ticket.resolved_at,
        comments=[
            CommentRow(
                id=str(one.id),
                actor=one.actor,
                from_staff=one.from_staff,
                is_internal=one.is_internal,
                body=one.body,
                created_at=one.created_at,
            )
            for one in comments
        ],
        events=[EventRow.model_validate(one, from_attributes=True) for one in events],
        related=[ticket_summary(one, runtime.clock()) for one in related],
        merged=ticket.merged_into_id is not None,
    )


def _row(ticket: Ticket, names: dict[UUID, str], runtime: Runtime) -> TicketRow:
    now = runtime.clock()
    answered = ticket.first_response_at is not None
    return TicketRow(
        **ticket_summary(ticket, now).model_dump(),
        problem_severity=ticket.problem_severity,
        customer_id=ticket.customer_reference,
        product_sku=ticket.product_sku,
        order_number=ticket.order_number,
        assignee_id=str(ticket.assignee_id) if ticket.assignee_id else None,
        assignee_name=names.get(ticket.assignee_id) if ticket.assignee_id else None,
        conversation_id=str(ticket.conversation_id) if ticket.conversation_id else None,
        preview=" ".join(ticket.description.split())[:160],
        seconds_left=(
            None if answered else seconds_left(ticket.sla_response_deadline, ticket.clock(now))
        ),
        paused_since=ticket.sla_paused_at,
        updated_at=ticket.updated_at,
    )
