"""Two wishes in one message: a question that documents or the catalogue answer, and another.

The question is answered first, so that what a task asks back comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.actions.know import search_for
from bot.forms import FORM_OF_INTENT
from bot.intent_groups import KNOWLEDGE_INTENTS
from bot.relevance import sure_score
from bot.task_talk import tells_problem
from bot.turn import Turn
from bot.understanding.clauses import two_wishes
from bot.understanding.understand import Interpreter, Understanding
from knowledge.search import SearchHit

# Less sure of a part, and the message is taken as a whole; a task asks back before it does a thing.
SURE_CONFIDENCE = 0.8
SURE_TASK_CONFIDENCE = 0.6


@dataclass(frozen=True)
class Wish:
    """A part of a message as it was read, and the documents that answer it."""

    read: Understanding
    found: Sequence[SearchHit] = ()


async def wishes_of(turn: Turn) -> tuple[Wish, Wish] | None:
    """The two wishes of a message, in the order in which they are answered; None for one alone."""
    parts = None if turn.state.form is not None else two_wishes(turn.read.text, turn.language)
    if parts is None:
        return None
    first, second = [await _read_part(turn, part) for part in parts]
    if not (_is_sure(first) and _is_sure(second)):
        return None
    if first.intent == second.intent and await _is_answered_whole(turn):
        return None
    if second.intent in KNOWLEDGE_INTENTS and first.intent in FORM_OF_INTENT:
        first, second = second, first
    if first.intent not in KNOWLEDGE_INTENTS:
        return None
    answered = await _answered(turn, first)
    if answered is None:
        return None
    if second.intent in FORM_OF_INTENT:
        # Numbers and addresses may stand in either part.
        return answered, Wish(replace(second, entities=turn.read.entities))
    other = await _answered(turn, second) if second.intent in KNOWLEDGE_INTENTS else None
    if other is None or other.found[0].document_id == answered.found[0].document_id:
        return None
    return answered, other


async def _is_answered_whole(turn: Turn) -> bool:
    found = await search_for(turn, turn.read)
    return bool(found) and found[0].score >= sure_score(turn.assistant, strict=False)


def _is_sure(read: Understanding) -> bool:
    is_task = read.intent in FORM_OF_INTENT
    return read.confidence >= (SURE_TASK_CONFIDENCE if is_task else SURE_CONFIDENCE)


async def _read_part(turn: Turn, part: str) -> Understanding:
    organization_id = turn.principal.organization_id
    read = await turn.runtime.part(Interpreter).understand(part, turn.language, organization_id)
    if tells_problem(turn.state, read):
        return replace(read, intent="support_request", confidence=1.0)
    return read


async def _answered(turn: Turn, read: Understanding) -> Wish | None:
    """A wish with the documents that answer it, be it with a word of doubt."""
    found = await search_for(turn, read)
    if not found or found[0].score < turn.assistant.doubtful_score:
        return None
    # What may be done about the order comes with the other wish.
    return Wish(replace(read, entities=replace(read.entities, order_numbers=())), found)
