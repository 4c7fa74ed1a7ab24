"""Signed addresses of call recordings: bound to the organization, good for an hour."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from core.errors import NotFound
from core.runtime import Runtime
from core.security import keyed_hash
from services.conversations.calls import Recording, find_recording

LINK_SECONDS = 3600
LATEST_EXPIRY = 253_402_300_799


@dataclass(frozen=True)
class OpenedRecording:
    """What a valid link opens: a path of this machine, or an address elsewhere."""

    recording: Recording
    place: Path | str


def link_to_recording(runtime: Runtime, recording: Recording, base_url: str) -> str:
    """An address that plays a recording for `LINK_SECONDS`; whoever has it may."""
    expires_at = runtime.clock() + timedelta(seconds=LINK_SECONDS)
    place = runtime.storage.locate(recording.storage_key, expires_at)
    if isinstance(place, str):
        return place
    expires = int(expires_at.timestamp())
    query = {"expires": expires, "signature": _signature(runtime, recording, expires)}
    return f"{base_url.rstrip('/')}/api/voice/recordings/{recording.id}?{urlencode(query)}"


async def open_recording(
    runtime: Runtime, id: UUID, expires: int, signature: str
) -> OpenedRecording:
    """The recording behind a link; NotFound where it is expired, altered, or the file is gone."""
    refusal = NotFound("There is no such recording, or its link has expired; ask for a new one.")
    if not runtime.clock().timestamp() < expires <= LATEST_EXPIRY:
        raise refusal
    async with runtime.database.reading(None, every_organization=True) as transaction:
        recording = await find_recording(transaction, id)
    if recording is None:
        raise refusal
    expected = _signature(runtime, recording, expires)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise refusal
    expires_at = datetime.fromtimestamp(expires, UTC)
    return OpenedRecording(recording, runtime.storage.locate(recording.storage_key, expires_at))


def _signature(runtime: Runtime, recording: Recording, expires: int) -> str:
    signed = f"recording|{recording.organization_id}|{recording.id}|{expires}"
    return keyed_hash(runtime.settings.secret_key.get_secret_value(), signed)
