"""The tool that searches the catalogue."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.text import Text
from core.tools import Tool, ToolContext
from knowledge.product_filters import ProductFilters
from knowledge.product_search import Catalogues, ProductOrder, search_products
from services.catalogue.products import Product

MAXIMUM_LIMIT = 100
MAXIMUM_OFFSET = 10_000
Names = list[Text]


def _names(description: str) -> Names:
    names: Names = Field(default_factory=list, max_length=20, description=description)
    return names


class ProductSearchArguments(BaseModel):
    """What to search for: free words, and filters with the catalogue's own French names."""

    model_config = ConfigDict(extra="forbid")

    query: Text = Field("", max_length=500, description="In the customer's words.")
    types: Names = _names("Such as canapé, table basse, lit.")
    categories: Names = _names("Such as salon, chambre, salle à manger.")
    colours: Names = _names("Any of these.")
    materials: Names = _names("Any of these.")
    excluded_types: Names = _names("None of these.")
    excluded_colours: Names = _names("None of these.")
    excluded_materials: Names = _names("None of these.")
    named_size_cm: list[Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]] = Field(
        default_factory=list,
        max_length=2,
        description="Width and length that the name tells, such as 160 and 200 of a bed, or width.",
    )
    price_min_cents: int | None = Field(None, ge=0, le=100_000_000)
    price_max_cents: int | None = Field(None, ge=0, le=100_000_000)
    width_max_cm: float | None = Field(None, gt=0, le=10_000, allow_inf_nan=False)
    depth_max_cm: float | None = Field(None, gt=0, le=10_000, allow_inf_nan=False)
    height_max_cm: float | None = Field(None, gt=0, le=10_000, allow_inf_nan=False)
    seats: int | None = Field(None, ge=1, le=50)
    in_stock_only: bool = False
    order_by: ProductOrder = Field("relevance", description="What comes first.")
    limit: int = Field(10, ge=1, le=MAXIMUM_LIMIT)
    offset: int = Field(0, ge=0, le=MAXIMUM_OFFSET)


class ProductView(BaseModel):
    sku: str
    name: str
    category: str
    price: float = Field(description="In euros.")
    in_stock: bool
    images: list[str]
    delivery_days: int
    colours: list[str]


class ProductSearchResult(BaseModel):
    """`exact` is False where nothing met every filter and the nearest products are shown."""

    products: list[ProductView]
    total: int
    exact: bool


def product_view(product: Product) -> ProductView:
    """What is shown of a product."""
    return ProductView(
        sku=product.sku,
        name=product.name,
        category=product.category,
        price=product.price_cents / 100,
        in_stock=product.in_stock,
        images=list(product.images),
        delivery_days=product.delivery_days,
        colours=list(product.colours),
    )


async def product_search(
    context: ToolContext, arguments: ProductSearchArguments
) -> ProductSearchResult:
    """Find products of the catalogue by a sentence and filters, best first."""
    runtime = context.runtime
    catalogue = await runtime.part(Catalogues).of(context.principal.organization_id)
    vector = None
    if arguments.query.strip():
        vector = runtime.encoder.encode([arguments.query])[0]
    found = search_products(
        catalogue,
        arguments.query,
        _filters(arguments),
        context.language,
        arguments.limit,
        arguments.offset,
        vector,
        arguments.order_by,
    )
    return ProductSearchResult(
        products=[product_view(hit.product) for hit in found.hits],
        total=found.total,
        exact=found.exact,
    )


def _filters(arguments: ProductSearchArguments) -> ProductFilters:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in arguments.model_dump(
            exclude={"query", "order_by", "limit", "offset"}
        ).items()
    }
    return ProductFilters(**values)


TOOL = Tool(
    name="product_search",
    arguments=ProductSearchArguments,
    result=ProductSearchResult,
    run=product_search,
    permission="products:read",
)
