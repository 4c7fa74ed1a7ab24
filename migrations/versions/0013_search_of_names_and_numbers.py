"""Customers' names, and the numbers of tickets, are found like words: without accents, by parts.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from services.conversations.word_index import (
    CUSTOMERS,
    MESSAGES,
    NOTES,
    SAID,
    TICKETS,
    Searched,
)
from services.conversations.word_index_schema import making, unmaking

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


DESCRIPTIONS = Searched("tickets", ("description",), SAID, of_conversations=False)
SEARCHED_BEFORE = (MESSAGES, NOTES, DESCRIPTIONS)
SEARCHED = (MESSAGES, NOTES, TICKETS, CUSTOMERS)


def upgrade() -> None:
    _make_anew(SEARCHED_BEFORE, SEARCHED)


def downgrade() -> None:
    _make_anew(SEARCHED, SEARCHED_BEFORE)


def _make_anew(before: Sequence[Searched], after: Sequence[Searched]) -> None:
    dialect = op.get_bind().dialect.name
    for statement in (*unmaking(dialect, before), *making(dialect, after)):
        op.execute(statement)
