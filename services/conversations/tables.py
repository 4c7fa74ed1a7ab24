"""Rows of conversations, their messages, and the trace of each turn."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from core.database import UtcDateTime, organization_table

# Written out, not with parameters: SQLite uses a partial index only where it sees the same words.
WITH_PEOPLE = "owner IN ('waiting', 'human')"
IS_REPLY = "reply_to IS NOT NULL"


def _where(condition: str) -> dict[str, Any]:
    return {name: text(condition) for name in ("sqlite_where", "postgresql_where")}


_OF_PEOPLE = _where(WITH_PEOPLE)
_OF_REPLIES = _where(IS_REPLY)

conversations = organization_table(
    "conversations",
    Column("session_id", String(200), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("customer_id", ForeignKey("customers.id", ondelete="SET NULL"), index=True),
    Column("channel", String(20), nullable=False),
    Column("language", String(2), nullable=False),
    # bot, waiting (for a human), human or closed: who answers the next message.
    Column("owner", String(10), nullable=False),
    # What `services.conversations.handoff_states` keeps; the assistant's own need none of it.
    Column("owner_since", UtcDateTime),
    # A user. No foreign key: SQLite would rebuild the table to add it, and delete what hangs on it.
    Column("assignee_id", Uuid),
    Column("notices", Integer, nullable=False, default=0, server_default="0"),
    Column("unanswered_since", UtcDateTime),
    Column("handoff_due_at", UtcDateTime),
    Column("handoff_reason", String(100)),
    Column("assistant_revision", Integer, nullable=False),
    Column("state", JSON, nullable=False),
    Column("next_sequence", Integer, nullable=False),
    Column("lease_holder", String(64)),
    Column("lease_until", UtcDateTime),
    # The first in line for the lease, and until when those behind must let it go first.
    Column("next_holder", String(64)),
    Column("waiting_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "actor", "session_id"),
    Index("ix_conversations_newest", "organization_id", "id"),
    # Only what people deal with: a turn of the assistant keeps no index but the key's.
    Index("ix_conversations_desk", "organization_id", "owner", "owner_since", **_OF_PEOPLE),
    Index("ix_conversations_assignee", "assignee_id", **_OF_PEOPLE),
    Index("ix_conversations_due", "handoff_due_at", **_OF_PEOPLE),
    data_class="conversation",
    erased_by="deleted by customer id or actor, messages and turns with it",
    organization_index=False,
)

messages = organization_table(
    "messages",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("sequence", Integer, nullable=False),
    # user, assistant, agent or system.
    Column("role", String(10), nullable=False),
    Column("content", Text, nullable=False),
    Column("language", String(2)),
    Column("intent", String(40)),
    Column("confidence", Float),
    Column("sources", JSON, nullable=False),
    # Products, tool results, suggestions: what a client shows beside the text.
    Column("attachments", JSON, nullable=False),
    Column("client_message_id", String(200)),
    Column("reply_to", ForeignKey("messages.id", ondelete="CASCADE")),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "sequence"),
    UniqueConstraint("conversation_id", "client_message_id"),
    Index("ix_messages_reply_to", "reply_to", **_OF_REPLIES),
    data_class="conversation",
    erased_by="deleted with the conversation",
    organization_index=False,
)

turns = organization_table(
    "turns",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column("trace", JSON, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_turns_conversation", "conversation_id"),
    data_class="trace",
    erased_by="deleted with the conversation",
    organization_index=False,
)

# Messages that wait, in the order of their ids, until the earlier ones have been answered by
# other processes; empty most of the time.
conversation_waiters = organization_table(
    "conversation_waiters",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_conversation_waiters_conversation", "conversation_id"),
    data_class="operational",
    erased_by="holds no personal data; deleted when the message's turn has come",
)

# What became of each request for a person, and when: the history that waits are estimated from.
handoff_events = organization_table(
    "handoff_events",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    # requested, withdrawn, taken, assigned, handed_back, closed, or the notice of a timer.
    Column("kind", String(20), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("owner", String(10), nullable=False),
    # Of a taken request: how long it waited, in time that service was open, and behind how many.
    Column("waited_seconds", Integer),
    Column("ahead", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_handoff_events_conversation", "conversation_id"),
    Index("ix_handoff_events_kind", "organization_id", "kind", "created_at"),
    data_class="audit",
    erased_by="deleted with the conversation",
)

conversation_notes = organization_table(
    "conversation_notes",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("author_id", ForeignKey("users.id", ondelete="SET NULL")),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_conversation_notes_conversation", "conversation_id"),
    data_class="conversation",
    erased_by="deleted with the conversation",
)

macros = organization_table(
    "macros",
    Column("name", String(80), nullable=False),
    Column("body", Text, nullable=False),
    # Empty: for customers of every language.
    Column("language", String(2)),
    Column("updated_by", ForeignKey("users.id", ondelete="SET NULL")),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "name"),
    data_class="configuration",
    erased_by="holds no personal data of customers",
)

saved_filters = organization_table(
    "saved_filters",
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("query", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "user_id", "name"),
    data_class="configuration",
    erased_by="deleted with the user",
)

agent_profiles = organization_table(
    "agent_profiles",
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    # Categories of problems, languages: what conversations are given by.
    Column("skills", JSON, nullable=False),
    Column("is_available", Boolean, nullable=False),
    Column("last_assigned_at", UtcDateTime),
    UniqueConstraint("organization_id", "user_id"),
    data_class="account",
    erased_by="deleted with the user",
)
