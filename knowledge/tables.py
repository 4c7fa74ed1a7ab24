"""Rows of what a shop knows: its documents, their passages, and where their vectors are kept."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)

from core.database import UtcDateTime, organization_table

documents = organization_table(
    "documents",
    Column("title", String(300), nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("tags", JSON, nullable=False),
    # text, markdown, html, pdf, docx or csv: what the document was read from.
    Column("source_kind", String(10), nullable=False),
    # SHA-256 of language, title and text: the same document is not kept twice.
    Column("checksum", String(64), nullable=False),
    # published: found by search. Anything else is kept and not found.
    Column("status", String(12), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_documents_checksum", "organization_id", "checksum"),
    data_class="knowledge",
    erased_by="written by the shop about itself; deleted with the document",
)

passages = organization_table(
    "passages",
    Column(
        "document_id",
        ForeignKey("documents.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("position", Integer, nullable=False),
    # Offsets in characters into the document's text: text[start:end] is the passage.
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("heading", String(300), nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("document_id", "position"),
    data_class="knowledge",
    erased_by="deleted with the document",
)

# Derived data: which collection of the vector store holds an organization's vectors, by whose
# encoder, and what must be done to a question's vector before it is compared with them.
knowledge_indexes = organization_table(
    "knowledge_indexes",
    Column("encoder", String(200), nullable=False),
    Column("collection", String(80), nullable=False, unique=True),
    # Mean and removed directions as little-endian float32 rows; see `knowledge.space`.
    Column("space", LargeBinary, nullable=False),
    Column("fitted_on", Integer, nullable=False),
    # Counted up after each change of a collection on a server: whoever holds a copy reads it anew.
    Column("version", Integer, nullable=False, default=0, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    data_class="derived",
    erased_by="holds no personal data; rebuilt from the documents",
)
