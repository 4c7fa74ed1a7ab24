"""The agents' console: who has a conversation, notes, macros, filters, profiles, paused clocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns are added, never rebuilt: SQLite would delete the messages with the old table."""
    op.create_table(
        "agent_profiles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("is_available", sa.Boolean(), nullable=False),
        sa.Column("last_assigned_at", core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_agent_profiles_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_agent_profiles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_profiles")),
        sa.UniqueConstraint(
            "organization_id", "user_id", name=op.f("uq_agent_profiles_organization_id_user_id")
        ),
    )
    with op.batch_alter_table("agent_profiles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agent_profiles_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "macros",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_macros_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["users.id"], name=op.f("fk_macros_updated_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_macros")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_macros_organization_id_name")),
    )
    with op.batch_alter_table("macros", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_macros_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_saved_filters_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_filters_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint(
            "organization_id",
            "user_id",
            "name",
            name=op.f("uq_saved_filters_organization_id_user_id_name"),
        ),
    )
    with op.batch_alter_table("saved_filters", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_saved_filters_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_saved_filters_user_id"), ["user_id"], unique=False)

    op.create_table(
        "conversation_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_conversation_notes_author_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_notes_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_conversation_notes_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_notes")),
    )
    with op.batch_alter_table("conversation_notes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_conversation_notes_conversation", ["conversation_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_conversation_notes_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "handoff_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("owner", sa.String(length=10), nullable=False),
        sa.Column("waited_seconds", sa.Integer(), nullable=True),
        sa.Column("ahead", sa.Integer(), nullable=True),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_handoff_events_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_handoff_events_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_events")),
    )
    with op.batch_alter_table("handoff_events", schema=None) as batch_op:
        batch_op.create_index("ix_handoff_events_conversation", ["conversation_id"], unique=False)
        batch_op.create_index(
            "ix_handoff_events_kind", ["organization_id", "kind", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_handoff_events_organization_id"), ["organization_id"], unique=False
        )

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("owner_since", core.database.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("assignee_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("notices", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("unanswered_since", core.database.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("handoff_due_at", core.database.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("handoff_reason", sa.String(length=100), nullable=True))
        batch_op.create_index(
            "ix_conversations_assignee",
            ["assignee_id"],
            unique=False,
            sqlite_where=sa.text("owner IN ('waiting', 'human')"),
            postgresql_where=sa.text("owner IN ('waiting', 'human')"),
        )
        batch_op.create_index("ix_conversations_newest", ["organization_id", "id"], unique=False)
        batch_op.create_index(
            "ix_conversations_desk",
            ["organization_id", "owner", "owner_since"],
            unique=False,
            sqlite_where=sa.text("owner IN ('waiting', 'human')"),
            postgresql_where=sa.text("owner IN ('waiting', 'human')"),
        )
        batch_op.create_index(
            "ix_conversations_due",
            ["handoff_due_at"],
            unique=False,
            sqlite_where=sa.text("owner IN ('waiting', 'human')"),
            postgresql_where=sa.text("owner IN ('waiting', 'human')"),
        )

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("sla_paused_at", core.database.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("escalation_step", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("merged_into_id", sa.Uuid(), nullable=True))
        batch_op.create_index("ix_tickets_assignee", ["assignee_id", "status"], unique=False)
        batch_op.create_index("ix_tickets_newest", ["organization_id", "created_at"], unique=False)
    op.execute("UPDATE conversations SET owner_since = updated_at WHERE owner <> 'bot'")


def downgrade() -> None:
    """Forget them; conversations and tickets stay."""
    for name in ("ix_tickets_newest", "ix_tickets_assignee"):
        op.drop_index(name, table_name="tickets")
    for name in ("merged_into_id", "escalation_step", "sla_paused_at"):
        op.drop_column("tickets", name)
    for name in (
        "ix_conversations_due",
        "ix_conversations_desk",
        "ix_conversations_assignee",
        "ix_conversations_newest",
    ):
        op.drop_index(name, table_name="conversations")
    for name in (
        "handoff_reason",
        "handoff_due_at",
        "unanswered_since",
        "notices",
        "assignee_id",
        "owner_since",
    ):
        op.drop_column("conversations", name)
    for name in (
        "handoff_events",
        "conversation_notes",
        "saved_filters",
        "macros",
        "agent_profiles",
    ):
        op.drop_table(name)
