"""What is said of a person: asked for, offered, waited for, or not wanted."""

from __future__ import annotations

from bot import forms
from bot.certainty import (
    DIGRESSION_CONFIDENCE,
    FOLLOW_UP_WORDS,
    WORDLESS_CONFIDENCE,
    agrees,
    is_short,
)
from bot.decisions import Complain, HandOver, Plan, SmallTalk, WithdrawHandOver
from bot.state import DialogueState
from bot.understanding.cues import has_cue, is_told
from bot.understanding.understand import Understanding

FAILURES_BEFORE_HANDOFF = 2


def address(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """Nothing but an e-mail address, which nobody asked for: kept for whatever needs one."""
    emails = read.entities.emails
    if state.form is not None or not emails or len(read.text.split()) > 1:
        return None
    noted = state.but(email=emails[0], clarifying=())
    if state.handoff_offered:
        return Plan(SmallTalk("address_noted_offer", "yes_no"), noted)
    return Plan(SmallTalk("address_noted", "greeting"), noted)


def withdrawal(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """Who waits for a person says that there is no need to, or to forget it."""
    if not caller.waits or "?" in read.text or read.entities_present:
        return None
    about_order = read.intent == "order_change" or has_cue(read.folded, "order")
    free = state.form is None and not state.handoff_offered
    forget = free and has_cue(read.folded, "cancel") and not about_order
    if forget or has_cue(read.folded, "no_human") or has_cue(read.folded, "no_longer_waits"):
        return Plan(WithdrawHandOver(), state, resume=state.form is not None)
    return None


def who_is_there(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Tu es un robot ?" is answered, and calls nobody: "je parle à un robot ou pas ?"."""
    if not has_cue(read.folded, "asks_who") or len(read.text.split()) > FOLLOW_UP_WORDS:
        return None
    asks_person = is_told(read.folded, "wants_person")
    return None if asks_person else Plan(SmallTalk("who_am_i", "unknown"), state, resume=True)


def bargain(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Vous faites un prix ?": nobody but a person can."""
    if state.form is not None or not has_cue(read.folded, "haggles") or not is_short(read):
        return None
    return Plan(SmallTalk("no_discount", "yes_no"), state.but(handoff_offered=True))


def human(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """A person is asked for; what a form waits for or takes up ("c'est urgent") is no such wish."""
    asked = is_told(read.folded, "wants_person") and not read.is_question
    if not asked and (read.intent != "human_agent" or read.confidence < DIGRESSION_CONFIDENCE):
        return None
    form = state.form
    if has_cue(read.folded, "no_human"):
        return Plan(SmallTalk("human_not_wanted"), state, resume=form is not None)
    if form is not None and forms.answers_with_entity(form, read):
        return None
    if form is not None and read.confidence < WORDLESS_CONFIDENCE and forms.corrects(form, read):
        return None
    return Plan(HandOver("requested"), state)


def offer(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """The last reply offered a human."""
    if not state.handoff_offered:
        return None
    state_after = state.but(handoff_offered=False)
    if agrees(read) and not read.entities.products and not has_cue(read.folded, "buys"):
        return Plan(HandOver("accepted"), state_after)
    if read.intent == "deny" and not read.entities_present:
        return Plan(SmallTalk("human_not_wanted"), state_after.but(failures=0))
    return None


def offer_human(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    """A person may have been asked for: propose one rather than hand over on a guess."""
    return Plan(SmallTalk("offer_human", "yes_no"), state.but(handoff_offered=True))


def complain(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    """Somebody is not satisfied."""
    return Plan(Complain(), state)
