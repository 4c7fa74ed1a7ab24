"""Indexes that each turn writes and no question reads.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Their rows are asked for by conversation or message, or by another index that begins with the
# organization.
TABLES = ("conversations", "messages", "turns", "tool_runs")
IS_REPLY = sa.text("reply_to IS NOT NULL")


def upgrade() -> None:
    for table in TABLES:
        op.drop_index(f"ix_{table}_organization_id", table_name=table)
    op.drop_index("ix_messages_reply_to", table_name="messages")
    op.create_index(
        "ix_messages_reply_to",
        "messages",
        ["reply_to"],
        sqlite_where=IS_REPLY,
        postgresql_where=IS_REPLY,
    )


def downgrade() -> None:
    op.drop_index("ix_messages_reply_to", table_name="messages")
    op.create_index("ix_messages_reply_to", "messages", ["reply_to"])
    for table in TABLES:
        op.create_index(f"ix_{table}_organization_id", table, ["organization_id"])
