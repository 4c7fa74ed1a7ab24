"""What a filled form does: open a ticket, say where an order is, say how a ticket stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from bot.actions.know import offer_for_order
from bot.forms import LONGEST_DESCRIPTION, another_try
from bot.messages import ReplyEvent, Sentence, Suggestions, ToolResult
from bot.phrasing import day, moment, phrases, word
from bot.state import Form
from bot.tools.add_to_ticket import AddToTicketResult
from bot.tools.create_ticket import CreateTicketResult
from bot.tools.order_status import OrderStatusResult, OrderView, ParcelView
from bot.tools.ticket_status import TicketStatusResult, TicketView
from bot.turn import Turn
from core.errors import SupportError

FINISHED_ORDERS = frozenset({"delivered", "cancelled", "returned"})


async def open_ticket(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Open the ticket that the customer has agreed to; the form's key makes it happen once."""
    slots = form.slots
    description = slots["description"]
    if not slots.get("product_sku"):
        description = f"{slots['product']} : {description}"
    arguments = {
        "problem_category": slots.get("category", "autre"),
        "problem_severity": slots.get("severity", "moyen"),
        "description": description,
        "product_sku": slots.get("product_sku") or None,
        "order_number": slots.get("order_number"),
        "contact_email": slots.get("email") or None,
    }
    result = await turn.run("create_ticket", CreateTicketResult, arguments, key=form.key)
    turn.state = turn.state.but(
        ticket_ids=(*turn.state.ticket_ids, result.ticket_id),
        email=slots.get("email") or turn.state.email,
    )
    yield turn.say("ticket.created", tool="create_ticket", ticket_id=result.ticket_id)
    if result.attachments:
        yield turn.say("photos.attached", tool="create_ticket", count=len(result.attachments))
    yield turn.say(
        "ticket.deadline",
        tool="create_ticket",
        priority=word(turn.language, "priorities", result.priority),
        deadline=moment(turn.language, result.sla_response_deadline),
    )
    yield ToolResult("create_ticket", result.model_dump(mode="json"))
    yield Suggestions(phrases(turn.language, "suggestions.ticket"))


async def add_to_ticket(turn: Turn) -> AsyncIterator[ReplyEvent]:
    """Add the message to the conversation's open ticket; says nothing where none is open."""
    key = f"{turn.user_message_id}:comment"
    arguments = {"comment": turn.read.text.strip()[:LONGEST_DESCRIPTION]}
    try:
        result = await turn.run("add_to_ticket", AddToTicketResult, arguments, key=key)
    except SupportError as error:
        turn.note("tool_refused", tool="add_to_ticket", code=error.code)
        return
    if result.ticket_id is None:
        return
    turn.state = turn.state.but(failures=0, last_intent=None)
    yield turn.say("ticket.added", tool="add_to_ticket", ticket_id=result.ticket_id)
    yield ToolResult("add_to_ticket", result.model_dump(mode="json"))
    yield Suggestions(phrases(turn.language, "suggestions.ticket"))


