"""What people do about their own data, without an administrator: read it, erase it."""

from __future__ import annotations

from typing import Any

from core.runtime import Runtime
from core.security import Principal
from services.privacy.erasure import erase_files, erase_rows, write_receipt
from services.privacy.export import person_document
from services.privacy.people import person_of
from services.privacy.requests import note_request, read_request


async def export_own_data(runtime: Runtime, principal: Principal) -> dict[str, Any]:
    """Everything that is known of the caller, as one document."""
    async with runtime.database.reading(principal.organization_id) as transaction:
        person = await person_of(transaction, principal)
        return await person_document(transaction, person, runtime.clock())


async def erase_own_data(runtime: Runtime, principal: Principal) -> dict[str, Any]:
    """Erase the caller and return the signed receipt; their tokens open nothing afterwards.

    Raises Conflict for a member of staff, who is an administrator's to remove.
    """
    organization_id = principal.organization_id
    async with runtime.database.transaction(organization_id) as transaction:
        id = await note_request(
            transaction,
            "erasure",
            await person_of(transaction, principal),
            requested_by=principal.actor,
            now=runtime.clock(),
        )
    await erase_files(runtime, organization_id, id)
    await erase_rows(runtime, organization_id, id)
    await write_receipt(runtime, organization_id, id)
    async with runtime.database.reading(organization_id) as transaction:
        request = await read_request(transaction, id, "erasure")
    return dict(request.receipt or {})
