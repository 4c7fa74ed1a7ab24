"""Carrying a form on: ask for the next slot, recapitulate, do what it is for, or give it up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from bot import forms
from bot.actions.form_results import add_to_ticket, open_ticket, say_order, say_ticket_status
from bot.actions.know import dont_know
from bot.actions.photos import photo_lines
from bot.messages import ReplyEvent, Suggestions
from bot.phrasing import phrases, word
from bot.state import Form
from bot.turn import Turn
from bot.understanding.cues import has_cue

DO = {"ticket": open_ticket, "order": say_order, "ticket_status": say_ticket_status}


async def follow(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Take a form one step further."""
    begins = turn.state.form is None or turn.state.form.name != form.name
    if begins and form.name == "ticket":
        yield turn.say("sorry")
        if has_cue(turn.read.folded, "danger"):
            yield turn.say("stay_safe")
    next_slot = forms.missing(form, turn.caller)
    if next_slot == "email" and form.name == "ticket" and forms.given_up(form, next_slot):
        # A ticket can be followed by its number alone: an address is asked for, not required.
        form = form.with_slots(email="")
        next_slot = forms.missing(form, turn.caller)
    if next_slot is not None and forms.given_up(form, next_slot):
        async for event in _give_up(turn, form):
            yield event
    elif next_slot is not None:
        async for event in _ask(turn, form, next_slot):
            yield event
    elif form.name in forms.CONFIRMED_FORMS and not form.slots.get("confirmed"):
        async for event in _recapitulate(turn, form):
            yield event
    else:
        async for event in _finish(turn, form):
            yield event


async def add_or_begin(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Add a message to the ticket that is open; begin one where there is none any more."""
    added = False
    async for event in add_to_ticket(turn):
        added = True
        yield event
    if not added:
        async for event in follow(turn, form):
            yield event


async def _ask(turn: Turn, form: Form, slot: str) -> AsyncIterator[ReplyEvent]:
    offers = form.heard == "no_number" and turn.owner == "bot"
    asking = replace(form, asked=slot, confirming=False)
    turn.state = turn.state.but(form=asking, failures=0, handoff_offered=offers)
    turn.note("asked", form=form.name, slot=slot)
    if offers:
        yield turn.say("order.no_number")
        yield Suggestions(phrases(turn.language, "suggestions.yes_no"))
        return
    match form.heard:
        case "incomplete":
            yield turn.say("ticket.ask_email_again")
            return
        case "upset":
            yield turn.say("ticket.upset")
        case "asked_why":
            yield turn.say("ticket.why_email")
        case "noted":
            yield turn.say("noted")
    yield turn.say(f"{form.name}.ask_{slot}")


async def _give_up(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """The form cannot go on: drop it rather than ask for ever, and offer a human."""
    turn.state = turn.state.but(form=None)
    turn.note("gave_up", form=form.name)
    async for event in dont_know(turn, "not_understood"):
        yield event


async def _recapitulate(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Say back what will be done, and ask for a yes."""
    photos = await photo_lines(turn, form)
    form = form.with_slots(photos_asked=True)
    turn.state = turn.state.but(form=replace(form, asked=None, confirming=True), failures=0)
    turn.note("recapitulated", form=form.name)
    slots = form.slots
    yield turn.say(
        "ticket.recap",
        product=slots["product"],
        category=word(turn.language, "categories", slots.get("category", "autre")),
        severity=word(turn.language, "severities", slots.get("severity", "moyen")),
        description=slots["description"],
    )
    if slots.get("order_number"):
        yield turn.say("ticket.recap_order", number=slots["order_number"])
    if slots.get("email"):
        yield turn.say("ticket.recap_email", email=slots["email"])
    elif not turn.caller.signed_in:
        yield turn.say("ticket.recap_no_email")
    for line in photos:
        yield line
    yield turn.say("ticket.confirm")
    yield Suggestions(phrases(turn.language, "suggestions.confirm"))


async def _finish(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Do what the form is for; a form that was waiting behind it comes back."""
    turn.state = turn.state.but(form=None, last_intent=None)
    async for event in DO[form.name](turn, form):
        yield event
    async for event in _take_up_paused(turn):
        yield event


async def _take_up_paused(turn: Turn) -> AsyncIterator[ReplyEvent]:
    paused = turn.state.paused_form
    if paused is None or turn.state.form is not None:
        return
    turn.state = turn.state.but(form=paused, paused_form=None)
    async for event in resume(turn):
        yield event


async def resume(turn: Turn) -> AsyncIterator[ReplyEvent]:
    """Ask again what a form was waiting for, after something else was answered."""
    form = turn.state.form
    if form is None:
        return
    yield turn.say(f"resume.{form.name}")
    if forms.is_under_review(form):
        async for event in _recapitulate(turn, form):
            yield event
    elif form.asked is not None:
        yield turn.say(f"{form.name}.ask_{form.asked}")
    else:
        async for event in follow(turn, form):
            yield event


async def cancel(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """Give a form up."""
    turn.state = turn.state.but(form=None, failures=0)
    turn.note("cancelled", form=form.name)
    yield turn.say(f"cancelled.{form.name}")
    async for event in _take_up_paused(turn):
        yield event


async def ask_what_to_change(turn: Turn, form: Form) -> AsyncIterator[ReplyEvent]:
    """The recapitulation was not agreed to: ask what is wrong with it."""
    turn.state = turn.state.but(form=replace(form, asked=forms.CHANGE, confirming=False))
    turn.note("asked", form=form.name, slot=forms.CHANGE)
    yield turn.say("ticket.change")
