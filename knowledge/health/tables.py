"""Rows of what the knowledge lacks and where it ails, and of former versions of documents."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)

from core.database import UtcDateTime, organization_table

# A group of questions that mean the same and had no answer. What was asked stays in the messages.
knowledge_gaps = organization_table(
    "knowledge_gaps",
    # The question in the middle of the group.
    Column("message_id", ForeignKey("messages.id", ondelete="SET NULL"), index=True),
    Column("language", String(2), nullable=False),
    Column("questions", Integer, nullable=False),
    # open, dismissed or drafted; published where the draft is.
    Column("status", String(10), nullable=False),
    Column("document_id", ForeignKey("documents.id", ondelete="SET NULL"), index=True),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Index("ix_knowledge_gaps_status", "organization_id", "status"),
    data_class="knowledge",
    erased_by="points to messages and is deleted with the last of them",
)

knowledge_findings = organization_table(
    "knowledge_findings",
    # old, past_date, never_cited or contradiction.
    Column("kind", String(15), nullable=False),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("other_document_id", ForeignKey("documents.id", ondelete="CASCADE"), index=True),
    # The sentences that it is about, as they stand in the documents.
    Column("details", JSON, nullable=False),
    # SHA-256 of kind, documents and details: what was dismissed is not found again.
    Column("fingerprint", String(64), nullable=False),
    # open or dismissed.
    Column("status", String(10), nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "fingerprint"),
    Index("ix_knowledge_findings_document", "document_id"),
    data_class="knowledge",
    erased_by="about the shop's own documents; deleted with them",
)

# What a document was before it was changed or removed: undone within a month.
document_versions = organization_table(
    "document_versions",
    Column("document_id", Uuid, nullable=False),
    Column("title", String(300), nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("source_kind", String(10), nullable=False),
    Column("status", String(12), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # changed or removed.
    Column("reason", String(8), nullable=False),
    Column("replaced_at", UtcDateTime, nullable=False),
    Index("ix_document_versions_document", "document_id", "replaced_at"),
    data_class="operational",
    erased_by="written by the shop about itself; purged after a month",
)
