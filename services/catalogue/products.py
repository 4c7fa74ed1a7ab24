"""What the shop sells: products with their variants, prices and stock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select

from core.database import Transaction, new_id
from services.catalogue.tables import product_variants, products, stores

MAXIMUM_SKU_LENGTH = 80


@dataclass(frozen=True)
class Variant:
    """One colour of a product, with its own sku, price and stock."""

    sku: str
    colour: str
    price_cents: int
    stock: int

    @property
    def in_stock(self) -> bool:
        return self.stock > 0


@dataclass(frozen=True)
class NewProduct:
    """A product as it is entered; measures in centimetres, money in cents."""

    sku: str
    name: str
    name_en: str
    type: str
    range: str
    category: str
    description: str
    price_cents: int
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    width_cm: float | None
    depth_cm: float | None
    height_cm: float | None
    weight_kg: float | None
    stock: int
    delivery_days: int
    care: str
    assembly: str
    warranty_years: int
    tags: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    other_dimensions_cm: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Product(NewProduct):
    """A product of the catalogue."""

    id: UUID

    @property
    def in_stock(self) -> bool:
        return self.stock > 0

    def sku_as_printed(self, sku: str) -> str:
        """The catalogue's spelling of this product's sku, or of the variant's that was named."""
        key = sku_key(sku)
        return next((item.sku for item in self.variants if sku_key(item.sku) == key), self.sku)


_LISTS = ("colours", "materials", "tags", "images")
_COLUMNS = tuple(item.name for item in fields(NewProduct) if item.name != "variants")


def sku_key(sku: str) -> str:
    """A sku without case, accents, spaces and dashes: `canapé oslo 3p` → `CANAPEOSLO3P`."""
    decomposed = unicodedata.normalize("NFKD", sku)
    return re.sub(r"[^A-Z0-9]", "", decomposed.upper())


async def list_products(transaction: Transaction) -> list[Product]:
    """Every product of the organization, by sku."""
    rows = await transaction.all(select(products).order_by(products.c.sku))
    variants = await transaction.all(
        select(product_variants).order_by(
            product_variants.c.product_id, product_variants.c.position
        )
    )
    by_product: dict[UUID, list[Variant]] = {}
    for variant in variants:
        by_product.setdefault(variant.product_id, []).append(_variant(variant))
    return [_product(row, by_product.get(row.id, ())) for row in rows]


async def find_product(transaction: Transaction, sku: str) -> Product | None:
    """The product of a sku, or of one of its variants' skus, however it is spelled."""
    key = sku_key(sku)
    if not key or len(key) > MAXIMUM_SKU_LENGTH:
        return None
    of_variant = await transaction.first(
        select(product_variants.c.product_id).where(product_variants.c.sku_key == key)
    )
    named = products.c.sku_key == key
    if of_variant is not None:
        named = or_(named, products.c.id == of_variant.product_id)
    row = await transaction.first(select(products).where(named))
    if row is None:
        return None
    variants = await transaction.all(
        select(product_variants)
        .where(product_variants.c.product_id == row.id)
        .order_by(product_variants.c.position)
    )
    return _product(row, [_variant(variant) for variant in variants])


async def add_products(
    transaction: Transaction, new: Sequence[NewProduct], now: datetime
) -> list[UUID]:
    """Add products with their variants; a sku that exists violates a constraint."""
    ids = [new_id() for _ in new]
    await transaction.insert_many(
        products,
        [_product_row(id, product, now) for id, product in zip(ids, new, strict=True)],
    )
    await transaction.insert_many(
        product_variants,
        [
            {
                **asdict(variant),
                "product_id": id,
                "position": position,
                "sku_key": sku_key(variant.sku),
            }
            for id, product in zip(ids, new, strict=True)
            for position, variant in enumerate(product.variants)
        ],
    )
    return ids


async def known_skus(transaction: Transaction) -> set[str]:
    """The skus of all products, without their variants."""
    return {row.sku for row in await transaction.all(select(products.c.sku))}


def _product_row(id: UUID, product: NewProduct, now: datetime) -> dict[str, Any]:
    row = {name: getattr(product, name) for name in _COLUMNS}
    for name in _LISTS:
        row[name] = list(row[name])
    row["other_dimensions_cm"] = dict(product.other_dimensions_cm)
    return {**row, "id": id, "sku_key": sku_key(product.sku), "created_at": now}


def _product(row: Row[Any], variants: Sequence[Variant]) -> Product:
    values = {name: getattr(row, name) for name in _COLUMNS}
    for name in _LISTS:
        values[name] = tuple(values[name])
    return Product(id=row.id, variants=tuple(variants), **values)


def _variant(row: Row[Any]) -> Variant:
    return Variant(row.sku, row.colour, row.price_cents, row.stock)


async def catalogue_version(transaction: Transaction) -> str:
    """A text that changes when products or stores are added or removed."""
    count = await transaction.scalar(select(func.count()).select_from(products))
    newest = await transaction.scalar(select(func.max(products.c.created_at)))
    shops = await transaction.scalar(select(func.count()).select_from(stores))
    return f"{count}:{newest}:{shops}"
