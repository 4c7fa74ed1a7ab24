"""Which products does a sentence ask for? Filters first, then words, typos and meaning.

`Catalogues` keeps each organization's catalogue prepared in memory; `search_products` is a pure
function of what is prepared and of the question.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from core.runtime import Runtime
from knowledge.product_filters import FilterTable, ProductFilters, filter_table
from knowledge.space import Space, Vectors, fit_space, ordinary_questions
from knowledge.words import fold, plain_words, stems
from services.catalogue.products import Product, catalogue_version, list_products

REFRESH_SECONDS = 1.0
MEANING_WEIGHT = 0.5
NAMED_BONUS = 0.5
IN_STOCK_BONUS = 0.01
LATER_TYPE_SHARE = 0.6
SPECIAL_USE_LOSS = 0.25
HIGHEST_WEIGHT = 3.0
MAXIMUM_QUERY_WORDS = 40
MINIMUM_TYPO_LETTERS = 4
LONG_WORD_LETTERS = 8
TYPO_WEIGHT = 0.8
RELEVANT_SHARE = 0.35
MINIMUM_SCORE = 0.12

# How much a word counts by where the product has it.
_FIELD_WEIGHTS = (
    ("name", 3.0),
    ("type", 3.0),
    ("range", 3.0),
    ("name_en", 2.5),
    ("category", 1.5),
    ("tags", 1.5),
    ("colours", 1.5),
    ("materials", 1.5),
    ("description", 0.7),
)
# Furniture for the garden or for children comes behind other unless the customer speaks of it.
_SPECIAL_USES = frozenset({"exterieur", "jardin", "enfant", "enfants", "bebe"})
# Filters given up one after another when nothing meets them all; price and exclusions never are.
_RELAXED = (
    ("colours",),
    ("materials",),
    ("seats",),
    ("colours", "materials", "seats"),
    ("named_size_cm",),
    ("colours", "materials", "seats", "named_size_cm"),
)


ProductOrder = Literal["relevance", "cheapest", "dearest", "smallest", "largest"]


@dataclass(frozen=True)
class ProductHit:
    """A product and how well it fits; scores order one result, they mean nothing beyond it."""

    product: Product
    score: float


@dataclass(frozen=True)
class ProductResults:
    """A page of hits. `exact` is False where nothing met every filter and some were given up."""

    hits: tuple[ProductHit, ...]
    total: int
    exact: bool


@dataclass(frozen=True)
class Catalogue:
    """Products prepared for searching: words with their weights, and vectors if there are any.

    `weights` holds, by stem, how much it counts for each product; `vocabulary` the words as they
    are spelled, with their stems; `special` are the products of a special use, each with the stems
    that speak of it.
    """

    products: tuple[Product, ...]
    table: FilterTable
    weights: Mapping[str, Mapping[int, float]]
    vocabulary: Mapping[str, str]
    special: Mapping[int, frozenset[str]]
    space: Space | None = None
    vectors: Vectors | None = None


def prepare_catalogue(products: Sequence[Product]) -> Catalogue:
    """Prepare products for search by words; `with_meaning` adds their vectors."""
    weights: dict[str, dict[int, float]] = {}
    vocabulary: dict[str, str] = {}
    for position, product in enumerate(products):
        for name, weight in _FIELD_WEIGHTS:
            value = getattr(product, name)
            words = plain_words(value if isinstance(value, str) else " ".join(value), "fr")
            terms = stems(words, "en" if name == "name_en" else "fr")
            vocabulary.update(zip(words, terms, strict=True))
            for term in terms:
                best = weights.setdefault(term, {})
                best[position] = max(best.get(position, 0.0), weight)
    table = filter_table(products)
    return Catalogue(
        products=tuple(products),
        table=table,
        weights=weights,
        vocabulary=vocabulary,
        special={
            position: table.words[position].about.difference(table.words[position].type)
            for position, product in enumerate(products)
            if fold(product.category) in _SPECIAL_USES
        },
    )


def text_for_meaning(product: Product) -> str:
    """What a product's vector is made of."""
    return f"{product.name}, {product.name_en}. {', '.join(product.tags)}. {product.description}"


def with_meaning(catalogue: Catalogue, raw: Vectors, ordinary: Vectors) -> Catalogue:
    """Add the products' raw vectors (n, dimensions), centred on the catalogue."""
    if not len(raw):
        return catalogue
    space = fit_space(raw, ordinary)
    return replace(catalogue, space=space, vectors=space.project(raw))


