"""What the catalogue says of a product, for the attribute that a question is about."""

from __future__ import annotations

from collections.abc import Callable

from bot.messages import Sentence
from bot.phrasing import money, number
from bot.turn import Turn
from bot.understanding.cues import all_cues
from services.catalogue.products import Product, Variant

ATTRIBUTE_OF_INTENT = {
    "price_question": "price",
    "stock_question": "stock",
    "delivery_question": "delivery",
    "warranty_question": "warranty",
    "care_question": "care",
    "assembly_question": "assembly",
}
COMPARED = ("price", "stock", "dimensions", "materials", "warranty")
MOST_ATTRIBUTES = 3
# Below this, the words of a question say better than its intent what is asked.
CERTAIN = 0.6


def facts(turn: Turn, product: Product, intent: str) -> list[Sentence]:
    """Sentences for every attribute asked, or a short portrait where none is named."""
    asked = list(all_cues(turn.read.folded, "attributes"))
    named = ATTRIBUTE_OF_INTENT.get(intent)
    certain = turn.read.confidence >= CERTAIN or not asked
    if named is not None and named not in asked and certain:
        asked.insert(0, named)
    sentences: list[Sentence] = []
    if turn.read.entities.colours:
        sentences = _in_colours(turn, product)
        asked = [name for name in asked if name not in ("stock", "price", "colours")]
    for attribute in asked[:MOST_ATTRIBUTES]:
        sentences += _SAY[attribute](turn, product)
    return sentences or _portrait(turn, product)


def _in_colours(turn: Turn, product: Product) -> list[Sentence]:
    """For each colour asked: its variants, or that there is none."""
    sentences: list[Sentence] = []
    for colour in turn.read.entities.colours:
        variants = [variant for variant in product.variants if colour in variant.colour]
        if not variants:
            colours = ", ".join(product.colours)
            sentences.append(_say(turn, product, "no_variant", colour=colour, colours=colours))
        sentences += [_variant(turn, product, variant) for variant in variants]
    return sentences


def _variant(turn: Turn, product: Product, variant: Variant) -> Sentence:
    key = "variant_in_stock" if variant.stock else "variant_out_of_stock"
    return _say(
        turn,
        product,
        key,
        colour=variant.colour,
        price=money(turn.language, variant.price_cents),
        stock=variant.stock,
    )


def _say(turn: Turn, product: Product, key: str, **values: object) -> Sentence:
    name = product.name_en if turn.language == "en" else product.name
    return turn.say(f"product.{key}", tool="product_search", name=name, **values)


def _price(turn: Turn, product: Product) -> list[Sentence]:
    prices = [variant.price_cents for variant in product.variants] or [product.price_cents]
    if min(prices) == max(prices):
        return [_say(turn, product, "price", price=money(turn.language, prices[0]))]
    lowest, highest = money(turn.language, min(prices)), money(turn.language, max(prices))
    return [_say(turn, product, "price_range", lowest=lowest, highest=highest)]


def _stock(turn: Turn, product: Product) -> list[Sentence]:
    if product.stock:
        return [_say(turn, product, "in_stock", stock=product.stock)]
    return [_say(turn, product, "out_of_stock")]


def _dimensions(turn: Turn, product: Product) -> list[Sentence]:
    sizes = (product.width_cm, product.depth_cm, product.height_cm)
    if None in sizes:
        return []
    width, depth, height = (number(turn.language, size or 0) for size in sizes)
    return [_say(turn, product, "dimensions", width=width, depth=depth, height=height)]


def _colours(turn: Turn, product: Product) -> list[Sentence]:
    return [_say(turn, product, "colours", colours=", ".join(product.colours))]


def _materials(turn: Turn, product: Product) -> list[Sentence]:
    return [_say(turn, product, "materials", materials=", ".join(product.materials))]


def _weight(turn: Turn, product: Product) -> list[Sentence]:
    if product.weight_kg is None:
        return []
    return [_say(turn, product, "weight", weight=number(turn.language, product.weight_kg))]


def _care(turn: Turn, product: Product) -> list[Sentence]:
    return [_say(turn, product, "care", care=product.care)]


def _assembly(turn: Turn, product: Product) -> list[Sentence]:
    return [_say(turn, product, "assembly", assembly=product.assembly)]


def _warranty(turn: Turn, product: Product) -> list[Sentence]:
    return [_say(turn, product, "warranty", years=product.warranty_years)]


def _delivery(turn: Turn, product: Product) -> list[Sentence]:
    return [_say(turn, product, "delivery", days=product.delivery_days)]


def _portrait(turn: Turn, product: Product) -> list[Sentence]:
    return [
        _say(turn, product, "description", description=product.description),
        *_price(turn, product),
        *_stock(turn, product),
        *_dimensions(turn, product),
    ]


def compared_facts(turn: Turn, product: Product) -> list[Sentence]:
    """What two products are compared by, or the attributes that are asked for."""
    asked = all_cues(turn.read.folded, "attributes") or COMPARED
    return [sentence for attribute in asked for sentence in _SAY[attribute](turn, product)]


_SAY: dict[str, Callable[[Turn, Product], list[Sentence]]] = {
    "price": _price,
    "stock": _stock,
    "dimensions": _dimensions,
    "colours": _colours,
    "materials": _materials,
    "weight": _weight,
    "care": _care,
    "assembly": _assembly,
    "warranty": _warranty,
    "delivery": _delivery,
}
