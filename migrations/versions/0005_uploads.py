"""Uploads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The files that people send, and what they are attached to."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("thumbnail_key", sa.String(length=200), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("sharpness", sa.Float(), nullable=True),
        sa.Column("brightness", sa.Float(), nullable=True),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("stored_at", core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_uploads_customer_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_uploads_organization_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    with op.batch_alter_table("uploads") as batch_op:
        batch_op.create_index("ix_uploads_actor", ["actor"], unique=False)
        batch_op.create_index("ix_uploads_oldest", ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_organization_id"), ["organization_id"], unique=False)
    op.create_table(
        "upload_attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_upload_attachments_message_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_upload_attachments_organization_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_upload_attachments_ticket_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_upload_attachments_upload_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_attachments")),
        sa.UniqueConstraint("upload_id", "message_id", name=op.f("uq_upload_attachments_upload_id_message_id")),
        sa.UniqueConstraint("upload_id", "ticket_id", name=op.f("uq_upload_attachments_upload_id_ticket_id")),
    )
    with op.batch_alter_table("upload_attachments") as batch_op:
        batch_op.create_index(batch_op.f("ix_upload_attachments_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_attachments_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_attachments_ticket_id"), ["ticket_id"], unique=False)


def downgrade() -> None:
    """Forget them; the files themselves stay in storage."""
    op.drop_table("upload_attachments")
    op.drop_table("uploads")