def search_products(
    catalogue: Catalogue,
    query: str,
    filters: ProductFilters | None = None,
    language: str = "fr",
    limit: int = 10,
    offset: int = 0,
    vector: Vectors | None = None,
    order_by: ProductOrder = "relevance",
) -> ProductResults:
    """The products that meet the filters and fit the query best, best first, or by price or width.

    `vector` is the query's raw vector, (dimensions,); without it words alone decide. Without a
    query every product that meets the filters is a hit. Where no product meets all filters,
    colours, materials, seats and the size of its name are given up in turn.
    """
    wanted = _applicable(catalogue, filters or ProductFilters())
    chosen, kept = _chosen(catalogue, wanted)
    if not chosen:
        return ProductResults((), 0, True)
    scores = _scores(catalogue, query, wanted, language, vector)
    ranked = sorted(chosen, key=lambda one: (-scores[one], catalogue.products[one].sku))
    if query.strip() and not _narrows(kept):
        best = scores[ranked[0]]
        least = max(RELEVANT_SHARE * best, MINIMUM_SCORE)
        ranked = [one for one in ranked if scores[one] >= least]
    if order_by != "relevance":
        # What is as dear, or as wide, stays in the order of relevance; what is unknown comes last.
        by_price = order_by in ("cheapest", "dearest")
        column = catalogue.table.price_cents if by_price else catalogue.table.width_cm
        sign = 1.0 if order_by in ("cheapest", "smallest") else -1.0
        ranked.sort(key=lambda one: float(np.nan_to_num(sign * column[one], nan=math.inf)))
    hits = [
        ProductHit(catalogue.products[one], round(float(scores[one]), 4))
        for one in ranked[offset : offset + limit]
    ]
    return ProductResults(tuple(hits), len(ranked), kept == wanted)


def _narrows(filters: ProductFilters) -> bool:
    """Whether filters say what is looked for, so that words only order what meets them."""
    return bool(filters.types or filters.categories or filters.colours or filters.materials)


def _applicable(catalogue: Catalogue, asked: ProductFilters) -> ProductFilters:
    """The filters without those that cannot apply to this catalogue.

    A type that the shop does not have is left to the words; a room beside a type says where the
    furniture will stand, which need not be the shelf that it is sold from; places count only
    for what states how many it seats, a size for what is called by its own.
    """
    table = catalogue.table
    types = tuple(one for one in asked.types if table.named("types", one).any())
    wanted = replace(asked, types=types)
    if not types:
        return replace(wanted, named_size_cm=())
    of_type = table.any_named("types", types)
    if wanted.categories and not (of_type & table.any_named("categories", wanted.categories)).any():
        wanted = replace(wanted, categories=())
    if np.isnan(table.fewest_seats[of_type]).all():
        wanted = replace(wanted, seats=None)
    if wanted.named_size_cm and not (of_type & table.has_named_size).any():
        wanted = replace(wanted, named_size_cm=())
    return wanted


def _chosen(catalogue: Catalogue, wanted: ProductFilters) -> tuple[list[int], ProductFilters]:
    """The products that meet the filters, and the filters that were kept to find any."""
    attempts = [wanted, *(_without(wanted, given_up) for given_up in _RELAXED)]
    for filters in dict.fromkeys(attempts):
        chosen = np.flatnonzero(catalogue.table.meets(filters))
        if len(chosen):
            return [int(position) for position in chosen], filters
    return [], wanted


def _without(filters: ProductFilters, given_up: Sequence[str]) -> ProductFilters:
    emptied = {name: None if name == "seats" else () for name in given_up}
    return replace(filters, **emptied)  # type: ignore[arg-type]


def _scores(
    catalogue: Catalogue,
    query: str,
    filters: ProductFilters,
    language: str,
    vector: Vectors | None,
) -> NDArray[np.float64]:
    """Shared words (0 to 1), similarity of meaning, and a bonus for an exact type or colour."""
    scores = _scores_by_words(catalogue, query, language)
    if vector is not None and catalogue.space is not None and catalogue.vectors is not None:
        projected = catalogue.space.project(vector[None, :])[0]
        scores += MEANING_WEIGHT * (catalogue.vectors @ projected)
    scores += _bonus(catalogue.table, filters) + IN_STOCK_BONUS * catalogue.table.in_stock
    if not filters.categories and catalogue.special:
        asked = frozenset(_stems_in_french(query))
        for position, about in catalogue.special.items():
            if not asked & about:
                scores[position] -= SPECIAL_USE_LOSS
    return scores


