"""Finding products and saying what the catalogue says of one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from bot.actions.documents_first import told_instead_of_nothing, told_instead_of_products
from bot.actions.know import answer
from bot.decisions import AnswerFromKnowledge, CompareProducts, DescribeProduct, SearchProducts
from bot.messages import Products, ReplyEvent, Sentence, Suggestions, ToolResult
from bot.phrasing import money, number, phrases, word
from bot.product_facts import compared_facts, facts
from bot.tools.product_search import ProductSearchResult, ProductView, product_view
from bot.turn import Turn
from bot.understanding.cues import first_cue, fold, has_cue
from knowledge.product_search import Catalogues
from knowledge.search import SearchHit
from knowledge.words import plain_words, stems
from services.catalogue.products import find_product

SHOWN = 4
LONGEST_SUBJECT = 120
# A price that is this many times the wished one is no longer near it.
NEAR_PRICE_TIMES = 2
BY_SIZE = frozenset({"smallest", "largest"})
_WORDS = re.compile(r"\w+")


async def search(turn: Turn, decision: SearchProducts) -> AsyncIterator[ReplyEvent]:
    """Show what the catalogue has for the message, or what comes nearest."""
    filters = _filters(turn, decision.refine)
    if decision.cheaper and turn.state.shown_from_cents:
        filters["price_max_cents"] = turn.state.shown_from_cents - 1
        filters.pop("price_min_cents", None)
    order = decision.by_size or first_cue(turn.read.folded, "extremes")
    told = [] if decision.refine or order else await told_instead_of_products(turn, filters)
    if told:
        async for event in _answer(turn, told):
            yield event
        return
    arguments = {**filters, "query": _query(turn, decision.refine), "limit": SHOWN}
    if order is not None:
        arguments["order_by"] = filters["order_by"] = order
    result = await _find(turn, arguments)
    turn.note("products_found", count=len(result.products), exact=result.exact)
    turn.state = turn.state.but(
        search={**filters, "query": arguments["query"]},
        shown_skus=tuple(product.sku for product in result.products),
        shown_from_cents=_lowest_price_cents(result),
        focus_sku=_focus(turn, result),
        last_intent="product_search",
        last_question="",
        failures=0,
    )
    if not result.products:
        told = await told_instead_of_nothing(turn, filters)
        if told:
            async for event in _answer(turn, told):
                yield event
            return
        note_missed(turn, arguments["query"])
        yield turn.say("product.none", tool="product_search")
        yield ToolResult("product_search", {"skus": []})
        return
    yield turn.say(_intro(result), tool="product_search")
    widths = await _widths(turn) if arguments.get("order_by") in BY_SIZE else {}
    for product in result.products:
        yield _item(turn, product, widths.get(product.sku))
    cards = [product.model_dump(mode="json") for product in result.products]
    yield Products(tuple(cards))
    yield ToolResult("product_search", {"skus": [product.sku for product in result.products]})
    yield Suggestions(phrases(turn.language, "suggestions.products"))


async def _widths(turn: Turn) -> dict[str, float | None]:
    """How wide each product is, by sku, in centimetres."""
    catalogue = await turn.runtime.part(Catalogues).of(turn.principal.organization_id)
    return {product.sku: product.width_cm for product in catalogue.products}


def _item(turn: Turn, product: ProductView, width_cm: float | None) -> Sentence:
    """One product's line in a list; its width where that is what was asked for."""
    stock = "in_stock" if product.in_stock else "out_of_stock"
    text = turn.say(
        "product.item" if width_cm is None else "product.item_wide",
        name=product.name,
        price=money(turn.language, round(product.price * 100)),
        stock=word(turn.language, "stock_words", stock),
        width=number(turn.language, width_cm or 0),
    ).text
    return Sentence(f"- {text}", tool="product_search", joint="\n")


def _answer(turn: Turn, told: Sequence[SearchHit]) -> AsyncIterator[ReplyEvent]:
    """Say what documents tell instead of showing products."""
    return answer(turn, AnswerFromKnowledge(turn.read.text, turn.read.intent), told)


def note_missed(turn: Turn, query: str) -> None:
    """Keep what was looked for in vain, for those who choose what the shop sells."""
    said = [word for word in _WORDS.findall(query.lower()) if _tells(word, turn.language)]
    folded = plain_words(" ".join(said), turn.language)
    subject = " ".join(sorted(set(stems(folded, turn.language))))
    words = " ".join(dict.fromkeys(said))
    if subject:
        shown = {"subject": subject[:LONGEST_SUBJECT], "words": words[:LONGEST_SUBJECT]}
        turn.note("products_missed", **shown)


