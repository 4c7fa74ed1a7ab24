"""Answering from the shop's documents, or saying honestly that they do not tell."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.actions.hand_over import hand_over
from bot.answer import compose
from bot.messages import ReplyEvent, Suggestions
from bot.phrasing import phrases, word
from bot.policy import FAILURES_BEFORE_HANDOFF, AnswerFromKnowledge
from bot.relevance import by_subject, lacks_what_is_asked
from bot.turn import Turn
from bot.understanding.understand import Interpreter
from knowledge.index import Knowledge
from knowledge.search import SearchHit, search

# Few enough to be compared by their subjects, enough to hold the right one.
HITS = 8


async def answer(turn: Turn, decision: AnswerFromKnowledge) -> AsyncIterator[ReplyEvent]:
    """Quote what the documents say; below the threshold, admit it and offer a human."""
    assistant = turn.assistant
    least = assistant.strict_answer_score if decision.strict else assistant.answer_score
    hits = await _search(turn, decision.question)
    if decision.otherwise is not None and (not hits or hits[0].score < least):
        hits = await _search(turn, decision.otherwise)
    if not hits or hits[0].score < least:
        async for event in dont_know(turn, "out_of_scope" if decision.strict else "unknown"):
            yield event
        return
    turn.state = turn.state.but(
        failures=0, last_intent=decision.intent, last_question=decision.question[:300]
    )
    sure = hits[0].score >= assistant.sure_score
    sure = sure and not lacks_what_is_asked(turn.read, hits[0])
    turn.note("answered", document=hits[0].document_id, score=round(hits[0].score, 3), sure=sure)
    if not sure:
        yield turn.say("not_sure")
    if hits[0].language != turn.language:
        document_language = word(turn.language, "language_names", hits[0].language)
        yield turn.say("other_language", document_language=document_language)
    for sentence in compose(hits, sure):
        yield sentence
    if not sure and turn.owner == "bot":
        turn.state = turn.state.but(handoff_offered=True)
        yield turn.say("offer_human")
    group = f"suggestions.{decision.intent}"
    yield Suggestions(
        phrases(turn.language, group) or phrases(turn.language, "suggestions.knowledge")
    )


async def _search(turn: Turn, question: str) -> list[SearchHit]:
    """Search with the vector that the intent was read from, where the question is the message."""
    read = turn.read
    same = question == read.text
    hits = await search(
        turn.runtime.part(Knowledge),
        turn.principal.organization_id,
        read.corrected if same else question,
        turn.language,
        HITS,
        vector=read.vector if same else None,
    )
    hits = by_subject(hits, read, turn.runtime.part(Interpreter).subject)
    turn.note("searched", best=round(hits[0].score, 3) if hits else None)
    return hits


async def dont_know(turn: Turn, key: str) -> AsyncIterator[ReplyEvent]:
    """Say that the answer is not known; hand over after the second time in a row."""
    failures = turn.state.failures + 1
    turn.note("unknown", failures=failures)
    yield turn.say(key)
    if failures >= FAILURES_BEFORE_HANDOFF and turn.owner == "bot":
        yield turn.say("handoff_failures")
        async for event in hand_over(turn, "two_failures"):
            yield event
        return
    if turn.owner == "waiting":
        yield turn.say("handoff_waiting")
        return
    turn.state = turn.state.but(failures=failures, handoff_offered=True)
    yield turn.say("offer_human")
    yield Suggestions(phrases(turn.language, "suggestions.unknown"))


async def complain(turn: Turn) -> AsyncIterator[ReplyEvent]:
    """Hear a complaint, and propose a human at once."""
    yield turn.say("complaint")
    hits = await _search(turn, turn.read.text)
    if hits and hits[0].score >= turn.assistant.strict_answer_score:
        for sentence in compose(hits, sure=True):
            yield sentence
    turn.state = turn.state.but(handoff_offered=True, last_intent="complaint")
    turn.note("complaint_heard")
    yield turn.say("offer_human")
    yield Suggestions(phrases(turn.language, "suggestions.yes_no"))
