"""Searches for products that found nothing, for the manager's pages.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    references = ("message_id", "messages"), ("conversation_id", "conversations")
    op.create_table(
        "missed_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("words", sa.String(length=120), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_missed_searches_{column}"),
                ondelete="CASCADE",
            )
            for column, table in (*references, ("organization_id", "organizations"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missed_searches")),
        sa.UniqueConstraint("message_id", name=op.f("uq_missed_searches_message_id")),
    )
    op.create_index(
        "ix_missed_searches_asked", "missed_searches", ["organization_id", "asked_at"]
    )
    for column in ("conversation_id", "organization_id"):
        op.create_index(op.f(f"ix_missed_searches_{column}"), "missed_searches", [column])


def downgrade() -> None:
    op.drop_table("missed_searches")
