"""Rows of conversations, their messages, and the trace of each turn."""

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)

from core.database import UtcDateTime, organization_table

conversations = organization_table(
    "conversations",
    Column("session_id", String(200), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("customer_id", ForeignKey("customers.id", ondelete="SET NULL"), index=True),
    Column("channel", String(20), nullable=False),
    Column("language", String(2), nullable=False),
    # bot, waiting (for a human) or human: who answers the next message.
    Column("owner", String(10), nullable=False),
    Column("assistant_revision", Integer, nullable=False),
    Column("state", JSON, nullable=False),
    Column("next_sequence", Integer, nullable=False),
    Column("lease_holder", String(64)),
    Column("lease_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "actor", "session_id"),
    data_class="conversation",
    erased_by="deleted by customer id or actor, messages and turns with it",
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
    Column("reply_to", ForeignKey("messages.id", ondelete="CASCADE"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "sequence"),
    UniqueConstraint("conversation_id", "client_message_id"),
    data_class="conversation",
    erased_by="deleted with the conversation",
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
)
