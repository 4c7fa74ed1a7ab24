"""What uploads are attached to: tickets, and messages of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, bindparam, select

from core.database import Transaction
from core.errors import InvalidRequest
from core.security import Principal
from services.conversations.tables import messages
from services.uploads.tables import upload_attachments, uploads
from services.uploads.uploads import Upload, as_upload, find_uploads

MAXIMUM_ATTACHMENTS = 10


async def usable_uploads(
    transaction: Transaction, file_ids: Sequence[str], principal: Principal
) -> list[Upload]:
    """The uploads of these ids, all of which the caller may attach.

    Raises InvalidRequest where one is not there or another's: which of the two is not told.
    """
    wanted = list(dict.fromkeys(file_ids))
    if len(wanted) > MAXIMUM_ATTACHMENTS:
        raise InvalidRequest(
            f"attachments: at most {MAXIMUM_ATTACHMENTS} files.", {"field": "attachments"}
        )
    found = await find_uploads(transaction, wanted, principal)
    if len(found) < len(wanted):
        raise InvalidRequest("attachments: there is no such file.", {"field": "attachments"})
    return found


async def attach_to_ticket(
    transaction: Transaction, attached: Sequence[Upload], ticket_id: UUID, now: datetime
) -> list[Upload]:
    """Attach uploads to a ticket; returns those that were not attached to it already."""
    return await _attach(transaction, attached, upload_attachments.c.ticket_id, ticket_id, now)


async def attach_to_message(
    transaction: Transaction, attached: Sequence[Upload], message_id: UUID, now: datetime
) -> None:
    """Attach uploads to a message; one that is attached already stays so."""
    await _attach(transaction, attached, upload_attachments.c.message_id, message_id, now)


async def _attach(
    transaction: Transaction,
    attached: Sequence[Upload],
    column: Column[UUID],
    owner_id: UUID,
    now: datetime,
) -> list[Upload]:
    if not attached:
        return []
    rows = await transaction.all(select(upload_attachments.c.upload_id).where(column == owner_id))
    already = {row.upload_id for row in rows}
    new = {upload.id: upload for upload in attached if upload.id not in already}
    await transaction.insert_many(
        upload_attachments,
        [{"upload_id": id, str(column.name): owner_id, "created_at": now} for id in new],
    )
    return list(new.values())


async def uploads_of_tickets(
    transaction: Transaction, ticket_ids: Sequence[UUID]
) -> dict[UUID, list[Upload]]:
    """What is attached to tickets that the caller may see, oldest first."""
    if not ticket_ids:
        return {}
    rows = await transaction.all(
        select(uploads, upload_attachments.c.ticket_id)
        .join_from(upload_attachments, uploads, upload_attachments.c.upload_id == uploads.c.id)
        .where(upload_attachments.c.ticket_id.in_(ticket_ids))
        .order_by(upload_attachments.c.id)
    )
    found: dict[UUID, list[Upload]] = {}
    for row in rows:
        found.setdefault(row.ticket_id, []).append(as_upload(row))
    return found


_SENT_IN_CONVERSATION = (
    select(uploads)
    .join_from(upload_attachments, uploads, upload_attachments.c.upload_id == uploads.c.id)
    .join(messages, upload_attachments.c.message_id == messages.c.id)
    .where(messages.c.conversation_id == bindparam("conversation"))
    .order_by(upload_attachments.c.id)
)


async def uploads_of_conversation(transaction: Transaction, conversation_id: UUID) -> list[Upload]:
    """What was sent in a conversation and stands on no ticket yet, oldest first."""
    sent = await transaction.look(_SENT_IN_CONVERSATION, {"conversation": conversation_id})
    if not sent:
        return []
    on_ticket = await transaction.all(
        select(upload_attachments.c.upload_id).where(
            upload_attachments.c.upload_id.in_([row.id for row in sent]),
            upload_attachments.c.ticket_id.is_not(None),
        )
    )
    taken = {row.upload_id for row in on_ticket}
    free = {row.id: as_upload(row) for row in sent if row.id not in taken}
    return list(free.values())
