"""Rows of what is counted and paid for."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)

from core.database import UtcDateTime, organization_table

llm_usage = organization_table(
    "llm_usage",
    # No foreign keys: what was paid stays when the conversation is erased.
    Column("conversation_id", Uuid, nullable=False, index=True),
    Column("message_id", Uuid, nullable=False),
    Column("model", String(200), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    # Whether a provider broke off without saying what it counted.
    Column("estimated", Boolean, nullable=False),
    # Millionths of the currency that the prices are set in.
    Column("cost_micros", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "message_id"),
    Index("ix_llm_usage_day", "organization_id", "created_at"),
    data_class="billing",
    erased_by="holds numbers only; its ids lead nowhere once the conversation is deleted",
)
