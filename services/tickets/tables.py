"""Rows of after-sales tickets, their comments, their history, and the numbers given out."""

from sqlalchemy import (
    JSON,
    Boolean,
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

tickets = organization_table(
    "tickets",
    Column("number", String(20), nullable=False),
    Column("customer_id", ForeignKey("customers.id", ondelete="SET NULL")),
    Column("customer_reference", String(40)),
    Column("actor", String(120), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="SET NULL"), index=True),
    Column("product_sku", String(80)),
    Column("order_number", String(40)),
    Column("problem_category", String(40), nullable=False),
    Column("problem_severity", String(20), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("status", String(20), nullable=False),
    Column("description", Text, nullable=False),
    Column("contact_email", String(254)),
    Column("assignee_id", ForeignKey("users.id", ondelete="SET NULL")),
    Column("sla_response_deadline", UtcDateTime, nullable=False),
    Column("first_response_at", UtcDateTime),
    # Since when the clock stands still, waiting for the customer or a supplier.
    Column("sla_paused_at", UtcDateTime),
    # How many steps of the policy's escalation have been taken.
    Column("escalation_step", Integer, nullable=False, default=0, server_default="0"),
    # The ticket that says the same; see conversations.assignee_id for why it is no foreign key.
    Column("merged_into_id", Uuid),
    Column("resolved_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "number"),
    Index("ix_tickets_customer", "customer_id"),
    Index("ix_tickets_actor", "actor"),
    Index("ix_tickets_queue", "organization_id", "status", "sla_response_deadline"),
    Index("ix_tickets_assignee", "assignee_id", "status"),
    Index("ix_tickets_newest", "organization_id", "created_at"),
    data_class="ticket",
    erased_by="description and contact_email are emptied by customer id or actor",
)

ticket_comments = organization_table(
    "ticket_comments",
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("actor", String(120), nullable=False),
    Column("from_staff", Boolean, nullable=False),
    # An internal note is shown to staff only.
    Column("is_internal", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    data_class="ticket",
    erased_by="body is emptied with the ticket",
)

ticket_events = organization_table(
    "ticket_events",
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("actor", String(120), nullable=False),
    # Such as created, commented, files_added, assigned, status_changed or merged.
    Column("kind", String(30), nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    data_class="audit",
    erased_by="holds ids and states only",
)

counters = organization_table(
    "counters",
    Column("name", String(60), nullable=False),
    Column("value", Integer, nullable=False),
    UniqueConstraint("organization_id", "name"),
    data_class="operational",
    erased_by="holds no personal data",
)
