"""Courtesies and clarifying questions: sentences that claim nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.decisions import Clarify, SmallTalk
from bot.messages import ReplyEvent, Suggestions
from bot.phrasing import phrase, phrases
from bot.turn import Turn


async def small_talk(turn: Turn, decision: SmallTalk) -> AsyncIterator[ReplyEvent]:
    """Answer a courtesy."""
    turn.state = turn.state.but(failures=0)
    if decision.key == "offer_human" and turn.owner == "waiting":
        turn.state = turn.state.but(handoff_offered=False)
        yield turn.say("handoff_waiting")
        return
    yield turn.say(decision.key)
    if decision.suggestions is not None:
        yield Suggestions(phrases(turn.language, f"suggestions.{decision.suggestions}"))


async def clarify(turn: Turn, decision: Clarify) -> AsyncIterator[ReplyEvent]:
    """Ask which of two intents was meant, with both as quick replies."""
    first, second = (phrase(turn.language, f"intent_names.{name}") for name in decision.intents)
    turn.state = turn.state.but(clarifying=decision.intents)
    yield turn.say("clarify", first=first, second=second)
    yield Suggestions(tuple(name[:1].upper() + name[1:] for name in (first, second)))