async def say_order(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Say where an order is; a number and address that do not match may be given again."""
    number, email = form.slots.get("number"), form.slots.get("email") or None
    arguments = {"order_number": number, "email": email}
    result = await turn.run("order_status", OrderStatusResult, arguments)
    turn.note("order_looked_up", found=result.found)
    if result.locked:
        turn.state = turn.state.but(handoff_offered=True)
        yield turn.say("order.locked", tool="order_status")
    elif result.order is not None:
        again = turn.state.order_number == number and not turn.read.entities.order_numbers
        turn.state = turn.state.but(order_number=number, email=email, last_intent="order_status")
        for sentence in (
            *_asked_first(turn, result.order, bool(form.slots.get("why_late"))),
            *_order_sentences(turn, result.order, again),
        ):
            yield sentence
        async for event in _other_orders(turn, form.slots.get("others", ()), email):
            yield event
        if form.slots.get("case") and turn.owner == "bot":
            for event in offer_for_order(turn, result.order.order_number):
                yield event
        else:
            yield Suggestions(phrases(turn.language, "suggestions.order"))
    elif result.orders:
        for sentence in _own_orders(turn, result.orders):
            yield sentence
    elif number is None:
        yield turn.say("order.none", tool="order_status")
    else:
        turn.state = turn.state.but(form=another_try(form))
        yield turn.say("order.not_found", tool="order_status")
    yield ToolResult("order_status", result.model_dump(mode="json"))


async def _other_orders(
    turn: Turn, numbers: Sequence[str], email: str | None
) -> AsyncIterator[ReplyEvent]:
    """Say where the other orders are that were asked about in the same message."""
    for number in numbers:
        arguments = {"order_number": number, "email": email}
        result = await turn.run("order_status", OrderStatusResult, arguments)
        if result.order is None:
            yield turn.say("order.other_not_found", tool="order_status", number=number)
            return
        for sentence in _order_sentences(turn, result.order):
            yield sentence
        yield ToolResult("order_status", result.model_dump(mode="json"))


def _own_orders(turn: Turn, orders: list[OrderView]) -> list[Sentence]:
    """All orders on their way in full; without any, the latest in one line each."""
    moving = [order for order in orders if order.status not in FINISHED_ORDERS]
    if len(moving) == 1:
        return _order_sentences(turn, moving[0])
    listed = moving or orders
    lines = "\n".join(f"- {_status_line(turn, order)}" for order in listed)
    return [
        turn.say("order.list_intro"),
        Sentence(lines, tool="order_status"),
        turn.say("order.which"),
    ]


def _status_line(turn: Turn, order: OrderView) -> str:
    return turn.say(
        "order.status",
        number=order.order_number,
        date=day(turn.language, order.ordered_at.date()),
        status=word(turn.language, "order_statuses", order.status),
    ).text


def _asked_first(turn: Turn, order: OrderView, why_late: bool) -> list[Sentence]:
    """The short answer to "why so late?" and to "will it come tomorrow?"."""
    today = turn.runtime.clock().date()
    under_way = [one for one in order.parcels if one.status != "delivered"]
    expected = sorted(one.expected_on for one in under_way if one.expected_on is not None)
    if not expected:
        return []
    if why_late:
        date = day(turn.language, expected[-1])
        delayed = order.status == "delayed" or any(one.status == "delayed" for one in under_way)
        key = "is_late" if expected[0] < today else "is_delayed" if delayed else "is_not_late"
        return [turn.say(f"order.{key}", tool="order_status", date=date)]
    asked = [one for one in turn.read.entities.dates if one >= today]
    if not asked or "?" not in turn.read.text:
        return []
    comes = asked[0] in expected
    date = day(turn.language, asked[0] if comes else expected[-1])
    key = "comes_then" if comes else "comes_otherwise"
    return [turn.say(f"order.{key}", tool="order_status", date=date)]


def _order_sentences(turn: Turn, order: OrderView, again: bool = False) -> list[Sentence]:
    """All that is known of an order; its state alone where the rest has been told."""
    if again:
        parcels = [_parcel_sentence(turn, parcel) for parcel in order.parcels]
        return [Sentence(_status_line(turn, order), tool="order_status"), *parcels]
    lines = ", ".join(f"{line.quantity} × {line.name}" for line in order.lines)
    return [
        Sentence(_status_line(turn, order), tool="order_status"),
        turn.say("order.line", tool="order_status", lines=lines),
        *(_parcel_sentence(turn, parcel) for parcel in order.parcels),
        *_right_sentences(turn, order),
    ]


def _right_sentences(turn: Turn, order: OrderView) -> list[Sentence]:
    """The rights that still run, with their last day and the law's article."""
    return [
        turn.say(
            f"rights.{right.name}",
            tool="order_status",
            until=day(turn.language, right.until),
            reference=right.reference,
        )
        for right in order.rights
        if right.applies and right.until is not None
    ]


def _parcel_sentence(turn: Turn, parcel: ParcelView) -> Sentence:
    values = {
        "tracking": parcel.tracking_number,
        "carrier": parcel.carrier,
        "status": word(turn.language, "parcel_statuses", parcel.status),
    }
    if parcel.expected_on is None:
        return turn.say("order.parcel", tool="order_status", **values)
    today = turn.runtime.clock().date()
    key = "order.parcel_expected"
    if parcel.status == "delivered":
        key = "order.parcel_delivered"
    elif parcel.expected_on < today:
        key = "order.parcel_late"
    return turn.say(key, tool="order_status", **values, date=day(turn.language, parcel.expected_on))


async def say_ticket_status(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Say how the customer's tickets stand."""
    number = form.slots.get("number")
    if number is None and turn.state.ticket_ids:
        number = turn.state.ticket_ids[-1]
    arguments = {"ticket_number": number, "email": form.slots.get("email") or None}
    result = await turn.run("ticket_status", TicketStatusResult, arguments)
    turn.note("ticket_looked_up", found=result.found)
    if result.locked:
        turn.state = turn.state.but(handoff_offered=True)
        yield turn.say("order.locked", tool="ticket_status")
    elif result.ticket is not None:
        for sentence in _ticket_sentences(turn, result.ticket):
            yield sentence
    elif result.tickets:
        for ticket in result.tickets:
            for sentence in _ticket_sentences(turn, ticket):
                yield sentence
    elif number is None:
        yield turn.say("ticket_status.none", tool="ticket_status")
    else:
        turn.state = turn.state.but(form=another_try(form))
        yield turn.say("ticket_status.not_found", tool="ticket_status")
    yield ToolResult("ticket_status", result.model_dump(mode="json"))


def _ticket_sentences(turn: Turn, ticket: TicketView) -> list[Sentence]:
    status = word(turn.language, "ticket_statuses", ticket.status)
    sentences = [
        turn.say(
            "ticket_status.status", tool="ticket_status", ticket_id=ticket.ticket_id, status=status
        )
    ]
    if ticket.first_response_at is None and ticket.status == "open":
        deadline = moment(turn.language, ticket.sla_response_deadline)
        sentences.append(
            turn.say("ticket_status.status_deadline", tool="ticket_status", deadline=deadline)
        )
    return sentences
