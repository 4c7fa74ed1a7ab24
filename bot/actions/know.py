"""Answering from the shop's documents, or saying honestly that they do not tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial

from bot.actions.hand_over import hand_over
from bot.actions.not_sold import is_not_sold
from bot.answer import compose, compose_short, near_the_best, quote_sentence, said
from bot.decisions import AnswerFromKnowledge
from bot.intent_groups import CASE_INTENTS
from bot.messages import ReplyEvent, Sentence, Suggestions
from bot.person_talk import FAILURES_BEFORE_HANDOFF
from bot.phrasing import phrases, word
from bot.relevance import (
    lacks_what_is_asked,
    least_score,
    place_first,
    put_off_score,
    sure_score,
    unmentioned_name,
)
from bot.searching import documents_for
from bot.turn import Turn
from bot.understanding.cues import has_cue
from bot.understanding.understand import Understanding
from knowledge.contradictions import Contradiction, DatedPassage, contradictions
from knowledge.index import Knowledge
from knowledge.search import SearchHit, search

HITS = 5
# Other documents that are quoted beside the best one.
OTHERS_IF_SURE = 1
OTHERS_IF_DOUBTFUL = 2


async def answer(
    turn: Turn, decision: AnswerFromKnowledge, found: Sequence[SearchHit] = ()
) -> AsyncIterator[ReplyEvent]:
    """Quote what the documents say; below the threshold, admit it and offer a human.

    `found` is what a search for the question has given already, and is sure enough.
    """
    hits = found or await _found(turn, decision)
    if not hits:
        async for event in dont_know(turn, "out_of_scope" if decision.strict else "unknown"):
            yield event
        return
    turn.state = turn.state.but(
        failures=0, last_intent=_topic(turn, decision), last_question=decision.question[:300]
    )
    sure = _is_sure(turn, hits[0], decision.strict)
    for sentence in _introduced(turn, hits[0], "answered", sure):
        yield sentence
    disagreement = _disagreement(turn, hits)
    if disagreement is not None:
        sure = False
    for sentence in _told(turn, hits, sure, disagreement):
        yield sentence
    case = turn.read.entities.order_numbers if decision.intent in CASE_INTENTS else ()
    if case and turn.owner == "bot" and turn.state.form is None:
        for event in offer_for_order(turn, case[0]):
            yield event
        return
    needs_person = not sure or has_cue(turn.read.folded, "disputes")
    if needs_person and turn.owner == "bot" and turn.state.form is None:
        turn.state = turn.state.but(handoff_offered=True)
        yield turn.say("offer_human")
    group = f"suggestions.{decision.intent}"
    yield Suggestions(
        phrases(turn.language, group) or phrases(turn.language, "suggestions.knowledge")
    )


def _topic(turn: Turn, decision: AnswerFromKnowledge) -> str:
    """What is talked about from now on: still the same where the intents read nothing."""
    kept = turn.state.last_intent
    return kept if decision.intent == "out_of_scope" and kept else decision.intent


def offer_for_order(turn: Turn, number: str) -> Iterator[ReplyEvent]:
    """Offer a person for what is wanted of an order: nothing here can change one."""
    turn.state = turn.state.but(handoff_offered=True, order_number=number)
    yield turn.say("offer_human_order", number=number)
    yield Suggestions(phrases(turn.language, "suggestions.yes_no"))


async def _found(turn: Turn, decision: AnswerFromKnowledge) -> Sequence[SearchHit]:
    """What answers surely enough: the question, or what is to be asked where that finds nothing."""
    for question in (decision.question, decision.otherwise):
        hits = [] if question is None else await _search(turn, question)
        if not hits:
            continue
        least = least_score(turn.assistant, turn.read, hits[0], decision.strict)
        if hits[0].score >= least:
            return place_first(turn.read, hits, least)
    return []


def quoted(turn: Turn, hits: Sequence[SearchHit]) -> Iterator[Sentence]:
    """What the best document says, before something else is done about the message."""
    yield from _introduced(turn, hits[0], "quoted", _is_sure(turn, hits[0]))
    yield from compose(hits)


def _is_sure(turn: Turn, hit: SearchHit, strict: bool = False) -> bool:
    """Whether a document is given without a word of doubt."""
    if hit.score < sure_score(turn.assistant, strict):
        return False
    return not lacks_what_is_asked(turn.read, hit)


def _introduced(turn: Turn, hit: SearchHit, step: str, sure: bool) -> Iterator[Sentence]:
    """What is said before a document: a word of doubt, and in which other language it is."""
    turn.note(step, document=hit.document_id, score=round(hit.score, 3), sure=sure)
    if not sure:
        name = _unmentioned_name(turn)
        if name is not None:
            yield turn.say("not_mentioned", name=name)
        yield turn.say("not_sure")
    if hit.language != turn.language:
        document_language = word(turn.language, "language_names", hit.language)
        yield turn.say("other_language", document_language=document_language)


def _unmentioned_name(turn: Turn) -> str | None:
    """The place where a shop is looked for, if no document knows it."""
    if turn.read.intent != "store_hours":
        return None
    knowledge, organization_id = turn.runtime.part(Knowledge), turn.principal.organization_id
    return unmentioned_name(turn.read, partial(knowledge.uses_word, organization_id))


def _told(
    turn: Turn, hits: Sequence[SearchHit], sure: bool, disagreement: Contradiction | None
) -> Iterator[Sentence]:
    """What the documents say; where two disagree both are quoted, the newer first."""
    if disagreement is None:
        yield from compose(hits)
        yield from _told_beside(turn, hits, sure)
        return
    found = {hit.document_id: hit for hit in hits}
    newer, older = disagreement.newer, disagreement.older
    turn.note("documents_disagree", newer=newer.passage.document_id, kind=disagreement.kind)
    yield turn.say("documents_disagree")
    yield quote_sentence(found[newer.passage.document_id], newer.sentence)
    yield turn.say("older_document")
    yield quote_sentence(found[older.passage.document_id], older.sentence)


def _told_beside(turn: Turn, hits: Sequence[SearchHit], sure: bool) -> Iterator[Sentence]:
    """What other documents say where the best is not certain to answer; one is enough to hear."""
    if turn.is_spoken or (sure and hits[0].score >= turn.assistant.certain_score):
        return
    for other in near_the_best(hits, OTHERS_IF_SURE if sure else OTHERS_IF_DOUBTFUL):
        # A figure is said with its source alone, and a title is none.
        has_figure = any(character.isdigit() for character in other.title)
        key = "see_also_unnamed" if has_figure else "see_also"
        yield turn.say(key, title=other.title)
        yield from compose_short(other)


def _disagreement(turn: Turn, hits: Sequence[SearchHit]) -> Contradiction | None:
    """The first contradiction of what the best document says by another that was found."""
    known = turn.runtime.part(Knowledge).corpus(turn.principal.organization_id).documents
    passages = [
        DatedPassage(
            hit.document_id,
            hit.title,
            hit.language,
            hit.passage,
            known[hit.document_id].updated_at,
            said(hit) if position == 0 else None,
        )
        for position, hit in enumerate(hits)
        if hit.document_id in known
    ]
    found = [
        one
        for one in contradictions(passages)
        if hits[0].document_id in (one.newer.passage.document_id, one.older.passage.document_id)
    ]
    return found[0] if found else None


async def told_by_documents(turn: Turn, least: float) -> list[SearchHit]:
    """What documents say of the message; nothing where none answers it surely enough.

    That is as surely as `least` of a matter that the intents know; of another less is enough.
    """
    hits = await _search(turn, turn.read.text)
    return hits if hits and hits[0].score >= put_off_score(turn.assistant, hits[0], least) else []


async def _search(turn: Turn, question: str) -> list[SearchHit]:
    """Search with the vector that the intent was read from, where the question is the message."""
    organization_id = turn.principal.organization_id
    if question == turn.read.text:
        hits = await search_for(turn, turn.read)
    else:
        knowledge = turn.runtime.part(Knowledge)
        hits = await search(knowledge, organization_id, question, turn.language, HITS)
    turn.note("searched", best=round(hits[0].score, 3) if hits else None)
    return hits


async def search_for(turn: Turn, read: Understanding) -> list[SearchHit]:
    """What documents say of a message, or of a part of it, as it was read."""
    organization_id = turn.principal.organization_id
    explained = await documents_for(turn.runtime, organization_id, read, HITS)
    return [one.hit for one in explained]


async def dont_know(turn: Turn, key: str) -> AsyncIterator[ReplyEvent]:
    """Say that the answer is not known; hand over after the second time in a row."""
    failures = turn.state.failures + 1
    turn.note("unknown", failures=failures)
    yield turn.say("product.none_sold" if await is_not_sold(turn) else key)
    if failures >= FAILURES_BEFORE_HANDOFF and turn.owner == "bot":
        yield turn.say("handoff_failures")
        async for event in hand_over(turn, "two_failures"):
            yield event
        return
    if turn.owner == "waiting":
        yield turn.say("handoff_waiting")
        return
    if turn.state.form is not None:
        # The form's own question follows: two at once, and a yes could mean either.
        turn.state = turn.state.but(failures=failures)
        return
    turn.state = turn.state.but(failures=failures, handoff_offered=True)
    yield turn.say("offer_human")
    yield Suggestions(phrases(turn.language, "suggestions.unknown"))


async def complain(turn: Turn) -> AsyncIterator[ReplyEvent]:
    """Hear a complaint, and propose a human at once."""
    yield turn.say("complaint")
    hits = await _search(turn, turn.read.text)
    if hits and hits[0].score >= least_score(turn.assistant, turn.read, hits[0], strict=True):
        for sentence in quoted(turn, hits):
            yield sentence
    turn.state = turn.state.but(last_intent="complaint")
    turn.note("complaint_heard")
    if turn.owner == "waiting":
        yield turn.say("handoff_waiting")
        return
    turn.state = turn.state.but(handoff_offered=True)
    yield turn.say("offer_human")
    yield Suggestions(phrases(turn.language, "suggestions.yes_no"))
