"""The tool that adds files, and what else there is to say, to a ticket that is open already."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field

from core.database import Transaction
from core.errors import NotFound
from core.text import Text
from core.tools import Tool, ToolContext
from services.tickets.changes import MAXIMUM_COMMENT_LENGTH, add_comment, record_files
from services.tickets.related import open_ticket
from services.tickets.tickets import Ticket
from services.uploads.attachments import (
    MAXIMUM_ATTACHMENTS,
    attach_to_ticket,
    uploads_of_conversation,
    usable_uploads,
)
from services.uploads.uploads import Upload


class AddToTicketArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ticket_number: Text | None = Field(
        None,
        max_length=60,
        description="Such as TKT-2025-001234; left out: the latest open one of the conversation.",
    )
    comment: Text | None = Field(
        None,
        min_length=1,
        max_length=MAXIMUM_COMMENT_LENGTH,
        description="What the customer adds to what was told, in their own words.",
    )
    attachments: Annotated[list[Text], FailFast()] = Field(
        default_factory=list,
        max_length=MAXIMUM_ATTACHMENTS,
        description="Ids of uploaded files; left out: those of the conversation on no ticket yet.",
    )


class AddToTicketResult(BaseModel):
    """`ticket_id` is None where the caller has no such ticket open: nothing was added then."""

    ticket_id: str | None
    added: list[str] = Field(default_factory=list, description="Ids of the files.")
    commented: bool = Field(False, description="Whether the comment was added.")


async def add_to_ticket(context: ToolContext, arguments: AddToTicketArguments) -> AddToTicketResult:
    """Add what the customer tells or has sent since to a ticket of theirs that is open.

    The people who work on the ticket are told. A ticket that waited for the customer goes on.
    """
    transaction = context.effect
    files = await _files(context, transaction, arguments)
    ticket = await _ticket(context, transaction, arguments.ticket_number)
    if ticket is None or not (files or arguments.comment):
        return AddToTicketResult(ticket_id=None)
    now = context.runtime.clock()
    if arguments.comment:
        await add_comment(
            transaction,
            ticket.number,
            arguments.comment,
            principal=context.principal,
            outbox=context.runtime.outbox,
            now=now,
            conversation_id=context.conversation_id,
        )
    added = [
        upload.file_id for upload in await attach_to_ticket(transaction, files, ticket.id, now)
    ]
    await record_files(
        transaction,
        ticket,
        added,
        actor=context.principal.actor,
        outbox=context.runtime.outbox,
        now=now,
    )
    return AddToTicketResult(
        ticket_id=ticket.number, added=added, commented=bool(arguments.comment)
    )


async def _files(
    context: ToolContext, transaction: Transaction, arguments: AddToTicketArguments
) -> list[Upload]:
    if arguments.attachments or context.conversation_id is None:
        return await usable_uploads(transaction, arguments.attachments, context.principal)
    return await uploads_of_conversation(transaction, context.conversation_id)


async def _ticket(
    context: ToolContext, transaction: Transaction, number: str | None
) -> Ticket | None:
    try:
        return await open_ticket(
            transaction,
            number,
            principal=context.principal,
            conversation_id=context.conversation_id,
        )
    except NotFound:
        return None


TOOL = Tool(
    name="add_to_ticket",
    arguments=AddToTicketArguments,
    result=AddToTicketResult,
    run=add_to_ticket,
    permission="tickets:write",
    effect=True,
)
