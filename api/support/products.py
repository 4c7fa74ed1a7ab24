"""Searching the catalogue by a plain sentence (row M11)."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.dependencies import CurrentRuntime, KnownChatCaller
from api.json_body import StrictRoute
from api.support.envelope import Answer, failures
from bot.tools.product_search import ProductView, product_view
from bot.understanding.entities import extract_entities
from bot.understanding.language import detect_language
from bot.understanding.understand import Interpreter
from core.runtime import Runtime
from core.text import Text
from knowledge.product_filters import ProductFilters
from knowledge.product_search import Catalogues, ProductResults, search_products

DEFAULT_LANGUAGE = "fr"
MAXIMUM_PAGE_NUMBER = 10_000

router = APIRouter(prefix="/api/products", tags=["Products"], route_class=StrictRoute)


class ProductsAnswer(Answer):
    products: list[ProductView]
    total: int = Field(description="How many products match in all.", examples=[15])
    page: int = Field(examples=[1])
    limit: int = Field(examples=[10])
    exact: bool = Field(
        description="False where nothing matched every wish and the nearest products are shown."
    )


@router.get("", summary="Search products", responses=failures(401, 403))
async def read_products(
    caller: KnownChatCaller,
    runtime: CurrentRuntime,
    query: Annotated[
        Text, Query(max_length=500, examples=["canapé d'angle gris moins de 1000 €"])
    ] = "",
    category: Annotated[Text | None, Query(max_length=60, examples=["salon"])] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
) -> ProductsAnswer:
    """Search by words or by a sentence; typos and missing accents are forgiven.

    Colours, materials, sizes, seats and price bounds are read from the sentence. Without a query
    the catalogue is listed.
    """
    caller.principal.require("products:read")
    organization_id = caller.principal.organization_id
    results = await _search(runtime, organization_id, query, category, limit, (page - 1) * limit)
    return ProductsAnswer(
        products=[product_view(hit.product) for hit in results.hits],
        total=results.total,
        page=page,
        limit=limit,
        exact=results.exact,
    )


async def _search(
    runtime: Runtime,
    organization_id: UUID,
    query: str,
    category: str | None,
    limit: int,
    offset: int,
) -> ProductResults:
    catalogue = await runtime.part(Catalogues).of(organization_id)
    language = detect_language(query, DEFAULT_LANGUAGE)
    filters = await _filters(runtime, organization_id, query, language)
    if category is not None and category.strip():
        filters = replace(filters, categories=(category,))
    vector = None
    if query.strip():
        vector = (await asyncio.to_thread(runtime.encoder.encode, [query]))[0]
    return search_products(catalogue, query, filters, language, limit, offset, vector)


async def _filters(
    runtime: Runtime, organization_id: UUID, query: str, language: str
) -> ProductFilters:
    """What the sentence asks of a product, in the catalogue's own words."""
    vocabulary = await runtime.part(Interpreter).vocabulary(organization_id)
    entities = extract_entities(query, language, vocabulary, runtime.clock().date())
    read = {
        item.name: getattr(entities, item.name)
        for item in fields(ProductFilters)
        if hasattr(entities, item.name)
    }
    return ProductFilters(**read)
