"""Addresses that open one file for a while: signed, bound to its organization, and expiring."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from sqlalchemy import select

from core.errors import NotFound
from core.runtime import Runtime
from core.security import keyed_hash
from services.uploads.tables import uploads
from services.uploads.uploads import Upload, as_upload, id_of

Variant = Literal["content", "thumbnail"]
LINK_SECONDS = 3600
# The last second that databases and dates know of.
LATEST_EXPIRY = 253_402_300_799


@dataclass(frozen=True)
class OpenedFile:
    """What a valid link opens: a path of this machine, or an address elsewhere."""

    upload: Upload
    variant: Variant
    place: Path | str
    expires_at: datetime

    @property
    def media_type(self) -> str:
        return self.upload.media_type if self.variant == "content" else "image/jpeg"

    @property
    def file_name(self) -> str:
        """A name of our own: the sender's is never used."""
        if self.variant == "thumbnail":
            return f"{self.upload.file_id}_thumbnail.jpg"
        return self.upload.storage_key.rpartition("/")[2]


def link_to(
    runtime: Runtime, upload: Upload, base_url: str, variant: Variant = "content"
) -> str | None:
    """An address of a file or of its thumbnail (None without one), good for `LINK_SECONDS`.

    Where storage gives addresses itself it is one of those, else one of `base_url`.
    """
    key = _key(upload, variant)
    if key is None:
        return None
    expires_at = runtime.clock() + timedelta(seconds=LINK_SECONDS)
    place = runtime.storage.locate(key, expires_at)
    if isinstance(place, str):
        return place
    expires = int(expires_at.timestamp())
    query = {"expires": expires, "signature": _signature(runtime, upload, variant, expires)}
    named = {"variant": variant, **query} if variant != "content" else query
    return f"{base_url.rstrip('/')}/api/files/{upload.file_id}?{urlencode(named)}"


async def open_link(
    runtime: Runtime, file_id: str, variant: Variant, expires: int, signature: str
) -> OpenedFile:
    """The file behind a link; NotFound where it is expired, altered, or the file is gone."""
    refusal = NotFound("There is no such file, or its link has expired; ask for a new one.")
    id = id_of(file_id)
    if id is None or not runtime.clock().timestamp() < expires <= LATEST_EXPIRY:
        raise refusal
    async with runtime.database.reading(None, every_organization=True) as transaction:
        row = await transaction.first(
            select(uploads).where(uploads.c.id == id, uploads.c.stored_at.is_not(None))
        )
    if row is None:
        raise refusal
    upload = as_upload(row)
    expected = _signature(runtime, upload, variant, expires)
    key = _key(upload, variant)
    if key is None or not hmac.compare_digest(expected.encode(), signature.encode()):
        raise refusal
    expires_at = datetime.fromtimestamp(expires, UTC)
    return OpenedFile(upload, variant, runtime.storage.locate(key, expires_at), expires_at)


def _key(upload: Upload, variant: Variant) -> str | None:
    return upload.storage_key if variant == "content" else upload.thumbnail_key


def _signature(runtime: Runtime, upload: Upload, variant: Variant, expires: int) -> str:
    signed = f"file|{upload.organization_id}|{upload.id}|{variant}|{expires}"
    return keyed_hash(runtime.settings.secret_key.get_secret_value(), signed)
