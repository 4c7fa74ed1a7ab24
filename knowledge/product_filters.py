"""Which products may be shown at all? What the customer named, excluded and bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.words import fold, stems
from services.catalogue.products import Product

# What the catalogue calls by its tree and customers by "bois".
WOODS = frozenset(
    "bois chene pin hetre noyer manguier eucalyptus acacia teck frene bouleau merisier sapin "
    "acajou contreplaque bambou orme".split()
)
Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]

MAXIMUM_KEPT_MASKS = 2_000
_SEATS = re.compile(
    r"(\d{1,2})(?:\s*(?:a|-|/)\s*(\d{1,2}))?\s*(?:places?|personnes?|convives?|pers)\b"
)
_SIZE = re.compile(r"(\d{2,3})\s*[x×]\s*(\d{2,3})\b")
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class ProductFilters:
    """Values are the catalogue's French names; within one field any of them will do.

    Money in cents, sizes in centimetres. `named_size_cm` is what the name tells, width first: all
    that is given of it has to be so.
    """

    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    excluded_types: tuple[str, ...] = ()
    excluded_colours: tuple[str, ...] = ()
    excluded_materials: tuple[str, ...] = ()
    named_size_cm: tuple[float, ...] = ()
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
    size_cm: tuple[float, ...] = ()


def filter_words(product: Product) -> FilterWords:
    """Prepare a product for a `FilterTable`."""
    colours = [*product.colours, *(variant.colour for variant in product.variants)]
    return FilterWords(
        type=_stems(product.type),
        category=_stems(product.category),
        colours=tuple(dict.fromkeys(_stems(colour) for colour in colours)),
        materials=tuple(_stems(material) for material in product.materials),
        seats=_seats(product),
        about=frozenset(_stems(" ".join((product.name, product.category, *product.tags)))),
        size_cm=_named_size(product.name),
    )


def _named_size(name: str) -> tuple[float, ...]:
    """(160, 200) of "Lit Alba 160 x 200 cm"."""
    found = _SIZE.search(name)
    return () if found is None else (float(found[1]), float(found[2]))


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


def _is_in_category(wanted: str, words: FilterWords) -> bool:
    return names(wanted, words.category)


def _has_colour(wanted: str, words: FilterWords) -> bool:
    return any(names(wanted, colour) for colour in words.colours)


def _is_made_of(wanted: str, words: FilterWords) -> bool:
    return any(names(wanted, material) for material in words.materials)


def _is_mainly_made_of(wanted: str, words: FilterWords) -> bool:
    return bool(words.materials) and names(wanted, words.materials[0])


def _is_just_of_type(wanted: str, words: FilterWords) -> bool:
    return names(wanted, words.type)


def _comes_otherwise(wanted: Sequence[str], words: FilterWords) -> bool:
    """A colour is excluded only when the product comes in no other."""
    return not words.colours or any(
        not any(names(one, colour) for one in wanted) for colour in words.colours
    )


TESTS: dict[str, Callable[[str, FilterWords], bool]] = {
    "types": is_of_type,
    "just_types": _is_just_of_type,
    "categories": _is_in_category,
    "colours": _has_colour,
    "materials": _is_made_of,
    "main_materials": _is_mainly_made_of,
}


def _column(values: Sequence[float | None]) -> Numbers:
    """Numbers with NaN for what is not known: no comparison with it holds."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class FilterTable:
    """A catalogue's own values by column, and what has been asked of it before.

    A mask has one place for each product; the masks of single words are kept, since customers
    name the same few types, colours and materials.
    """

    words: tuple[FilterWords, ...]
    price_cents: Numbers
    width_cm: Numbers
    depth_cm: Numbers
    height_cm: Numbers
    fewest_seats: Numbers
    most_seats: Numbers
    in_stock: Mask
    _kept: dict[tuple[str, object], Mask] = field(default_factory=dict, repr=False)

    def named(self, what: str, wanted: str) -> Mask:
        """The products of which a word is true; `what` is a key of `TESTS`."""
        test = TESTS[what]
        return self._mask((what, wanted), lambda words: test(wanted, words))

    def any_named(self, what: str, wanted: Sequence[str]) -> Mask:
        """The products of which one of the words is true."""
        mask = np.zeros(len(self.words), dtype=np.bool_)
        for one in wanted:
            mask |= self.named(what, one)
        return mask

    def meets(self, filters: ProductFilters) -> Mask:
        """The products that meet every filter."""
        mask = np.ones(len(self.words), dtype=np.bool_)
        for what in ("types", "categories", "colours", "materials"):
            wanted = getattr(filters, what)
            if wanted:
                mask &= self.any_named(what, wanted)
        mask &= ~self.any_named("materials", filters.excluded_materials)
        mask &= ~self.any_named("just_types", filters.excluded_types)
        colours = filters.excluded_colours
        if colours:
            mask &= self._mask(("not", colours), lambda words: _comes_otherwise(colours, words))
        size = tuple(filters.named_size_cm)
        if size:
            mask &= self._mask(("size", size), lambda words: words.size_cm[: len(size)] == size)
        return mask & self._within_bounds(filters)

    @property
    def has_named_size(self) -> Mask:
        """The products whose name tells their size."""
        return self._mask(("size", ()), lambda words: bool(words.size_cm))

    def _within_bounds(self, filters: ProductFilters) -> Mask:
        """A product of unknown size, or that says nothing of seats, does not meet a bound on it."""
        mask = np.ones(len(self.words), dtype=np.bool_)
        for most, column in (
            (filters.price_max_cents, self.price_cents),
            (filters.width_max_cm, self.width_cm),
            (filters.depth_max_cm, self.depth_cm),
            (filters.height_max_cm, self.height_cm),
            (filters.seats, self.fewest_seats),
        ):
            if most is not None:
                mask &= column <= most
        for least, column in (
            (filters.price_min_cents, self.price_cents),
            (filters.seats, self.most_seats),
        ):
            if least is not None:
                mask &= column >= least
        return mask & self.in_stock if filters.in_stock_only else mask

    def _mask(self, key: tuple[str, object], test: Callable[[FilterWords], bool]) -> Mask:
        known = self._kept.get(key)
        if known is None:
            known = np.array([test(words) for words in self.words], dtype=np.bool_)
            if len(self._kept) >= MAXIMUM_KEPT_MASKS:
                self._kept.clear()
            self._kept[key] = known
        return known


def filter_table(products: Sequence[Product]) -> FilterTable:
    """Prepare a catalogue for filtering."""
    words = tuple(filter_words(product) for product in products)
    return FilterTable(
        words=words,
        price_cents=_column([product.price_cents for product in products]),
        width_cm=_column([product.width_cm for product in products]),
        depth_cm=_column([product.depth_cm for product in products]),
        height_cm=_column([product.height_cm for product in products]),
        fewest_seats=_column([one.seats[0] if one.seats else None for one in words]),
        most_seats=_column([one.seats[1] if one.seats else None for one in words]),
        in_stock=np.array([product.stock > 0 for product in products], dtype=np.bool_),
    )
