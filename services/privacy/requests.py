"""Requests to export or to erase a person: written down, done as jobs, read with their receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, func, select

from core.database import Transaction, new_id
from core.errors import NotFound
from core.jobs import submit_job
from core.outbox import Outbox
from services.privacy.people import Person, person_from_json
from services.privacy.tables import privacy_requests

RequestKind = Literal["export", "erasure"]
EXPORT_JOB = "privacy_export"
ERASURE_JOB = "privacy_erasure"
JOB_OF: dict[RequestKind, str] = {"export": EXPORT_JOB, "erasure": ERASURE_JOB}


@dataclass(frozen=True)
class PrivacyRequest:
    """One request; `receipt` is there once an erasure is done, `file_key` once an export is."""

    id: UUID
    kind: RequestKind
    subject: Mapping[str, list[str]]
    requested_by: str
    report: Mapping[str, Any]
    receipt: Mapping[str, Any] | None
    file_key: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def person(self) -> Person:
        """Whom it is about; nobody any more once it is finished."""
        return person_from_json(self.subject) if self.subject else Person()


async def note_request(
    transaction: Transaction,
    kind: RequestKind,
    person: Person,
    *,
    requested_by: str,
    now: datetime,
    id: UUID | None = None,
) -> UUID:
    """Write a request down without beginning it."""
    row = {
        "id": id or new_id(),
        "kind": kind,
        "subject": person.as_json(),
        "requested_by": requested_by,
        "report": {},
        "created_at": now,
    }
    return await transaction.insert(privacy_requests, row)


async def submit_request(
    transaction: Transaction,
    outbox: Outbox,
    kind: RequestKind,
    person: Person,
    *,
    requested_by: str,
    now: datetime,
) -> PrivacyRequest:
    """Write a request down with the job, of the same id, that deals with it."""
    id = await submit_job(transaction, outbox, JOB_OF[kind], {}, now=now, created_by=requested_by)
    await note_request(transaction, kind, person, requested_by=requested_by, now=now, id=id)
    return await read_request(transaction, id)


async def read_request(
    transaction: Transaction, id: UUID, kind: RequestKind | None = None
) -> PrivacyRequest:
    """The request of an id; raises NotFound."""
    row = await transaction.first(select(privacy_requests).where(privacy_requests.c.id == id))
    if row is None or (kind is not None and row.kind != kind):
        raise NotFound("There is no such request.")
    return _request(row)


async def list_requests(
    transaction: Transaction, kind: RequestKind, limit: int, offset: int
) -> tuple[list[PrivacyRequest], int]:
    """A page of requests of one kind, newest first, and how many there are."""
    mine = privacy_requests.c.kind == kind
    total = await transaction.scalar(select(func.count()).select_from(privacy_requests).where(mine))
    newest = select(privacy_requests).where(mine).order_by(privacy_requests.c.id.desc())
    rows = await transaction.all(newest.limit(limit).offset(offset))
    return [_request(row) for row in rows], int(total)


def _request(row: Row[Any]) -> PrivacyRequest:
    return PrivacyRequest(
        **{name: getattr(row, name) for name in PrivacyRequest.__dataclass_fields__}
    )
