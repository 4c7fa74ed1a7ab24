"""Which uploads are given up: those that nothing needs, and those of a person who is erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select

from core.database import Transaction
from core.runtime import Runtime
from services.uploads.tables import upload_attachments, uploads
from services.uploads.uploads import Upload, as_upload, forget

ORPHAN_AGE = timedelta(hours=24)
BATCH = 200


async def delete_orphans(runtime: Runtime, now: datetime) -> int:
    """Delete uploads that nothing was attached to within `ORPHAN_AGE`; returns how many.

    Among them are rows whose file was never stored: their process has died meanwhile.
    """
    deleted = 0
    async with runtime.database.reading(None, every_organization=True) as look:
        rows = await look.all(_orphans(now).with_only_columns(uploads.c.organization_id).distinct())
    for row in rows:
        while True:
            async with runtime.database.transaction(row.organization_id) as transaction:
                orphans = await _lock_orphans(transaction, row.organization_id, now)
                await forget(runtime, transaction, orphans)
            deleted += len(orphans)
            if len(orphans) < BATCH:
                break
    return deleted


def _orphans(now: datetime) -> Select[tuple[object, ...]]:
    return (
        select(uploads)
        .outerjoin_from(uploads, upload_attachments, upload_attachments.c.upload_id == uploads.c.id)
        .where(upload_attachments.c.id.is_(None), uploads.c.created_at <= now - ORPHAN_AGE)
    )


async def _lock_orphans(
    transaction: Transaction, organization_id: UUID, now: datetime
) -> Sequence[Upload]:
    """Some orphans, locked; one that was attached before its lock was had is none any more."""
    # The outer join has no organization on its empty side, where the scope would look for one.
    everywhere = Transaction(transaction.connection, None, every_organization=True)
    rows = await everywhere.all(
        _orphans(now)
        .where(uploads.c.organization_id == organization_id)
        .order_by(uploads.c.id)
        .limit(BATCH)
        .with_for_update(of=uploads, skip_locked=True)
    )
    if not rows:
        return []
    attached = await transaction.all(
        select(upload_attachments.c.upload_id).where(
            upload_attachments.c.upload_id.in_([row.id for row in rows])
        )
    )
    still = {row.upload_id for row in attached}
    return [as_upload(row) for row in rows if row.id not in still]


async def erase_uploads_of(
    runtime: Runtime,
    transaction: Transaction,
    actors: Sequence[str],
    customer_id: UUID | None = None,
) -> int:
    """Delete every upload of a person in the caller's transaction; returns how many.

    The files go once that transaction has committed, through the outbox: a storage that is down
    delays them and loses none.
    """
    whose: list[ColumnElement[bool]] = [uploads.c.actor.in_(list(actors))]
    if customer_id is not None:
        whose.append(uploads.c.customer_id == customer_id)
    rows = await transaction.all(select(uploads).where(or_(*whose)))
    await forget(runtime, transaction, [as_upload(row) for row in rows])
    return len(rows)
