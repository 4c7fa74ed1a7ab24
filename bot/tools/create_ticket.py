"""The tool that files an after-sales ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field

from core.text import Text
from core.tools import Tool, ToolContext
from services.tickets.problems import Category, CategoryField, Priority, Severity, SeverityField
from services.tickets.tickets import (
    MAXIMUM_DESCRIPTION_LENGTH,
    MAXIMUM_ORDER_NUMBER_LENGTH,
    NewTicket,
)
from services.tickets.tickets import create_ticket as file_ticket
from services.uploads.attachments import (
    MAXIMUM_ATTACHMENTS,
    attach_to_ticket,
    uploads_of_conversation,
    usable_uploads,
)


class CreateTicketArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    problem_category: CategoryField = Field(description="What is wrong.")
    problem_severity: SeverityField = Field(description="How badly.")
    description: Text = Field(
        min_length=1,
        max_length=MAXIMUM_DESCRIPTION_LENGTH,
        description="The problem in the customer's words.",
    )
    product_sku: Text | None = Field(None, max_length=80, description="Such as CANAPÉ-OSLO-3P.")
    order_number: Text | None = Field(None, max_length=MAXIMUM_ORDER_NUMBER_LENGTH)
    contact_email: Text | None = Field(
        None, max_length=254, description="Where to answer; not needed when signed in."
    )
    customer_id: Text | None = Field(
        None, max_length=40, description="The caller's own reference, such as CUST123."
    )
    attachments: Annotated[list[Text], FailFast()] = Field(
        default_factory=list,
        max_length=MAXIMUM_ATTACHMENTS,
        description="Ids of uploaded files; those sent in the conversation need not be named.",
    )


class CreateTicketResult(BaseModel):
    ticket_id: str
    status: str
    priority: Priority
    problem_category: Category
    problem_severity: Severity
    product_sku: str | None
    order_number: str | None
    contact_email: str | None
    created_at: datetime
    sla_response_deadline: datetime
    attachments: list[str] = Field(default_factory=list, description="Ids of the files on it.")


async def create_ticket(
    context: ToolContext, arguments: CreateTicketArguments
) -> CreateTicketResult:
    """Open an after-sales ticket for a product that is broken, missing, wrong or late.

    The answer holds its number and the moment by which customer service replies. Files that were
    sent in the conversation and stand on no ticket yet go with it.
    """
    attached = await usable_uploads(context.effect, arguments.attachments, context.principal)
    if context.conversation_id is not None:
        attached += await uploads_of_conversation(context.effect, context.conversation_id)
    ticket = await file_ticket(
        context.effect,
        NewTicket(
            problem_category=arguments.problem_category,
            problem_severity=arguments.problem_severity,
            description=arguments.description,
            customer_reference=arguments.customer_id,
            product_sku=arguments.product_sku,
            order_number=arguments.order_number,
            contact_email=arguments.contact_email,
            conversation_id=context.conversation_id,
        ),
        principal=context.principal,
        outbox=context.runtime.outbox,
        now=context.runtime.clock(),
    )
    await attach_to_ticket(context.effect, attached, ticket.id, context.runtime.clock())
    return CreateTicketResult(
        ticket_id=ticket.number,
        status=ticket.status,
        priority=ticket.priority,
        problem_category=ticket.problem_category,
        problem_severity=ticket.problem_severity,
        product_sku=ticket.product_sku,
        order_number=ticket.order_number,
        contact_email=ticket.contact_email,
        created_at=ticket.created_at,
        sla_response_deadline=ticket.sla_response_deadline,
        attachments=list(dict.fromkeys(upload.file_id for upload in attached)),
    )


TOOL = Tool(
    name="create_ticket",
    arguments=CreateTicketArguments,
    result=CreateTicketResult,
    run=create_ticket,
    permission="tickets:write",
    effect=True,
    confirmed=True,
)