def _tells(word: str, language: str) -> bool:
    """Whether a word says what is looked for, rather than that something is."""
    return bool(plain_words(word, language)) and not has_cue(fold(word), "looks_for")


def _focus(turn: Turn, result: ProductSearchResult) -> str | None:
    """The product that "it" means from now on: the only one shown, or the one that was named."""
    shown = [product.sku for product in result.products]
    if len(shown) == 1:
        return shown[0]
    return turn.read.product_sku if turn.read.product_sku in shown else None


async def _find(turn: Turn, arguments: Mapping[str, Any]) -> ProductSearchResult:
    """Search; what comes nearest where nothing is so cheap, or no kind is named so.

    Where there are corner sofas but none so cheap, the cheapest of them come near; where there is
    no type "table à manger", tables are searched and the words put those first.
    """
    result = await _searched(turn, arguments)
    types = tuple(arguments.get("types", ()))
    if not result.products and arguments.get("categories") and types:
        # A room says where a thing will stand, not under which room the catalogue lists it.
        arguments = {**arguments, "categories": ()}
        result = await _searched(turn, arguments)
    if result.products or not types:
        return result
    catalogue = await turn.runtime.part(Catalogues).of(turn.principal.organization_id)
    listed = any(product.type in types for product in catalogue.products)
    if listed and (most_cents := arguments.get("price_max_cents")):
        near = {"price_max_cents": NEAR_PRICE_TIMES * most_cents, "order_by": "cheapest"}
        result = await _searched(turn, {**arguments, **near})
        if result.products:
            return result.model_copy(update={"exact": False})
    families = tuple(dict.fromkeys(one.split()[0] for one in types))
    if families == types:
        return result
    result = await _searched(turn, {**arguments, "types": families})
    return result.model_copy(update={"exact": result.exact and not listed})


async def _searched(turn: Turn, arguments: Mapping[str, Any]) -> ProductSearchResult:
    return await turn.run("product_search", ProductSearchResult, arguments)


def _lowest_price_cents(result: ProductSearchResult) -> int | None:
    return min((round(product.price * 100) for product in result.products), default=None)


def _intro(result: ProductSearchResult) -> str:
    if not result.exact:
        return "product.nearest"
    return "product.found_one" if len(result.products) == 1 else "product.found"


def _query(turn: Turn, refine: bool) -> str:
    """The words to search with: those of the first search too when this one refines it."""
    if not refine:
        return turn.read.corrected[:500]
    kept = "" if turn.read.entities.types else str(turn.state.search.get("query", ""))
    return f"{kept} {turn.read.corrected}".strip()[:500]


def _filters(turn: Turn, refine: bool) -> dict[str, Any]:
    """What the message asks for; a refinement changes only what it names."""
    asked = dict(turn.read.product_values)
    # "Noyer" is a colour and a wood: the wood says enough, and more.
    materials = asked.get("materials", ())
    asked["colours"] = tuple(one for one in asked.get("colours", ()) if one not in materials)
    asked = {name: value for name, value in asked.items() if value != ()}
    if not refine:
        return asked
    kept = {name: value for name, value in turn.state.search.items() if name != "query"}
    if turn.read.entities.types:
        kept.pop("categories", None)
    return {**kept, **asked}


async def describe(turn: Turn, decision: DescribeProduct) -> AsyncIterator[ReplyEvent]:
    """Answer a question about one product from the catalogue, else from the documents."""
    async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
        product = await find_product(transaction, decision.sku)
    if product is None:
        async for event in answer(turn, AnswerFromKnowledge(turn.read.text, decision.intent)):
            yield event
        return
    turn.state = turn.state.but(
        focus_sku=product.sku,
        last_intent=decision.intent,
        last_question="",
        failures=0,
        search={},
    )
    turn.note("described", sku=product.sku)
    for sentence in facts(turn, product, decision.intent):
        yield sentence
    yield Products((product_view(product).model_dump(mode="json"),))
    yield Suggestions(phrases(turn.language, "suggestions.product"))


async def compare(turn: Turn, decision: CompareProducts) -> AsyncIterator[ReplyEvent]:
    """Say what the catalogue says of each of two products."""
    async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
        found = [await find_product(transaction, sku) for sku in decision.skus]
    products = [product for product in found if product is not None]
    turn.state = turn.state.but(last_intent="product_search", failures=0)
    turn.note("compared", skus=[product.sku for product in products])
    for product in products:
        for sentence in compared_facts(turn, product):
            yield sentence
    yield Products(tuple(product_view(product).model_dump(mode="json") for product in products))
    yield Suggestions(phrases(turn.language, "suggestions.products"))
