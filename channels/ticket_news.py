"""What happens to tickets, told: to all consoles at once, and by e-mail to whom it escalates to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from string import Template
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from channels.consoles import tell_desk
from core.database import Transaction
from core.providers.email import Email, EmailRefused
from core.runtime import Runtime
from core.telemetry import logger
from services.accounts.tables import memberships, organizations, users
from services.tickets.tables import tickets

ESCALATED_TOPIC = "ticket.escalated"
CHANGES = (
    "created",
    "assigned",
    "severity_changed",
    "status_changed",
    "commented",
    "files_added",
    "merged",
    "unmerged",
)
# Who is written to where a step says `managers`: the first of these roles that anybody has.
_LEVELS = (("manager",), ("admin", "owner"))
# The languages of colleagues are not known: both are said.
_SUBJECT = "$shop : le ticket $number attend une réponse / ticket $number waits for an answer"
_TEXT = """Bonjour $name,

Le ticket $number (priorité $priority) n’a pas encore reçu de première réponse : $share % du temps
promis est passé. La réponse est due le $deadline UTC.

Ticket $number (priority $priority) has had no first answer yet: $share % of the promised time is
over. The answer is due on $deadline UTC.

/console#/tickets/all/$number

$shop
"""

_log = logger("channels.ticket_news")


def tell_of_tickets(runtime: Runtime) -> None:
    """Let the outbox of this process tell what happens to tickets."""
    for what in CHANGES:
        runtime.outbox.on(f"ticket.{what}", partial(_tell_consoles, runtime, what))
    runtime.outbox.on(ESCALATED_TOPIC, partial(escalated, runtime))


async def _tell_consoles(
    runtime: Runtime, what: str, organization_id: UUID, payload: Mapping[str, Any]
) -> None:
    """One event for each ticket that a row of the outbox names."""
    for number in filter(None, (payload.get("number"), payload.get("into"))):
        await tell_desk(runtime, organization_id, "ticket", ticket_id=number, what=what)


async def escalated(runtime: Runtime, organization_id: UUID, payload: Mapping[str, Any]) -> None:
    """Mark the ticket in all consoles, and write to the next level."""
    await _tell_consoles(runtime, "escalated", organization_id, payload)
    if not runtime.email.is_available:
        return
    async with runtime.database.reading(organization_id) as transaction:
        mails = await _mails(transaction, payload)
    for mail in mails:
        try:
            await runtime.email.send(mail)
        except EmailRefused:
            _log.warning("escalation_refused", number=payload["number"])


async def _mails(transaction: Transaction, payload: Mapping[str, Any]) -> list[Email]:
    """A message to each person of the level; none for a ticket that is gone or answered."""
    ticket = await transaction.first(
        select(tickets).where(tickets.c.id == UUID(payload["ticket_id"]))
    )
    if ticket is None or ticket.first_response_at is not None:
        return []
    shop = await transaction.first(
        select(organizations.c.name).where(organizations.c.id == transaction.organization_id)
    )
    people = await _people(transaction, str(payload["notify"]), ticket.assignee_id)
    values = {
        "shop": " ".join(str(shop.name if shop else "").split()),
        "number": ticket.number,
        "priority": ticket.priority,
        "share": round(float(payload["after_share"]) * 100),
        "deadline": ticket.sla_response_deadline.strftime("%d/%m/%Y %H:%M"),
    }
    return [
        Email(
            key=f"escalation-{ticket.id}-{payload['after_share']}-{person.id}",
            to=person.email,
            subject=Template(_SUBJECT).substitute(values),
            text=Template(_TEXT).substitute(values, name=person.name),
        )
        for person in people
    ]


async def _people(
    transaction: Transaction, notify: str, assignee_id: UUID | None
) -> list[Row[Any]]:
    """The assignee, or the managers; whoever has no manager has administrators."""
    active = (
        select(users.c.id, users.c.name, users.c.email, memberships.c.role)
        .join_from(memberships, users, memberships.c.user_id == users.c.id)
        .where(memberships.c.is_active, users.c.is_active)
        .order_by(users.c.id)
    )
    if notify == "assignee":
        return list(await transaction.all(active.where(users.c.id == assignee_id)))
    for roles in _LEVELS:
        found = list(await transaction.all(active.where(memberships.c.role.in_(roles))))
        if found:
            return found
    return []
