"""Rows of how conversations ended, and of questions that got no answer: what figures are read from.

Derived from conversations, so that a year of figures costs milliseconds and outlives the traces.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)

from core.database import UtcDateTime, organization_table

conversation_outcomes = organization_table(
    "conversation_outcomes",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(20), nullable=False),
    # What was asked first, courtesies apart; empty where nothing was.
    Column("intent", String(40)),
    # The day on which it began, in the shop's own time zone.
    Column("started_on", Date, nullable=False),
    # See services.monitoring.resolution.
    Column("outcome", String(15), nullable=False),
    Column("handed_over", Boolean, nullable=False),
    Column("rating", Integer),
    Column("questions", Integer, nullable=False),
    Column("unanswered", Integer, nullable=False),
    # From the first message to its answer; from asking for a person to that person's first word;
    # from the first message to the last answer.
    Column("first_answer_ms", Integer),
    Column("person_seconds", Integer),
    Column("duration_seconds", Integer),
    # `updated_at` of the conversation as it was read.
    Column("seen_at", UtcDateTime, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    # When time will change the outcome; empty once it cannot any more.
    Column("settles_at", UtcDateTime),
    UniqueConstraint("conversation_id"),
    Index("ix_conversation_outcomes_day", "organization_id", "started_on"),
    Index("ix_conversation_outcomes_seen", "organization_id", "seen_at"),
    Index("ix_conversation_outcomes_settles", "organization_id", "settles_at"),
    data_class="conversation",
    erased_by="deleted with the conversation",
)

unanswered_questions = organization_table(
    "unanswered_questions",
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column(
        "conversation_id",
        ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # A row of knowledge_gaps, which stands on the floor above: no foreign key.
    Column("gap_id", Uuid),
    Column("asked_at", UtcDateTime, nullable=False),
    UniqueConstraint("message_id"),
    Index("ix_unanswered_questions_asked", "organization_id", "asked_at"),
    Index("ix_unanswered_questions_gap", "gap_id"),
    data_class="conversation",
    erased_by="deleted with the conversation",
)

# Searches of the catalogue that found nothing.
missed_searches = organization_table(
    "missed_searches",
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column(
        "conversation_id",
        ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # The words that say what was looked for: stemmed and sorted, and as they were written.
    Column("subject", String(120), nullable=False),
    Column("words", String(120), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    UniqueConstraint("message_id"),
    Index("ix_missed_searches_asked", "organization_id", "asked_at"),
    data_class="conversation",
    erased_by="deleted with the conversation",
)
