"""How a task begins, and what is said of it once it is done: tickets, orders, their state."""

from __future__ import annotations

from dataclasses import replace

from bot import forms
from bot.certainty import DIGRESSION_CONFIDENCE, is_short, opens_with_and
from bot.decisions import AddToTicket, AnswerFromKnowledge, FollowForm, Plan
from bot.intent_groups import CASE_INTENTS, SMALL_TALK
from bot.state import DialogueState
from bot.understanding.cues import first_cue, has_cue
from bot.understanding.understand import Understanding


def start_form(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    """Begin the form of an intent, or go on with it."""
    filling_ticket = state.form is not None and state.form.name == "ticket"
    if filling_ticket and read.intent == "ticket_status" and not read.entities.ticket_numbers:
        # The ticket asked about is the one being written: a question about how it will go.
        return Plan(AnswerFromKnowledge(read.text, read.intent), state)
    form = forms.start(forms.FORM_OF_INTENT[read.intent], state, read, caller)
    if form.name == "order" and is_case(state, read):
        form = form.with_slots(case=True)
    if form.name == "order" and has_cue(read.folded, "delay"):
        form = form.with_slots(why_late=True)
    # Only a half-written ticket is worth coming back to; a look-up is quickly asked for again.
    paused = state.form if filling_ticket and form.name != "ticket" else state.paused_form
    return Plan(FollowForm(form), state.but(paused_form=paused))


def is_case(state: DialogueState, read: Understanding) -> bool:
    """Whether an order is named for something that only a person can do about it.

    That was asked before its number, or is a parcel that has not come.
    """
    if has_cue(read.folded, "not_received"):
        return True
    return state.last_intent in CASE_INTENTS and not has_cue(read.folded, "tracks")


def tells_problem(state: DialogueState, read: Understanding) -> bool:
    """Whether a message in doubt, or one that names an order, says that something is broken."""
    named = read.entities.products or read.entities.types or has_cue(read.folded, "parts")
    if not named or read.is_question or first_cue(read.folded, "categories") is None:
        return False
    if read.intent == "ticket_status":
        # There is no ticket yet to ask about: one is asked for.
        return not read.entities.ticket_numbers and not state.ticket_ids
    likely = "support_request" in [intent for intent, _ in read.ranking[:3]]
    doubtful = read.confidence < DIGRESSION_CONFIDENCE or read.intent == "order_status"
    uncertain = doubtful and read.intent not in SMALL_TALK
    return read.intent == "out_of_scope" or (likely and uncertain)


def more_for_ticket(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "J'ai oublié de dire …", "et il manque des vis": more of what a ticket was opened for."""
    if state.form is not None or not state.ticket_ids or "?" in read.text:
        return None
    named = read.entities.products or read.entities.types or read.entities.order_numbers
    told = read.intent == "support_request" and not named and opens_with_and(read)
    adds = has_cue(read.folded, "adds") and not has_cue(read.folded, "order")
    if not (told or adds):
        return None
    ticket = replace(read, intent="support_request")
    return Plan(AddToTicket(forms.start("ticket", state, ticket, caller)), state)


def why_late(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Pourquoi c'est si long ?", "et demain ?", of the order that was just told about."""
    if state.form is not None or state.last_intent != "order_status" or not is_short(read):
        return None
    asks_of_day = bool(read.entities.dates) and "?" in read.text
    if not (asks_of_day or has_cue(read.folded, "delay")):
        return None
    return start_form(state, replace(read, intent="order_status"), caller)


def part_of_order(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Les chaises seulement", where a return or a change was asked about: which order is it?"""
    named = read.entities.products or read.entities.types
    told = state.last_intent in CASE_INTENTS and named and is_short(read) and not read.is_question
    if not told or first_cue(read.folded, "categories") or read.intent == "product_search":
        return None
    return start_form(state, replace(read, intent="order_status"), caller)
