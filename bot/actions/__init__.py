"""Doing what the policy decided: each action yields the events of its part of the reply."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from bot.actions import fill_form, hand_over, know, products, small_talk
from bot.actions.documents_first import told_before, told_instead
from bot.decisions import (
    AddToTicket,
    AnswerFromKnowledge,
    AskWhatToChange,
    CancelForm,
    Clarify,
    CompareProducts,
    Complain,
    DescribeProduct,
    FollowForm,
    HandOver,
    Plan,
    SearchProducts,
    SmallTalk,
    WithdrawHandOver,
)
from bot.messages import ReplyEvent
from bot.turn import Turn


async def perform(turn: Turn, plan: Plan) -> AsyncIterator[ReplyEvent]:
    """Carry out a plan; a form that it interrupted is taken up again at the end.

    What documents tell goes before a task that was not clearly asked for, or in its place.
    """
    told = await told_instead(turn, plan.decision)
    if told:
        asked = AnswerFromKnowledge(turn.read.text, turn.read.intent)
        plan = replace(plan, decision=asked)
        events = know.answer(turn, asked, told)
    else:
        before = await told_before(turn, plan.decision)
        for sentence in know.quoted(turn, before) if before else ():
            yield sentence
        events = _perform_decision(turn, plan)
    async for event in events:
        yield event
    if plan.resume and turn.state.form is not None and not isinstance(plan.decision, FollowForm):
        async for event in fill_form.resume(turn):
            yield event


def _perform_decision(turn: Turn, plan: Plan) -> AsyncIterator[ReplyEvent]:
    match plan.decision:
        case SmallTalk() as decision:
            return small_talk.small_talk(turn, decision)
        case Clarify() as decision:
            return small_talk.clarify(turn, decision)
        case AnswerFromKnowledge() as decision:
            return know.answer(turn, decision)
        case Complain():
            return know.complain(turn)
        case SearchProducts() as decision:
            return products.search(turn, decision)
        case DescribeProduct() as decision:
            return products.describe(turn, decision)
        case CompareProducts() as decision:
            return products.compare(turn, decision)
        case FollowForm() | CancelForm() | AskWhatToChange() | AddToTicket() as decision:
            return _perform_on_form(turn, decision)
        case HandOver(reason):
            return hand_over.hand_over(turn, reason)
        case WithdrawHandOver():
            return hand_over.withdraw(turn)


def _perform_on_form(
    turn: Turn, decision: FollowForm | CancelForm | AskWhatToChange | AddToTicket
) -> AsyncIterator[ReplyEvent]:
    match decision:
        case FollowForm(form):
            return fill_form.follow(turn, form)
        case CancelForm(form):
            return fill_form.cancel(turn, form)
        case AskWhatToChange(form):
            return fill_form.ask_what_to_change(turn, form)
        case AddToTicket(otherwise):
            return fill_form.add_or_begin(turn, otherwise)
