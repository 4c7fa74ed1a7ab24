"""Words of messages, notes and tickets are found without their accents, and fast.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

from alembic import op

from services.conversations.word_index import MESSAGES, NOTES, SAID, Searched
from services.conversations.word_index_schema import making, unmaking

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DESCRIPTIONS = Searched("tickets", ("description",), SAID, of_conversations=False)
SEARCHED = (MESSAGES, NOTES, DESCRIPTIONS)


def upgrade() -> None:
    for statement in making(op.get_bind().dialect.name, SEARCHED):
        op.execute(statement)


def downgrade() -> None:
    for statement in unmaking(op.get_bind().dialect.name, SEARCHED):
        op.execute(statement)
