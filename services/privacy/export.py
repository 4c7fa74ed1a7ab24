"""What is known of a person, as one document, or as an archive with their files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update

from core.database import Transaction
from core.runtime import Runtime
from services.privacy.erasure import file_keys
from services.privacy.people import Person, find_rows
from services.privacy.requests import read_request
from services.privacy.rules import TableRule, table_rules
from services.privacy.tables import privacy_requests

MAXIMUM_FILES_BYTES = 200 * 1024 * 1024


async def person_document(
    transaction: Transaction, person: Person, now: datetime
) -> dict[str, Any]:
    """Every row about a person by table, without secrets; ids and times as text."""
    found = await find_rows(transaction, person)
    tables = {rule.name: await _rows(transaction, rule, found) for rule in table_rules()}
    return {
        "exported_at": now.isoformat(),
        "known_as": {name: values for name, values in person.as_json().items() if values},
        "data": {name: rows for name, rows in tables.items() if rows},
    }


async def _rows(
    transaction: Transaction, rule: TableRule, found: Mapping[str, list[UUID]]
) -> list[dict[str, Any]]:
    ids = found.get(rule.name)
    if not ids:
        return []
    shown = [column for column in rule.table.c if column.name not in rule.hide]
    rows = await transaction.all(
        select(*shown).where(rule.table.c.id.in_(ids)).order_by(rule.table.c.id)
    )
    names = [str(column.name) for column in shown]
    plain = [dict(zip(names, row, strict=True)) for row in rows]
    found_rows: list[dict[str, Any]] = orjson.loads(orjson.dumps(plain, default=str))
    return found_rows


async def write_archive(runtime: Runtime, organization_id: UUID, id: UUID) -> dict[str, Any]:
    """Store a ZIP archive of a person's document and files; the request says where."""
    now = runtime.clock()
    async with runtime.database.reading(organization_id) as transaction:
        request = await read_request(transaction, id)
        if request.file_key is not None:
            return {"request": str(id)}
        document = await person_document(transaction, request.person, now)
        keys = await file_keys(transaction, await find_rows(transaction, request.person))
    content, files = await _archive(runtime, document, keys)
    key = f"exports/{organization_id}/{id}.zip"
    await runtime.storage.write(key, content)
    async with runtime.database.transaction(organization_id) as transaction:
        await transaction.execute(
            update(privacy_requests)
            .where(privacy_requests.c.id == id)
            .values(
                file_key=key,
                subject={},
                report={
                    "rows": {name: len(rows) for name, rows in document["data"].items()},
                    "files": files,
                },
                finished_at=now,
            )
        )
    return {"request": str(id)}


async def _archive(
    runtime: Runtime, document: Mapping[str, Any], keys: list[str]
) -> tuple[bytes, int]:
    """The archive's bytes, and how many files are in it beside the document."""
    buffer, files, size_bytes = io.BytesIO(), 0, 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", orjson.dumps(document, option=orjson.OPT_INDENT_2))
        for key in keys:
            try:
                content = await runtime.storage.read(key)
            except FileNotFoundError:
                continue
            size_bytes += len(content)
            if size_bytes > MAXIMUM_FILES_BYTES:
                break
            archive.writestr(f"files/{key}", content)
            files += 1
    return buffer.getvalue(), files
