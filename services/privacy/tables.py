"""Rows of consents, and of requests to export or erase a person with their receipts."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String

from core.database import UtcDateTime, organization_table

consents = organization_table(
    "consents",
    Column("actor", String(120), nullable=False),
    Column("customer_id", ForeignKey("customers.id", ondelete="SET NULL"), index=True),
    # What was agreed to, such as `voice_recording`; see consents.yaml.
    Column("kind", String(40), nullable=False),
    # Which wording was agreed to, and in which language it was shown.
    Column("text_version", String(20), nullable=False),
    Column("language", String(2), nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Index("ix_consents_actor", "organization_id", "actor", "kind"),
    data_class="proof",
    erased_by="kept as proof without its customer; the actor's id leads nowhere then",
)

# The id is that of the job that deals with the request.
privacy_requests = organization_table(
    "privacy_requests",
    # export or erasure.
    Column("kind", String(10), nullable=False),
    # Who is meant: emptied when the request has been dealt with.
    Column("subject", JSON, nullable=False),
    Column("requested_by", String(120), nullable=False),
    # What has been done so far, and in the end the signed receipt.
    Column("report", JSON, nullable=False),
    Column("receipt", JSON),
    Column("file_key", String(200)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("ix_privacy_requests_newest", "organization_id", "created_at"),
    data_class="proof",
    erased_by="subject is emptied when the request is done; receipts hold keyed hashes and numbers",
)
