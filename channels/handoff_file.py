"""What must a person know who takes a conversation over? Everything, on one page (row X08).

Facts that were given, what the assistant has tried, sources that it has shown, photos, the
customer's mood and consents, who they are and what they ordered. Read from rows, never written
by a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, select

from bot.state import DialogueState
from bot.understanding.cues import fold, has_cue
from core.database import Transaction
from core.security import principal_for_role
from services.accounts.customers import Customer, find_customer
from services.conversations.stream import StoredMessage
from services.orders.orders import Order, list_customer_orders
from services.privacy.consents import list_consents
from services.tickets.tickets import Ticket, TicketFilters, list_tickets
from services.uploads.tables import upload_attachments, uploads
from services.uploads.uploads import Upload, as_upload

Mood = Literal["calm", "impatient", "upset"]
_UPSET_INTENTS = frozenset({"complaint"})
_IMPATIENT_INTENTS = frozenset({"human_agent"})
# Steps of the trace that tell what was tried.
_TRIED = frozenset(
    {
        "answered",
        "asked",
        "better_photo_asked",
        "cancelled",
        "complaint_heard",
        "described",
        "documents_disagree",
        "gave_up",
        "handed_over",
        "order_looked_up",
        "photos_asked",
        "products_found",
        "recapitulated",
        "ticket_looked_up",
        "tool",
        "unknown",
    }
)
_WHAT = ("tool", "form", "sku", "reason", "document")
MOOD_MESSAGES = 6
ORDERS = 5
TICKETS = 20


@dataclass(frozen=True)
class Step:
    """One thing that the assistant did: `answered`, a `tool` with its name, a decision."""

    step: str
    what: str
    at: datetime


@dataclass(frozen=True)
class HandoffFile:
    """The page; `mood` comes with the `signs` that it was read from."""

    reason: str | None
    facts: Mapping[str, Any]
    steps: Sequence[Step]
    sources: Sequence[Mapping[str, Any]]
    photos: Sequence[Upload]
    mood: Mood
    signs: Sequence[str]
    consents: Mapping[str, bool]
    customer: Customer | None
    orders: Sequence[Order]
    tickets: Sequence[Ticket]


async def write_file(
    transaction: Transaction,
    row: Row[Any],
    said: Sequence[StoredMessage],
    traces: Mapping[UUID, Sequence[Mapping[str, Any]]],
) -> HandoffFile:
    """The page of a conversation, of its row, messages and traces."""
    customer = await find_customer(transaction, row.customer_id) if row.customer_id else None
    orders = await list_customer_orders(transaction, customer.id, ORDERS) if customer else []
    state = DialogueState.from_json(row.state)
    mood, signs = mood_of(said, state)
    return HandoffFile(
        reason=row.handoff_reason,
        facts=_facts(state),
        steps=_steps(said, traces),
        sources=_sources(said),
        photos=await uploads_in(transaction, row.id, said),
        mood=mood,
        signs=signs,
        consents=await _consents(transaction, row),
        customer=customer,
        orders=orders,
        tickets=await tickets_of(transaction, row),
    )


def _facts(state: DialogueState) -> dict[str, Any]:
    """What the customer has told: a form's answers, numbers, the product talked about."""
    facts: dict[str, Any] = {}
    for form in (state.paused_form, state.form):
        if form is not None:
            facts |= {name: value for name, value in form.slots.items() if value is not None}
            facts["form"] = form.name
    known = {
        "order_number": state.order_number,
        "email": state.email,
        "product_sku": state.focus_sku,
        "tickets": list(state.ticket_ids),
        "last_question": state.last_question,
    }
    return {**facts, **{name: value for name, value in known.items() if value}}


def _steps(
    said: Sequence[StoredMessage], traces: Mapping[UUID, Sequence[Mapping[str, Any]]]
) -> list[Step]:
    steps = []
    for one in said:
        for step in traces.get(one.id, ()):
            if step["step"] in _TRIED:
                what = next((step[name] for name in _WHAT if step.get(name)), "")
                steps.append(Step(step["step"], str(what), one.created_at))
    return steps


def _sources(said: Sequence[StoredMessage]) -> list[Mapping[str, Any]]:
    """Every source once, in the order in which it was shown."""
    shown = {
        (source["id"], source["quote"]): source
        for one in said
        if one.role == "assistant"
        for source in one.sources
    }
    return list(shown.values())


def mood_of(said: Sequence[StoredMessage], state: DialogueState) -> tuple[Mood, list[str]]:
    """How the customer seems, by signs that an agent can check in the thread."""
    mine = [one for one in said if one.role == "user"][-MOOD_MESSAGES:]
    intents = Counter(one.intent for one in mine)
    signs = [f"intent:{name}" for name in sorted(_UPSET_INTENTS) if intents[name]]
    if any(has_cue(fold(one.content), "upset") for one in mine):
        signs.append("angry_words")
    upset = bool(signs)
    loud = [one for one in mine if _is_loud(one.content)]
    if loud:
        signs.append("loud")
    repeated = len({one.content.strip().lower() for one in mine}) < len(mine)
    impatient = [f"intent:{name}" for name in sorted(_IMPATIENT_INTENTS) if intents[name] > 1]
    impatient += ["repeats"] * repeated + ["not_helped"] * (state.failures > 0)
    if upset or len(loud) > 1:
        return "upset", signs + impatient
    return ("impatient" if impatient or loud else "calm"), signs + impatient


def _is_loud(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    return "!!" in text or (len(letters) >= 12 and capitals > 0.7 * len(letters))


async def uploads_in(
    transaction: Transaction, conversation_id: UUID, said: Sequence[StoredMessage]
) -> list[Upload]:
    """The files that were sent in a conversation, oldest first."""
    ids = [one.id for one in said if one.attachments.get("files")]
    if not ids:
        return []
    rows = await transaction.all(
        select(uploads)
        .join_from(upload_attachments, uploads, upload_attachments.c.upload_id == uploads.c.id)
        .where(upload_attachments.c.message_id.in_(ids))
        .order_by(upload_attachments.c.id)
    )
    return list({row.id: as_upload(row) for row in rows}.values())


async def _consents(transaction: Transaction, row: Row[Any]) -> dict[str, bool]:
    """What the person has agreed to, by kind; False where it was withdrawn."""
    person = principal_for_role(row.organization_id, row.actor, "visitor")
    found: dict[str, bool] = {}
    for consent in await list_consents(transaction, person):
        found.setdefault(consent.kind, consent.withdrawn_at is None)
    return found


async def tickets_of(transaction: Transaction, row: Row[Any]) -> list[Ticket]:
    """The tickets of a conversation, then those of its customer, newest first."""
    staff = principal_for_role(row.organization_id, "system", "agent")
    mine = await list_tickets(
        transaction, TicketFilters(conversation_id=row.id), TICKETS, 0, principal=staff
    )
    found = {ticket.id: ticket for ticket in mine.tickets}
    if row.customer_id is not None:
        customer = await find_customer(transaction, row.customer_id)
        if customer is not None:
            filters = TicketFilters(customer_reference=customer.reference)
            theirs = await list_tickets(transaction, filters, TICKETS, 0, principal=staff)
            for ticket in theirs.tickets:
                found.setdefault(ticket.id, ticket)
    return list(found.values())
