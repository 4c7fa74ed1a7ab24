"""Rows of organizations, users, memberships, the shop's customers, sessions and keys."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    true,
)

from core.database import UtcDateTime, global_table, organization_table

organizations = global_table(
    "organizations",
    Column("name", String(100), nullable=False),
    Column("slug", String(60), nullable=False, unique=True),
    Column("description", String(500)),
    Column("public_key", String(80), nullable=False, unique=True),
    Column("settings", JSON, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    data_class="account",
    erased_by="holds no personal data",
)

users = global_table(
    "users",
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", Text),
    Column("name", String(200), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("is_superadmin", Boolean, nullable=False),
    Column("is_demo", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    data_class="account",
    erased_by="the row is deleted by user id",
)

memberships = organization_table(
    "memberships",
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("role", String(20), nullable=False),
    Column("is_active", Boolean, nullable=False, default=True, server_default=true()),
    UniqueConstraint("organization_id", "user_id"),
    data_class="account",
    erased_by="deleted with the user",
)

customers = organization_table(
    "customers",
    Column("reference", String(40), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="SET NULL")),
    Column("email", String(254), nullable=False),
    Column("first_name", String(100), nullable=False),
    Column("last_name", String(100), nullable=False),
    Column("phone", String(30)),
    Column("city", String(100)),
    Column("postcode", String(12)),
    Column("language", String(2), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "reference"),
    Index("ix_customers_email", "organization_id", "email"),
    Index("ix_customers_user", "user_id"),
    data_class="customer",
    erased_by="names, addresses and numbers are replaced by customer id",
)

refresh_tokens = global_table(
    "refresh_tokens",
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("organization_id", ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("family", String(64), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    data_class="session",
    erased_by="deleted with the user",
)

# One table for the keys of every contract; `prefix` tells which it was made for.
api_keys = organization_table(
    "api_keys",
    Column("name", String(100), nullable=False),
    Column("prefix", String(20), nullable=False),
    Column("last_characters", String(4), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("permissions", JSON, nullable=False),
    Column("created_by", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    data_class="account",
    erased_by="deleted with the user who made it",
)

# A row without a user stands for an address that nobody has: asking takes as long for both.
password_resets = global_table(
    "password_resets",
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("kind", String(12), nullable=False),
    Column("language", String(2), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
    data_class="session",
    erased_by="deleted with the user",
)
