"""What is said of products that were shown: pick one, compare two, buy it, or another kind."""

from __future__ import annotations

import re
from itertools import combinations

from bot import forms
from bot.certainty import is_short
from bot.decisions import (
    AnswerFromKnowledge,
    CompareProducts,
    DescribeProduct,
    Plan,
    SearchProducts,
    SmallTalk,
)
from bot.intent_groups import PRODUCT_ATTRIBUTE_INTENTS, PRODUCT_INTENTS
from bot.phrasing import phrase
from bot.state import DialogueState
from bot.understanding.cues import first_cue, fold, has_cue
from bot.understanding.understand import Understanding

# More words than "ok et la garantie ?" may ask of something else.
ASIDE_WORDS = 5
# What differs from one product to the next, and no document tells.
OF_EACH_PRODUCT = frozenset({"dimensions", "weight", "colours", "materials", "stock", "price"})


def compare(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Compare les deux premiers", after a list; products that are named are shown together."""
    if not has_cue(read.folded, "compares"):
        return None
    named = _named_pair(read)
    if named is not None:
        return Plan(CompareProducts(named), state)
    if read.entities.products:
        return Plan(SearchProducts(), state)
    shown = state.shown_skus
    if len(shown) < 2 or read.product_values:
        return None
    chosen = [shown[place - 1] for place in read.entities.ordinals if 0 < place <= len(shown)]
    first, second = chosen[:2] if len(chosen) >= 2 else shown[:2]
    return Plan(CompareProducts((first, second)), state)


def _named_pair(read: Understanding) -> tuple[str, str] | None:
    """The two most alike products that a message names by different words: "Oslo ou Bergen"."""
    said = set(re.findall(r"\w+", read.folded))
    words = {one.sku: set(fold(one.name).split()) for one in read.entities.products}
    pairs = [
        (len(words[first] & words[second]), first, second)
        for first, second in combinations(words, 2)
        if words[first] & said - words[second] and words[second] & said - words[first]
    ]
    if not pairs:
        return None
    _, first, second = max(pairs, key=lambda pair: pair[0])
    return first, second


def buy(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Je le prends": how an order is placed, which is not done here."""
    named = read.entities.products and is_short(read)
    known = state.focus_sku or state.shown_skus or named
    if not known or not has_cue(read.folded, "buys"):
        return None
    question = phrase(read.language, "how_to_order")
    return Plan(AnswerFromKnowledge(question, "product_question"), state)


def sales(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Une promo sur les canapés ?": when prices are lower, of which documents tell."""
    asked = read.intent in PRODUCT_INTENTS | {"product_search"} and has_cue(read.folded, "sales")
    if not asked or state.form is not None or read.entities.products:
        return None
    question = phrase(read.language, "current_sales")
    return Plan(AnswerFromKnowledge(question, read.intent, otherwise=read.text), state)


def pick(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Le deuxième", after a list of products."""
    if not state.shown_skus or not read.entities.ordinals:
        return None
    position = read.entities.ordinals[0]
    index = position - 1 if position > 0 else len(state.shown_skus) + position
    if not 0 <= index < len(state.shown_skus):
        return Plan(SmallTalk("product.which"), state) if is_short(read) else None
    intent = (
        read.intent
        if read.intent in PRODUCT_INTENTS | PRODUCT_ATTRIBUTE_INTENTS
        else "product_question"
    )
    return Plan(DescribeProduct(state.shown_skus[index], intent), state)


def correction(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Non, le fauteuil": the last search with another kind of product."""
    if (state.shown_skus or state.focus_sku) and read.intent == "deny" and read.entities_present:
        return Plan(SearchProducts(refine=True), state)
    return None


def guide(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """Who does not know what to look for is asked what a salesperson would ask."""
    if state.form is not None or read.entities.types or not has_cue(read.folded, "undecided"):
        return None
    return Plan(SmallTalk("product.guide"), state.but(last_intent="product_search", search={}))


def about_shown(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Et combien il mesure ?", "livré quand ?": what is asked of the product talked about."""
    talked = state.last_intent in PRODUCT_INTENTS | PRODUCT_ATTRIBUTE_INTENTS | {"product_search"}
    if not talked or len(read.text.split()) > ASIDE_WORDS or read.entities_present:
        return None
    attribute = first_cue(read.folded, "attributes")
    if attribute is None or has_cue(read.folded, "own_order"):
        return None
    if state.focus_sku is not None:
        return Plan(DescribeProduct(state.focus_sku, "product_question"), state)
    if attribute == "delivery" and state.shown_skus:
        topic = phrase(read.language, "intent_names.delivery_question")
        question = f"{topic} {read.text}"
        return Plan(AnswerFromKnowledge(question, "delivery_question"), state)
    of_each = state.shown_skus and attribute in OF_EACH_PRODUCT
    return Plan(SmallTalk("product.which"), state) if of_each else None
