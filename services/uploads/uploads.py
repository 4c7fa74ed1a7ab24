"""Files that people send: kept, found by who may see them, and given up.

A row stands before its file, and what a deleted row leaves in storage is removed through the
outbox: whenever a process dies, no file is left that nobody knows of.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, or_, select, update

from core.database import Transaction, new_id
from core.errors import InvalidRequest, NotFound
from core.providers.media import MediaWorkers, PreparedFile
from core.runtime import Runtime
from core.security import Principal
from services.uploads.tables import uploads

PREFIX = "upload_"
MAXIMUM_DESCRIPTION_LENGTH = 1_000
ERASED_TOPIC = "upload.erased"
# Keys of one outbox row.
KEYS_AT_ONCE = 100


@dataclass(frozen=True)
class Upload:
    """A file that was sent; `file_id` is what it is called by."""

    id: UUID
    organization_id: UUID
    actor: str
    description: str
    media_type: str
    size_bytes: int
    storage_key: str
    thumbnail_key: str | None
    width: int | None
    height: int | None
    duration_seconds: float | None
    sharpness: float | None
    brightness: float | None
    created_at: datetime

    @property
    def file_id(self) -> str:
        return file_id_of(self.id)


def file_id_of(id: UUID) -> str:
    return PREFIX + id.hex


def id_of(file_id: str) -> UUID | None:
    """The row of a file id, None for what is none: `upload_` and 32 hexadecimal digits."""
    digits = file_id.removeprefix(PREFIX)
    if digits == file_id or len(digits) != 32 or not digits.isalnum():
        return None
    try:
        return UUID(hex=digits)
    except ValueError:
        return None


async def keep_upload(
    runtime: Runtime,
    principal: Principal,
    file: BinaryIO,
    announced_type: str,
    description: str,
) -> Upload:
    """Check a file that someone sent and keep what may be kept of it.

    Raises UnsupportedMedia, PayloadTooLarge and InvalidRequest for a file that is not taken, and
    ServiceUnavailable where it cannot be stored now: then nothing is kept of it.
    """
    principal.require("chat:write")
    if len(description) > MAXIMUM_DESCRIPTION_LENGTH:
        raise InvalidRequest(
            f"A description has at most {MAXIMUM_DESCRIPTION_LENGTH} characters.",
            {"field": "description"},
        )
    workers: MediaWorkers = runtime.parts.setdefault(MediaWorkers, MediaWorkers())
    with tempfile.TemporaryDirectory(prefix="mdf-upload-") as folder:
        prepared = await workers.prepare(file, announced_type, Path(folder))
        upload = await _register(runtime, principal, prepared, description.strip())
        try:
            await _store(runtime, upload, prepared)
        except BaseException:
            await _give_up(runtime, upload)
            raise
    return upload


async def _register(
    runtime: Runtime, principal: Principal, prepared: PreparedFile, description: str
) -> Upload:
    """Write the row that says which files are about to be stored."""
    id, now = new_id(), runtime.clock()
    stem = f"{principal.organization_id.hex}/{now:%Y/%m}/{file_id_of(id)}"
    values: dict[str, Any] = {
        "id": id,
        "actor": principal.actor,
        "customer_id": principal.customer_id,
        "description": description,
        "media_type": prepared.media_type,
        "size_bytes": prepared.size_bytes,
        "storage_key": f"{stem}{prepared.extension}",
        "thumbnail_key": f"{stem}_thumbnail.jpg" if prepared.thumbnail else None,
        "width": prepared.width,
        "height": prepared.height,
        "duration_seconds": prepared.duration_seconds,
        "sharpness": prepared.sharpness,
        "brightness": prepared.brightness,
        "created_at": now,
    }
    async with runtime.database.transaction(principal.organization_id) as transaction:
        await transaction.insert(uploads, values)
    values.pop("customer_id")
    return Upload(organization_id=principal.organization_id, **values)


async def _store(runtime: Runtime, upload: Upload, prepared: PreparedFile) -> None:
    await runtime.storage.write_file(upload.storage_key, prepared.path)
    if prepared.thumbnail is not None and upload.thumbnail_key is not None:
        await runtime.storage.write_file(upload.thumbnail_key, prepared.thumbnail)
    async with runtime.database.transaction(upload.organization_id) as transaction:
        await transaction.execute(
            update(uploads).where(uploads.c.id == upload.id).values(stored_at=runtime.clock())
        )


async def _give_up(runtime: Runtime, upload: Upload) -> None:
    """Take back what could not be stored; where even that fails, it is an orphan from now on."""
    async with runtime.database.transaction(upload.organization_id) as transaction:
        await forget(runtime, transaction, [upload])


async def find_upload(transaction: Transaction, file_id: str, principal: Principal) -> Upload:
    """An upload that the caller may see; NotFound for another's or none."""
    found = await find_uploads(transaction, [file_id], principal)
    if not found:
        raise NotFound("There is no such file.")
    return found[0]


async def find_uploads(
    transaction: Transaction, file_ids: Sequence[str], principal: Principal
) -> list[Upload]:
    """Those of some uploads that the caller may see, in the order of the ids, each once."""
    ids = [id for file_id in file_ids if (id := id_of(file_id)) is not None]
    if not ids:
        return []
    statement = select(uploads).where(uploads.c.id.in_(ids), uploads.c.stored_at.is_not(None))
    visible = _visible_to(principal)
    if visible is not None:
        statement = statement.where(visible)
    found = {row.id: as_upload(row) for row in await transaction.all(statement)}
    return [found[id] for id in dict.fromkeys(ids) if id in found]


def _visible_to(principal: Principal) -> ColumnElement[bool] | None:
    """One's own; for members of staff who may read every ticket, all of the organization's."""
    if principal.may("tickets:read:all") or principal.may("tickets:manage"):
        return None
    own = uploads.c.actor == principal.actor
    if principal.customer_id is None:
        return own
    return or_(own, uploads.c.customer_id == principal.customer_id)


async def forget(runtime: Runtime, transaction: Transaction, given_up: Sequence[Upload]) -> None:
    """Delete rows of one organization; their files follow once that has committed."""
    if not given_up:
        return
    await transaction.execute(
        delete(uploads).where(uploads.c.id.in_([upload.id for upload in given_up]))
    )
    keys = [key for one in given_up for key in (one.storage_key, one.thumbnail_key) if key]
    for start in range(0, len(keys), KEYS_AT_ONCE):
        payload = {"keys": keys[start : start + KEYS_AT_ONCE]}
        await runtime.outbox.add(transaction, ERASED_TOPIC, payload)


def remove_erased_files(runtime: Runtime) -> None:
    """Let this process remove the files of deleted rows; call once when the product opens."""

    async def remove(organization_id: UUID, payload: Mapping[str, Any]) -> None:
        for key in payload["keys"]:
            await runtime.storage.delete(key)

    runtime.outbox.on(ERASED_TOPIC, remove)


def as_upload(row: Row[Any]) -> Upload:
    return Upload(**{item.name: getattr(row, item.name) for item in fields(Upload)})
