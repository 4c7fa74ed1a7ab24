"""A ticket that the model wants to open becomes the ticket form, which asks the customer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot import forms
from bot.actions import fill_form
from bot.agent.privacy import is_redacted
from bot.messages import ReplyEvent
from bot.state import Form
from bot.tools.create_ticket import CreateTicketArguments
from bot.turn import Turn
from services.catalogue.products import find_product


async def confirm_ticket(turn: Turn, arguments: Mapping[str, Any]) -> AsyncIterator[ReplyEvent]:
    """Recapitulate the ticket, or ask for what it still lacks; nothing is opened here.

    The next message is answered by the form. Raises pydantic's ValidationError for arguments that
    the tool would refuse.
    """
    known = {name: value for name, value in arguments.items() if name != "contact_email"}
    parsed = CreateTicketArguments.model_validate(known)
    form = await _form(turn, parsed)
    turn.note("confirmation_asked", tool="create_ticket")
    async for event in fill_form.follow(turn, form):
        yield event


async def _form(turn: Turn, parsed: CreateTicketArguments) -> Form:
    description = parsed.description
    if is_redacted(description):
        # A placeholder helps nobody who reads the ticket: the customer's own words do.
        description = turn.read.text.strip()[:2_000]
    form = forms.start("ticket", turn.state, turn.read, turn.caller).with_slots(
        description=description,
        category=parsed.problem_category,
        severity=parsed.problem_severity,
    )
    said = (*turn.read.entities.order_numbers, turn.state.order_number)
    if parsed.order_number in said:
        form = form.with_slots(order_number=parsed.order_number)
    if parsed.product_sku and not form.slots.get("product_sku"):
        async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
            product = await find_product(transaction, parsed.product_sku)
        if product is not None:
            form = form.with_slots(product=product.name, product_sku=product.sku)
    return form
