"""Which products may be shown at all? What the customer named, excluded and bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.words import fold, stems
from services.catalogue.products import Product

# What the catalogue calls by its tree and customers by "bois".
WOODS = frozenset(
    "bois chene pin hetre noyer manguier eucalyptus acacia teck frene bouleau merisier sapin "
    "acajou contreplaque bambou orme".split()
)
_SEATS = re.compile(
    r"(\d{1,2})(?:\s*(?:a|-|/)\s*(\d{1,2}))?\s*(?:places?|personnes?|convives?|pers)\b"
)
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class ProductFilters:
    """Values are the catalogue's French names; within one field any of them will do.

    Money in cents, sizes in centimetres.
    """

    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    excluded_types: tuple[str, ...] = ()
    excluded_colours: tuple[str, ...] = ()
    excluded_materials: tuple[str, ...] = ()
    price_min_cents: int | None = None
    price_max_cents: int | None = None
    width_max_cm: float | None = None
    depth_max_cm: float | None = None
    height_max_cm: float | None = None
    seats: int | None = None
    in_stock_only: bool = False


@dataclass(frozen=True)
class FilterWords:
    """A product's own values as folded stems, prepared once.

    `about` holds the stems of its name, tags and category: what narrows its type.
    """

    type: tuple[str, ...]
    category: tuple[str, ...]
    colours: tuple[tuple[str, ...], ...]
    materials: tuple[tuple[str, ...], ...]
    seats: tuple[int, int] | None
    about: frozenset[str]


def filter_words(product: Product) -> FilterWords:
    """Prepare a product for `passes`."""
    colours = [*product.colours, *(variant.colour for variant in product.variants)]
    return FilterWords(
        type=_stems(product.type),
        category=_stems(product.category),
        colours=tuple(dict.fromkeys(_stems(colour) for colour in colours)),
        materials=tuple(_stems(material) for material in product.materials),
        seats=_seats(product),
        about=frozenset(_stems(" ".join((product.name, product.category, *product.tags)))),
    )


@lru_cache(4096)
def _stems(value: str) -> tuple[str, ...]:
    words = [word for word in _WORD.findall(fold(value)) if word not in ("d", "de", "a", "en", "l")]
    return tuple(stems(words, "fr"))


def _seats(product: Product) -> tuple[int, int] | None:
    """How many people a product seats, from its name and tags ("6 à 8 personnes")."""
    for text in (product.name, *product.tags, product.description):
        match = _SEATS.search(fold(text))
        if match:
            low = int(match.group(1))
            return low, int(match.group(2) or low)
    return None


def names(wanted: str, value: tuple[str, ...]) -> bool:
    """Whether the catalogue's value is what is wanted or a kind of it.

    "bleu" names "bleu nuit" and "chêne" names "chêne massif"; "bois" names every wood.
    """
    words = _stems(wanted)
    if words == ("bois",):
        return bool(value) and value[0] in _WOOD_STEMS
    return bool(words) and value[: len(words)] == words


_WOOD_STEMS = frozenset(stems(sorted(WOODS), "fr"))


def _any(wanted: Sequence[str], values: Sequence[tuple[str, ...]]) -> bool:
    return any(names(one, value) for one in wanted for value in values)


def is_of_type(wanted: str, words: FilterWords) -> bool:
    """Whether a product is of a type that a customer names.

    The catalogue may say it in two places: a "canapé convertible" is also the "canapé" that has
    "convertible" in its name, its tags or its category.
    """
    if names(wanted, words.type):
        return True
    asked = _stems(wanted)
    own = len(words.type)
    return asked[:own] == words.type and words.about.issuperset(asked[own:])


def passes(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    """Whether a product meets every filter."""
    return all(check(product, words, filters) for check in CHECKS)


def _type(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    return not filters.types or any(is_of_type(one, words) for one in filters.types)


def _category(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    return not filters.categories or _any(filters.categories, (words.category,))


def _colour(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    return not filters.colours or _any(filters.colours, words.colours)


def _material(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    return not filters.materials or _any(filters.materials, words.materials)


def _nothing_excluded(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    """A colour is excluded when the product comes in no other; a material when it is in it."""
    others = [colour for colour in words.colours if not _any(filters.excluded_colours, (colour,))]
    return (
        (bool(others) or not words.colours)
        and not _any(filters.excluded_materials, words.materials)
        and not _any(filters.excluded_types, (words.type,))
    )


def _price(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    low, high = filters.price_min_cents, filters.price_max_cents
    return (low is None or product.price_cents >= low) and (
        high is None or product.price_cents <= high
    )


def _size(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    """A product of unknown size does not meet a bound on it."""
    bounds = (
        (filters.width_max_cm, product.width_cm),
        (filters.depth_max_cm, product.depth_cm),
        (filters.height_max_cm, product.height_cm),
    )
    return all(most is None or (size is not None and size <= most) for most, size in bounds)


def _seating(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    if filters.seats is None:
        return True
    return words.seats is not None and words.seats[0] <= filters.seats <= words.seats[1]


def _stock(product: Product, words: FilterWords, filters: ProductFilters) -> bool:
    return product.stock > 0 or not filters.in_stock_only


Check = Callable[[Product, FilterWords, ProductFilters], bool]
CHECKS: tuple[Check, ...] = (
    _type,
    _category,
    _colour,
    _material,
    _nothing_excluded,
    _price,
    _size,
    _seating,
    _stock,
)
