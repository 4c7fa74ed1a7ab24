"""Rows of conversation tests that were made from real answers."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String

from core.database import UtcDateTime, organization_table

evaluation_cases = organization_table(
    "evaluation_cases",
    Column("name", String(200), nullable=False),
    Column("scenario", JSON, nullable=False),
    # Where it comes from; the test outlives the conversation.
    Column("conversation_id", ForeignKey("conversations.id", ondelete="SET NULL"), index=True),
    Column("turn", Integer, nullable=False),
    Column("created_by", String(120), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_evaluation_cases_newest", "organization_id", "created_at"),
    data_class="configuration",
    erased_by="holds fakes for addresses, numbers and names; deleted by conversation id on request",
)