def _bonus(table: FilterTable, filters: ProductFilters) -> NDArray[np.float64]:
    """What products earn for the type that is named first, and for their colour and material."""
    bonus = np.zeros(len(table.words))
    for place, one in reversed(list(enumerate(filters.types))):
        bonus[table.named("types", one)] = NAMED_BONUS * (LATER_TYPE_SHARE if place else 1.0)
    bonus += NAMED_BONUS / 2 * table.any_named("colours", filters.colours)
    bonus += NAMED_BONUS / 2 * table.any_named("main_materials", filters.materials)
    return bonus


def _stems_in_french(query: str) -> list[str]:
    return stems(plain_words(query, "fr")[:MAXIMUM_QUERY_WORDS], "fr")


def _scores_by_words(catalogue: Catalogue, query: str, language: str) -> NDArray[np.float64]:
    """The share of the query's weight that each product's words cover."""
    scores = np.zeros(len(catalogue.products))
    possible = 0.0
    for term, certainty in _query_terms(catalogue, query, language).items():
        holders = catalogue.weights.get(term, {})
        rarity = math.log(1.0 + len(catalogue.products) / (1.0 + len(holders)))
        possible += rarity * HIGHEST_WEIGHT
        for position, weight in holders.items():
            scores[position] += rarity * weight * certainty
    return scores / possible if possible else scores


def _query_terms(catalogue: Catalogue, query: str, language: str) -> dict[str, float]:
    """The query's stems as the catalogue has them, and how surely each is meant.

    A word is looked for in its own language, in French and in English; one that is unknown in all
    is taken for the catalogue's word that is spelled nearly like it.
    """
    words = plain_words(query, language)[:MAXIMUM_QUERY_WORDS]
    spellings = zip(*(stems(words, one) for one in (language, "fr", "en")), strict=True)
    found: dict[str, float] = {}
    for word, candidates in zip(words, spellings, strict=True):
        known = next((one for one in candidates if one in catalogue.weights), None)
        meant = None if known is not None else _nearly(catalogue, word)
        if known is not None or meant is None:
            found[known or candidates[0]] = 1.0
        else:
            found.setdefault(meant, TYPO_WEIGHT)
    return found


def _nearly(catalogue: Catalogue, word: str) -> str | None:
    """The stem of the catalogue's word that is one or two slips away."""
    if len(word) < MINIMUM_TYPO_LETTERS or word.isdigit():
        return None
    slips = 2 if len(word) >= LONG_WORD_LETTERS else 1
    close = process.extractOne(
        word, catalogue.vocabulary.keys(), scorer=OSA.distance, score_cutoff=slips
    )
    if close is None or len(close[0]) < MINIMUM_TYPO_LETTERS:
        return None
    return catalogue.vocabulary[close[0]]


class Catalogues:
    """Each organization's catalogue, prepared once and again when it has changed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._prepared: dict[UUID, tuple[str, Catalogue]] = {}
        self._checked: dict[UUID, float] = {}
        self._encoding: dict[UUID, asyncio.Task[None]] = {}

    async def of(self, organization_id: UUID) -> Catalogue:
        """The organization's catalogue; its vectors are made in the background.

        Looks for a changed catalogue every `REFRESH_SECONDS`.
        """
        known = self._prepared.get(organization_id)
        now = time.monotonic()
        if known is not None and now - self._checked[organization_id] < REFRESH_SECONDS:
            return known[1]
        database = self._runtime.database
        async with database.reading(organization_id) as transaction:
            version = await catalogue_version(transaction)
            self._checked[organization_id] = now
            if known is not None and known[0] == version:
                return known[1]
            products = await list_products(transaction)
        catalogue = prepare_catalogue(products)
        self._prepared[organization_id] = (version, catalogue)
        former = self._encoding.get(organization_id)
        if former is not None:
            former.cancel()
        self._encoding[organization_id] = asyncio.create_task(
            self._add_meaning(organization_id, version, catalogue)
        )
        return catalogue

    async def _add_meaning(self, organization_id: UUID, version: str, catalogue: Catalogue) -> None:
        encoder = self._runtime.kept_encoder
        texts = [text_for_meaning(product) for product in catalogue.products]
        raw = await asyncio.to_thread(encoder.encode, texts)
        ordinary = await asyncio.to_thread(encoder.encode, ordinary_questions())
        if self._prepared[organization_id][0] == version:
            self._prepared[organization_id] = (version, with_meaning(catalogue, raw, ordinary))

    async def settle(self) -> None:
        """Wait until the vectors that are being made are there."""
        await asyncio.gather(*self._encoding.values(), return_exceptions=True)

    async def close(self) -> None:
        for task in self._encoding.values():
            task.cancel()
        await self.settle()
