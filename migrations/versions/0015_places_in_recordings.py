"""Where each turn of a call begins in its recording.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("call_turns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recording_ms", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("call_turns", schema=None) as batch_op:
        batch_op.drop_column("recording_ms")
