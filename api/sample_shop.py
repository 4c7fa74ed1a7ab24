"""Reads a folder of sample data: what does its shop sell, know, and owe to whom?

products/<category>.yaml  stores.yaml  customers.yaml  orders.yaml  articles/<language>/*.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import yaml

from core.errors import InvalidRequest
from services.accounts.customers import NewCustomer
from services.catalogue.products import NewProduct, Variant, sku_key
from services.catalogue.stores import NewStore
from services.orders.orders import NewOrder, OrderLine, Parcel

# Categories are named in French; a file name holds no accents and no spaces.
CATEGORY_OF_FILE = {
    "salle_a_manger": "salle à manger",
    "exterieur": "extérieur",
    "decoration": "décoration",
}
MAIN_DIMENSIONS = ("width", "depth", "height")

Record = TypeVar("Record")

SUNDAY = 7


@dataclass(frozen=True)
class Article:
    """A knowledge article; `text` is Markdown without its front matter."""

    path: Path
    language: str
    title: str
    text: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class CatalogueEntry:
    """What an order line says about a sku."""

    sku: str
    name: str
    price_cents: int


def read_products(folder: Path) -> list[NewProduct]:
    """The products of all category files, by file name."""
    return [
        product
        for path in sorted((folder / "products").glob("*.yaml"))
        for product in _records(path, partial(_product, category=_category(path)))
    ]


def read_stores(folder: Path) -> list[NewStore]:
    return _records(folder / "stores.yaml", _store)


def read_customers(folder: Path) -> list[NewCustomer]:
    return _records(folder / "customers.yaml", _customer)


def read_orders(
    folder: Path,
    catalogue: Mapping[str, CatalogueEntry],
    customers: Mapping[str, tuple[UUID, str]],
    now: datetime,
) -> list[NewOrder]:
    """The orders, their relative days counted from `now`.

    `customers` gives the id and the e-mail address of each reference.
    """

    def order(values: Mapping[str, Any]) -> NewOrder:
        customer_id, email = customers[values["customer_id"]]
        return NewOrder(
            number=values["number"],
            customer_id=customer_id,
            email=email,
            status=values["status"],
            payment=values["payment"],
            delivery_city=values["delivery_city"],
            note=values.get("note"),
            ordered_at=now - timedelta(days=values["ordered_days_ago"]),
            lines=tuple(_line(line, catalogue) for line in values["lines"]),
            parcels=tuple(_parcel(parcel, now.date()) for parcel in values["parcels"]),
        )

    return _records(folder / "orders.yaml", order)


def read_articles(folder: Path) -> list[Article]:
    """The knowledge articles of every language folder."""
    return [_article(path) for path in sorted((folder / "articles").glob("*/*.md"))]


def catalogue_entries(products: list[NewProduct]) -> dict[str, CatalogueEntry]:
    """Products and variants by the key of their sku."""
    entries = {}
    for product in products:
        for sku, name, price_cents in _named_skus(product):
            entries[sku_key(sku)] = CatalogueEntry(sku, name, price_cents)
    return entries


def _named_skus(product: NewProduct) -> Iterator[tuple[str, str, int]]:
    yield product.sku, product.name, product.price_cents
    for variant in product.variants:
        yield variant.sku, f"{product.name}, {variant.colour}", variant.price_cents


def _records(path: Path, build: Callable[[Mapping[str, Any]], Record]) -> list[Record]:
    """Each entry of a YAML list, built; a bad one is named."""
    entries = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader) or []
    records = []
    for number, values in enumerate(entries, start=1):
        try:
            records.append(build(values))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise InvalidRequest(
                f"{path.name}, entry {number}: {type(error).__name__} {error}"
            ) from error
    return records


def _cents(euros: float | str) -> int:
    return round(Decimal(str(euros)) * 100)


def _category(path: Path) -> str:
    return CATEGORY_OF_FILE.get(path.stem, path.stem.replace("_", " "))


def _product(values: Mapping[str, Any], category: str) -> NewProduct:
    measures = values.get("dimensions_cm", {})
    return NewProduct(
        sku=values["sku"],
        name=values["name"],
        name_en=values["name_en"],
        type=values["type"],
        range=values["range"],
        category=category,
        description=values["description"],
        price_cents=_cents(values["price"]),
        colours=tuple(values["colours"]),
        materials=tuple(values["materials"]),
        width_cm=measures.get("width"),
        depth_cm=measures.get("depth"),
        height_cm=measures.get("height"),
        other_dimensions_cm={
            name: value for name, value in measures.items() if name not in MAIN_DIMENSIONS
        },
        weight_kg=values.get("weight_kg"),
        stock=values["stock"],
        delivery_days=values["delivery_days"],
        care=values["care"],
        assembly=values["assembly"],
        warranty_years=values["warranty_years"],
        tags=tuple(values.get("tags", ())),
        images=tuple(values.get("images", ())),
        variants=tuple(
            Variant(item["sku"], item["colour"], _cents(item["price"]), item["stock"])
            for item in values.get("variants", ())
        ),
    )


def _store(values: Mapping[str, Any]) -> NewStore:
    return NewStore(**{**values, "services": tuple(values.get("services", ()))})


def _customer(values: Mapping[str, Any]) -> NewCustomer:
    return NewCustomer(
        reference=values["id"],
        email=values["email"],
        first_name=values["first_name"],
        last_name=values["last_name"],
        phone=values.get("phone"),
        city=values.get("city"),
        postcode=values.get("postcode"),
        language=values["language"],
    )


def _line(values: Mapping[str, Any], catalogue: Mapping[str, CatalogueEntry]) -> OrderLine:
    entry = catalogue[sku_key(values["sku"])]
    return OrderLine(entry.sku, entry.name, values["quantity"], entry.price_cents)


def _parcel(values: Mapping[str, Any], today: date) -> Parcel:
    days = values.get("expected_in_days")
    return Parcel(
        tracking_number=values["tracking_number"],
        carrier=values["carrier"],
        status=values["status"],
        expected_on=_delivery_day(today + timedelta(days=days)) if days is not None else None,
        line_skus=tuple(values["line_skus"]),
    )


def _delivery_day(day: date) -> date:
    """The day, or the Monday after a Sunday: nothing is delivered on Sundays."""
    return day + timedelta(days=1) if day.isoweekday() == SUNDAY else day


def _article(path: Path) -> Article:
    opening, front_matter, text = path.read_text("utf-8").split("---\n", 2)
    if opening.strip():
        raise InvalidRequest(f"{path.name} does not begin with its front matter.")
    values = yaml.load(front_matter, Loader=yaml.CSafeLoader)
    return Article(
        path=path,
        language=path.parent.name,
        title=values["title"],
        text=text.strip(),
        tags=tuple(values.get("tags", ())),
    )
