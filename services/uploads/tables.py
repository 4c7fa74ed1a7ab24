"""Rows of the files that people send, and of what they are attached to."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)

from core.database import UtcDateTime, organization_table

uploads = organization_table(
    "uploads",
    Column("actor", String(120), nullable=False),
    Column("customer_id", ForeignKey("customers.id", ondelete="SET NULL"), index=True),
    Column("description", Text, nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("storage_key", String(200), nullable=False),
    Column("thumbnail_key", String(200)),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_seconds", Float),
    # Of pictures: see `core.providers.media.picture.measure`.
    Column("sharpness", Float),
    Column("brightness", Float),
    Column("created_at", UtcDateTime, nullable=False),
    # Empty until storage holds the whole file: a row is there first, so that no file is without.
    Column("stored_at", UtcDateTime),
    Index("ix_uploads_actor", "actor"),
    Index("ix_uploads_oldest", "created_at"),
    data_class="upload",
    erased_by="deleted by actor or customer id, with the files; the files go through the outbox",
)

# An upload without any of these is an orphan.
upload_attachments = organization_table(
    "upload_attachments",
    Column("upload_id", ForeignKey("uploads.id", ondelete="CASCADE"), nullable=False),
    # One of the two is set.
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), index=True),
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("upload_id", "ticket_id"),
    UniqueConstraint("upload_id", "message_id"),
    data_class="upload",
    erased_by="deleted with the upload, the ticket or the message",
)
