"""What the knowledge lacks, and how conversations were resolved.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = (
    "unanswered_questions",
    "conversation_outcomes",
    "knowledge_gaps",
    "knowledge_findings",
    "document_versions",
)


def upgrade() -> None:
    op.create_table(
        "document_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("source_kind", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=8), nullable=False),
        sa.Column("replaced_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_document_versions_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_versions")),
    )
    with op.batch_alter_table("document_versions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_document_versions_document", ["document_id", "replaced_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_document_versions_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "knowledge_findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=15), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("other_document_id", sa.Uuid(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("found_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name=op.f("fk_knowledge_findings_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_knowledge_findings_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_document_id"],
            ["documents.id"],
            name=op.f("fk_knowledge_findings_other_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_findings")),
        sa.UniqueConstraint(
            "organization_id",
            "fingerprint",
            name=op.f("uq_knowledge_findings_organization_id_fingerprint"),
        ),
    )
    with op.batch_alter_table("knowledge_findings", schema=None) as batch_op:
        batch_op.create_index("ix_knowledge_findings_document", ["document_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_knowledge_findings_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_knowledge_findings_other_document_id"),
            ["other_document_id"],
            unique=False,
        )

    op.create_table(
        "conversation_outcomes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("intent", sa.String(length=40), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=15), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("first_answer_ms", sa.Integer(), nullable=True),
        sa.Column("person_seconds", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("seen_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("computed_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settles_at", core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_outcomes_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_conversation_outcomes_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_outcomes")),
        sa.UniqueConstraint(
            "conversation_id", name=op.f("uq_conversation_outcomes_conversation_id")
        ),
    )
    with op.batch_alter_table("conversation_outcomes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_conversation_outcomes_day", ["organization_id", "started_on"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_conversation_outcomes_organization_id"),
            ["organization_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_conversation_outcomes_seen", ["organization_id", "seen_at"], unique=False
        )
        batch_op.create_index(
            "ix_conversation_outcomes_settles", ["organization_id", "settles_at"], unique=False
        )

    op.create_table(
        "knowledge_gaps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("first_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name=op.f("fk_knowledge_gaps_document_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_knowledge_gaps_message_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_knowledge_gaps_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_gaps")),
    )
    with op.batch_alter_table("knowledge_gaps", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_knowledge_gaps_document_id"), ["document_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_knowledge_gaps_message_id"), ["message_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_knowledge_gaps_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "ix_knowledge_gaps_status", ["organization_id", "status"], unique=False
        )

    op.create_table(
        "unanswered_questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("gap_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_unanswered_questions_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_unanswered_questions_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_unanswered_questions_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unanswered_questions")),
        sa.UniqueConstraint("message_id", name=op.f("uq_unanswered_questions_message_id")),
    )
    with op.batch_alter_table("unanswered_questions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_unanswered_questions_asked", ["organization_id", "asked_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_unanswered_questions_conversation_id"), ["conversation_id"], unique=False
        )
        batch_op.create_index("ix_unanswered_questions_gap", ["gap_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_unanswered_questions_organization_id"), ["organization_id"], unique=False
        )


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name)
