"""Do the shop's documents answer a message that was read as something to do?

A clarifying question, a form, a queue for a human or a list of products is a poor reply to what a
document tells. A search is made where a message asks something, and the reading leaves room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.actions.know import told_by_documents
from bot.certainty import DIGRESSION_CONFIDENCE
from bot.decisions import Clarify, Decision, FollowForm, HandOver, SmallTalk
from bot.intent_groups import PRODUCT_INTENTS
from bot.turn import Turn
from bot.understanding.cues import fold, has_cue
from bot.understanding.understand import Understanding
from knowledge.search import SearchHit
from knowledge.words import plain_words, stems

# Filters that say no more than which furniture a question is about, and those of what it is like.
KINDS = frozenset({"categories", "types"})
LOOKS = KINDS | {"colours", "materials"}
SHORTEST_QUESTION_WORDS = 4
LONGEST_PLAIN_WORDS = 9
STORY_WORDS = 14
SURE_CONFIDENCE = 0.9


async def told_instead(turn: Turn, decision: Decision) -> list[SearchHit]:
    """What documents tell instead of a question back or an empty courtesy."""
    read, assistant = turn.read, turn.assistant
    if isinstance(decision, Clarify):
        return await told_by_documents(turn, assistant.doubtful_score)
    if isinstance(decision, SmallTalk) and _is_doubtful(read) and _asks(read):
        return await told_by_documents(turn, assistant.rather_documents_score)
    return []


async def told_before(turn: Turn, decision: Decision) -> list[SearchHit]:
    """What documents tell before a form begins or a human is called."""
    read, assistant = turn.read, turn.assistant
    asks, doubtful = _asks(read), _is_doubtful(read)
    if isinstance(decision, HandOver):
        return await told_by_documents(turn, assistant.rather_documents_score) if asks else []
    begins = isinstance(decision, FollowForm) and turn.state.form is None
    if not begins or read.entities.order_numbers or read.entities.ticket_numbers:
        return []
    if isinstance(decision, FollowForm) and decision.form.name == "order" and _is_for_one(turn):
        return []
    if asks and read.intent == "support_request":
        # "Le livreur est là, je signe ?": advice helps now, the ticket later.
        return await told_by_documents(turn, assistant.answer_score)
    if asks and doubtful:
        return await told_by_documents(turn, assistant.doubtful_score)
    if asks or doubtful:
        return await told_by_documents(turn, assistant.rather_documents_score)
    return []


def _is_for_one(turn: Turn) -> bool:
    """ "Où est ma commande ?" is about that one, whatever documents say of orders."""
    if turn.state.last_intent == "order_status":
        return True
    read = turn.read
    sure = read.intent == "order_status" and read.confidence >= SURE_CONFIDENCE
    plain = len(read.text.split()) <= LONGEST_PLAIN_WORDS
    return sure and plain and not has_cue(fold(read.corrected), "asks_procedure")


async def told_instead_of_products(turn: Turn, filters: Mapping[str, Any]) -> list[SearchHit]:
    """What documents tell where a question seems to ask what furniture costs or is like.

    "Combien pour m'apporter un canapé ?" names furniture and asks for the price of its delivery;
    less is enough of a document where a way to do something is asked for.
    """
    read, assistant = turn.read, turn.assistant
    if read.intent not in PRODUCT_INTENTS or read.product_sku or not _asks_beside_its_kind(turn):
        return []
    named = {name for name, value in filters.items() if value}
    asks_how = has_cue(fold(read.corrected), "asks_procedure")
    if named <= LOOKS and (asks_how or _tells_a_story(read)):
        return await told_by_documents(turn, assistant.doubtful_score)
    if named <= KINDS or (named <= LOOKS and read.is_question):
        return await told_by_documents(turn, assistant.rather_documents_score)
    return []


async def told_instead_of_nothing(turn: Turn, filters: Mapping[str, Any]) -> list[SearchHit]:
    """What documents tell where the catalogue has nothing."""
    about_products = turn.read.intent in PRODUCT_INTENTS and _asks(turn.read)
    if filters and not about_products:
        return []
    return await told_by_documents(turn, turn.assistant.sure_score)


def _tells_a_story(read: Understanding) -> bool:
    """A question of so many words asks more than for a list of products."""
    return read.is_question and len(read.text.split()) >= STORY_WORDS


def _asks_beside_its_kind(turn: Turn) -> bool:
    """Whether more is asked than the price of a kind of furniture: "il coûte combien, ce lit ?"."""
    kinds = " ".join((*turn.read.entities.types, *turn.read.entities.categories))
    named = set(stems(plain_words(kinds, "fr"), "fr"))
    words = plain_words(turn.read.corrected, turn.language)
    rest = [word for word in words if not has_cue(word, "price")]
    return not named.issuperset(stems(rest, turn.language))


def _is_doubtful(read: Understanding) -> bool:
    return read.confidence < DIGRESSION_CONFIDENCE


def _asks(read: Understanding) -> bool:
    return read.is_question and len(read.text.split()) >= SHORTEST_QUESTION_WORDS
