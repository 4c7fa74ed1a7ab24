"""Rows of orders, their lines and their parcels."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)

from core.database import UtcDateTime, organization_table

orders = organization_table(
    "orders",
    Column("number", String(40), nullable=False),
    # The number without case, spaces and dashes: how a number typed by a person is found.
    Column("number_key", String(40), nullable=False),
    Column("customer_id", ForeignKey("customers.id", ondelete="SET NULL")),
    Column("email", String(254), nullable=False),
    Column("status", String(30), nullable=False),
    Column("payment", String(60), nullable=False),
    Column("delivery_city", String(100), nullable=False),
    Column("note", Text),
    Column("ordered_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "number_key"),
    Index("ix_orders_customer", "customer_id", "ordered_at"),
    data_class="order",
    erased_by="email, city and note are replaced by customer id",
)

order_lines = organization_table(
    "order_lines",
    Column("order_id", ForeignKey("orders.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("sku", String(80), nullable=False),
    Column("name", String(300), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_cents", Integer, nullable=False),
    data_class="order",
    erased_by="holds no personal data beyond its order",
)

parcels = organization_table(
    "parcels",
    Column("order_id", ForeignKey("orders.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("tracking_number", String(60), nullable=False),
    Column("carrier", String(80), nullable=False),
    Column("status", String(30), nullable=False),
    Column("expected_on", Date),
    Column("line_skus", JSON, nullable=False),
    data_class="order",
    erased_by="holds no personal data beyond its order",
)
