"""After-sales tickets over HTTP (rows M09 and M10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi import Request as HttpRequest
from pydantic import BaseModel, FailFast, Field

from api.dependencies import CurrentPrincipal, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Answer, Moment, Request, failures
from api.support.upload import FileView, file_view
from bot.tools.create_ticket import CreateTicketResult
from core.database import Transaction
from core.errors import InvalidRequest
from core.runtime import Runtime
from core.security import Principal
from core.text import Text
from core.tools import run_tool
from services.tickets.changes import (
    MAXIMUM_COMMENT_LENGTH,
    Comment,
    Status,
    add_comment,
    assign,
    change_severity,
    change_status,
    list_comments,
)
from services.tickets.problems import Category, CategoryField, Priority, Severity, SeverityField
from services.tickets.sla import SlaState, seconds_left
from services.tickets.tickets import (
    MAXIMUM_DESCRIPTION_LENGTH,
    MAXIMUM_OFFSET,
    MAXIMUM_ORDER_NUMBER_LENGTH,
    MAXIMUM_PAGE,
    Ticket,
    TicketFilters,
    find_ticket,
    list_tickets,
)
from services.uploads.attachments import MAXIMUM_ATTACHMENTS, uploads_of_tickets
from services.uploads.uploads import Upload

MYSELF = "me"

router = APIRouter(prefix="/api/tickets", tags=["Tickets"], route_class=StrictRoute)

TicketId = Annotated[str, Path(description="Such as TKT-2025-001234.", max_length=1_000)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Repeating a request under the same key files no second ticket.",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
    ),
]


class NewTicketRequest(Request):
    customer_id: Text | None = Field(
        None,
        max_length=40,
        description="The caller's own; left out: the same.",
        examples=["CUST123"],
    )
    product_sku: Text | None = Field(None, max_length=80, examples=["CANAPÉ-OSLO-3P"])
    order_number: Text | None = Field(None, max_length=MAXIMUM_ORDER_NUMBER_LENGTH)
    problem_category: CategoryField = Field(examples=["défaut_fabrication"])
    problem_severity: SeverityField = Field(examples=["moyen"])
    description: Text = Field(
        min_length=1,
        max_length=MAXIMUM_DESCRIPTION_LENGTH,
        examples=["Déchirure sur l'accoudoir gauche"],
    )
    contact_email: Text | None = Field(None, max_length=254)
    attachments: Annotated[list[Text], FailFast()] = Field(
        default_factory=list,
        max_length=MAXIMUM_ATTACHMENTS,
        description="Ids of uploaded files: the caller's own, or for members of staff any.",
        examples=[["upload_123"]],
    )


class NewCommentRequest(Request):
    body: Text = Field(
        min_length=1, max_length=MAXIMUM_COMMENT_LENGTH, examples=["Voici la photo demandée."]
    )
    is_internal: bool = Field(False, strict=True, description="A note for staff only.")


class TicketChangeRequest(Request):
    """What to change; a field that is left out stays as it is."""

    status: Status | None = Field(None, examples=["in_progress"])
    severity: SeverityField | None = Field(None, examples=["élevé"])
    assigned_to: Text | None = Field(
        None, max_length=40, description="A user's id, `me`, or null for nobody.", examples=["me"]
    )


class FiledTicket(BaseModel):
    ticket_id: str = Field(examples=["TKT-2025-001234"])
    status: str = Field(examples=["open"])
    priority: Priority = Field(examples=["medium"])
    created_at: Moment = Field(examples=["2025-01-09T10:30:00Z"])
    sla_response_deadline: Moment = Field(examples=["2025-01-10T10:30:00Z"])
    product_sku: str | None = Field(examples=["CANAPÉ-OSLO-3P"])
    order_number: str | None
    problem_category: Category
    problem_severity: Severity


class SlaClock(BaseModel):
    """How the time for the first answer stands; the clock stops with that answer."""

    state: SlaState
    response_deadline: Moment
    first_response_at: Moment | None
    seconds_left: int | None = Field(
        description="Until the deadline, negative after it; null once answered."
    )


class TicketView(FiledTicket):
    customer_id: str | None = Field(examples=["CUST123"])
    description: str
    contact_email: str | None
    assigned_to: str | None = Field(description="The id of the member of staff in charge.")
    attachments: list[str] = Field(description="Ids of the files that are attached.")
    updated_at: Moment
    resolved_at: Moment | None
    sla: SlaClock


class CommentView(BaseModel):
    id: str
    author: str = Field(description="`customer` or `staff`.")
    body: str
    is_internal: bool
    created_at: Moment


class TicketWithComments(TicketView):
    comments: list[CommentView]
    files: list[FileView] = Field(description="What is attached, with addresses to open it.")


class FiledTicketAnswer(Answer):
    ticket: FiledTicket


class TicketAnswer(Answer):
    ticket: TicketWithComments


class CommentAnswer(Answer):
    comment: CommentView


class TicketListAnswer(Answer):
    tickets: list[TicketView]
    total: int
    limit: int
    offset: int


@router.post("", status_code=201, summary="File a ticket", responses=failures(401, 403, 409))
async def file_ticket(
    body: NewTicketRequest,
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> FiledTicketAnswer:
    """File an after-sales ticket for yourself; members of staff may file it for a customer."""
    result = await run_tool(
        runtime,
        principal,
        runtime.tools["create_ticket"],
        body.model_dump(),
        confirmed=True,
        idempotency_key=idempotency_key,
    )
    filed = cast(CreateTicketResult, result)
    response.headers["location"] = f"/api/tickets/{filed.ticket_id}"
    return FiledTicketAnswer(ticket=FiledTicket(**_only(FiledTicket, filed)))


@router.get("", summary="List tickets", responses=failures(401, 403))
async def read_tickets(
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
    status: Annotated[Status | None, Query()] = None,
    priority: Annotated[Priority | None, Query()] = None,
    customer_id: Annotated[Text | None, Query(max_length=40)] = None,
    assignee: Annotated[
        Text | None, Query(max_length=40, description="A user's id or `me`.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE)] = 20,
    offset: Annotated[int, Query(ge=0, le=MAXIMUM_OFFSET)] = 0,
) -> TicketListAnswer:
    """List the tickets that you may see, newest first: your own, or all for members of staff."""
    principal.require("tickets:read")
    filters = TicketFilters(
        status=status,
        priority=priority,
        customer_reference=customer_id,
        assignee_id=_user_id("assignee", assignee, principal),
    )
    async with runtime.database.reading(principal.organization_id) as transaction:
        page = await list_tickets(transaction, filters, limit, offset, principal=principal)
        attached = await uploads_of_tickets(transaction, [one.id for one in page.tickets])
    views = [
        TicketView(**_ticket_values(ticket, runtime, attached.get(ticket.id, ())))
        for ticket in page.tickets
    ]
    return TicketListAnswer(tickets=views, total=page.total, limit=limit, offset=offset)


@router.get("/{ticket_id}", summary="Read a ticket", responses=failures(401, 404))
async def read_ticket(
    ticket_id: TicketId, request: HttpRequest, principal: CurrentPrincipal, runtime: CurrentRuntime
) -> TicketAnswer:
    """Read a ticket with its comments and the state of its SLA clock."""
    principal.require("tickets:read")
    async with runtime.database.reading(principal.organization_id) as transaction:
        ticket = await find_ticket(transaction, ticket_id, principal=principal)
        return await _answer(transaction, ticket, principal, runtime, request)


@router.post(
    "/{ticket_id}/comments",
    status_code=201,
    summary="Comment on a ticket",
    responses=failures(401, 403, 404, 409),
)
async def comment_on_ticket(
    ticket_id: TicketId,
    body: NewCommentRequest,
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
) -> CommentAnswer:
    """Comment on a ticket; the first public answer of staff stops its SLA clock."""
    async with runtime.database.transaction(principal.organization_id) as transaction:
        comment = await add_comment(
            transaction,
            ticket_id,
            body.body,
            principal=principal,
            outbox=runtime.outbox,
            now=runtime.clock(),
            is_internal=body.is_internal,
        )
    return CommentAnswer(comment=_comment(comment))


@router.patch("/{ticket_id}", summary="Change a ticket", responses=failures(401, 403, 404, 409))
async def change_ticket(
    ticket_id: TicketId,
    body: TicketChangeRequest,
    request: HttpRequest,
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
) -> TicketAnswer:
    """Change status, severity or assignment, all or nothing; for members of staff."""
    principal.require("tickets:manage")
    given = body.model_fields_set
    if not given:
        raise InvalidRequest("Give at least one of: status, severity, assigned_to.")
    now = runtime.clock()
    async with runtime.database.transaction(principal.organization_id) as transaction:
        ticket = await find_ticket(transaction, ticket_id, principal=principal)
        actor: dict[str, Any] = {"principal": principal, "outbox": runtime.outbox, "now": now}
        if "assigned_to" in given:
            assignee = _user_id("assigned_to", body.assigned_to, principal)
            ticket = await assign(transaction, ticket_id, assignee, **actor)
        if body.severity is not None:
            ticket = await change_severity(transaction, ticket_id, body.severity, **actor)
        if body.status is not None:
            ticket = await change_status(transaction, ticket_id, body.status, **actor)
        return await _answer(transaction, ticket, principal, runtime, request)


def _user_id(field: str, value: str | None, principal: Principal) -> UUID | None:
    """The user that a request names by id or as `me`."""
    if value is None:
        return None
    if value == MYSELF:
        return principal.user_id
    try:
        return UUID(value)
    except ValueError as error:
        raise InvalidRequest(f"{field} must be a user's id or `me`.", {"field": field}) from error


async def _answer(
    transaction: Transaction,
    ticket: Ticket,
    principal: Principal,
    runtime: Runtime,
    request: HttpRequest,
) -> TicketAnswer:
    comments = await list_comments(transaction, ticket, principal=principal)
    attached = (await uploads_of_tickets(transaction, [ticket.id])).get(ticket.id, [])
    return TicketAnswer(
        ticket=TicketWithComments(
            **_ticket_values(ticket, runtime, attached),
            comments=[_comment(item) for item in comments],
            files=[file_view(runtime, upload, request) for upload in attached],
        )
    )


def _only(view: type[BaseModel], source: object) -> dict[str, Any]:
    """The values of a view's fields that its source has under the same name."""
    return {name: getattr(source, name) for name in view.model_fields if hasattr(source, name)}


def _ticket_values(ticket: Ticket, runtime: Runtime, attached: Sequence[Upload]) -> dict[str, Any]:
    now = runtime.clock()
    answered = ticket.first_response_at is not None
    clock = SlaClock(
        state=ticket.sla_state(now),
        response_deadline=ticket.sla_response_deadline,
        first_response_at=ticket.first_response_at,
        seconds_left=(
            None if answered else seconds_left(ticket.sla_response_deadline, ticket.clock(now))
        ),
    )
    return {
        **_only(TicketView, ticket),
        "ticket_id": ticket.number,
        "customer_id": ticket.customer_reference,
        "assigned_to": str(ticket.assignee_id) if ticket.assignee_id is not None else None,
        "attachments": [upload.file_id for upload in attached],
        "sla": clock,
    }


def _comment(comment: Comment) -> CommentView:
    return CommentView(
        id=str(comment.id),
        author="staff" if comment.from_staff else "customer",
        body=comment.body,
        is_internal=comment.is_internal,
        created_at=comment.created_at,
    )
