"""Rows of products, their variants, and the shop's stores."""

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Text,
    UniqueConstraint,
)

from core.database import UtcDateTime, organization_table

products = organization_table(
    "products",
    Column("sku", String(80), nullable=False),
    # The sku without case, accents and spaces: how a sku typed by a person is found.
    Column("sku_key", String(80), nullable=False),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("type", String(80), nullable=False),
    Column("range", String(80), nullable=False),
    Column("category", String(80), nullable=False),
    Column("description", Text, nullable=False),
    Column("price_cents", Integer, nullable=False),
    Column("colours", JSON, nullable=False),
    Column("materials", JSON, nullable=False),
    Column("width_cm", Float),
    Column("depth_cm", Float),
    Column("height_cm", Float),
    # Measures that only some products have, such as `length` and `seat_height`, in centimetres.
    Column("other_dimensions_cm", JSON, nullable=False),
    Column("weight_kg", Float),
    Column("stock", Integer, nullable=False),
    Column("delivery_days", Integer, nullable=False),
    Column("care", Text, nullable=False),
    Column("assembly", Text, nullable=False),
    Column("warranty_years", Integer, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("images", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "sku"),
    UniqueConstraint("organization_id", "sku_key"),
    data_class="catalogue",
    erased_by="holds no personal data",
)

product_variants = organization_table(
    "product_variants",
    Column(
        "product_id",
        ForeignKey("products.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("position", Integer, nullable=False),
    Column("sku", String(80), nullable=False),
    Column("sku_key", String(80), nullable=False),
    Column("colour", String(80), nullable=False),
    Column("price_cents", Integer, nullable=False),
    Column("stock", Integer, nullable=False),
    UniqueConstraint("organization_id", "sku_key"),
    data_class="catalogue",
    erased_by="holds no personal data",
)

stores = organization_table(
    "stores",
    Column("code", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("city", String(100), nullable=False),
    Column("address", String(300), nullable=False),
    Column("postcode", String(12), nullable=False),
    Column("phone", String(30), nullable=False),
    # By English weekday in lower case: `10:00-19:00` or `closed`.
    Column("opening_hours", JSON, nullable=False),
    Column("services", JSON, nullable=False),
    UniqueConstraint("organization_id", "code"),
    data_class="catalogue",
    erased_by="holds no personal data",
)
