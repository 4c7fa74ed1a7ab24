"""The tool that says how a ticket stands."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from bot.tools.lookups import lookups_are_locked, record_failed_lookup
from core.errors import NotFound
from core.text import Text
from core.tools import Tool, ToolContext
from services.tickets.sla import SlaState
from services.tickets.tickets import (
    Ticket,
    TicketFilters,
    find_ticket,
    find_ticket_by_email,
    list_tickets,
)

LATEST_TICKETS = 5


class TicketStatusArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ticket_number: Text | None = Field(
        None, max_length=60, description="Such as TKT-2025-001234; left out: the latest tickets."
    )
    email: Text | None = Field(
        None, max_length=254, description="Address of the ticket, for a ticket filed elsewhere."
    )


class TicketView(BaseModel):
    ticket_id: str
    status: str
    priority: str
    problem_category: str
    problem_severity: str
    product_sku: str | None
    order_number: str | None
    created_at: datetime
    updated_at: datetime
    sla_response_deadline: datetime
    first_response_at: datetime | None
    sla_state: SlaState


class TicketStatusResult(BaseModel):
    """`found` False never says whether the number exists."""

    found: bool
    locked: bool = False
    ticket: TicketView | None = None
    tickets: list[TicketView] = Field(
        default_factory=list, description="The latest tickets, where no number was given."
    )


async def ticket_status(
    context: ToolContext, arguments: TicketStatusArguments
) -> TicketStatusResult:
    """Say how an after-sales ticket stands.

    Customers see their own tickets and those filed in this conversation; any other needs its
    number and the e-mail address that it was filed with. Five failures lock look-ups for half an
    hour.
    """
    if arguments.ticket_number is None:
        return await _latest(context)
    ticket = await _own_ticket(context, arguments.ticket_number)
    if ticket is None and await lookups_are_locked(context):
        return TicketStatusResult(found=False, locked=True)
    if ticket is None and arguments.email is not None:
        async with context.reading() as transaction:
            ticket = await find_ticket_by_email(
                transaction, arguments.ticket_number, arguments.email
            )
    if ticket is None:
        return TicketStatusResult(found=False, locked=await record_failed_lookup(context))
    return TicketStatusResult(found=True, ticket=_view(context, ticket))


async def _latest(context: ToolContext) -> TicketStatusResult:
    async with context.reading() as transaction:
        page = await list_tickets(
            transaction,
            TicketFilters(),
            LATEST_TICKETS,
            0,
            principal=context.principal,
            conversation_id=context.conversation_id,
        )
    views = [_view(context, ticket) for ticket in page.tickets]
    return TicketStatusResult(found=bool(views), tickets=views)


async def _own_ticket(context: ToolContext, number: str) -> Ticket | None:
    try:
        async with context.reading() as transaction:
            return await find_ticket(
                transaction,
                number,
                principal=context.principal,
                conversation_id=context.conversation_id,
            )
    except NotFound:
        return None


def _view(context: ToolContext, ticket: Ticket) -> TicketView:
    return TicketView(
        ticket_id=ticket.number,
        status=ticket.status,
        priority=ticket.priority,
        problem_category=ticket.problem_category,
        problem_severity=ticket.problem_severity,
        product_sku=ticket.product_sku,
        order_number=ticket.order_number,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        sla_response_deadline=ticket.sla_response_deadline,
        first_response_at=ticket.first_response_at,
        sla_state=ticket.sla_state(context.runtime.clock()),
    )


TOOL = Tool(
    name="ticket_status",
    arguments=TicketStatusArguments,
    result=TicketStatusResult,
    run=ticket_status,
    permission="tickets:read",
)
