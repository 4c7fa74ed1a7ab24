"""Erasing a person from rows, files and what is derived from them, and proving it.

Order matters: files first, while rows still name them; then all rows in one transaction, which
also notes what was done, so that a repeated step counts nothing twice; then the receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Text, delete, func, or_, select, update

from core.database import Transaction
from core.runtime import Runtime
from services.accounts.tables import memberships
from services.conversations.word_index import forget_deleted_words
from services.privacy import receipt
from services.privacy.people import Person, find_rows
from services.privacy.requests import read_request
from services.privacy.rules import TableRule, class_rules, table_rules
from services.privacy.tables import privacy_requests

BATCH = 500


async def erase_files(runtime: Runtime, organization_id: UUID, id: UUID) -> dict[str, Any]:
    """Delete the stored files of the person that a request is about."""
    async with runtime.database.reading(organization_id) as transaction:
        request = await read_request(transaction, id)
        if "files" in request.report:
            return dict(request.report["files"])
        keys = await file_keys(transaction, await find_rows(transaction, request.person))
    for key in keys:
        await runtime.storage.delete(key)
    done = {"deleted": len(keys)}
    async with runtime.database.transaction(organization_id) as transaction:
        await _note(transaction, id, "files", done)
    return done


async def file_keys(transaction: Transaction, found: Mapping[str, list[UUID]]) -> list[str]:
    """The storage keys that the found rows hold."""
    keys: list[str] = []
    for rule in table_rules():
        for ids in _batches(found.get(rule.name, [])):
            columns = [rule.table.c[name] for name in rule.files]
            if columns:
                rows = await transaction.all(select(*columns).where(rule.table.c.id.in_(ids)))
                keys += [key for row in rows for key in row if key]
    return keys


async def erase_rows(runtime: Runtime, organization_id: UUID, id: UUID) -> dict[str, Any]:
    """Delete or empty every row about the person, in one transaction."""
    async with runtime.database.transaction(organization_id) as transaction:
        request = await read_request(transaction, id)
        if "rows" in request.report:
            return dict(request.report["rows"])
        found = await find_rows(transaction, request.person)
        await _spare_shared_accounts(runtime, organization_id, found)
        done: dict[str, Any] = {"deleted": {}, "emptied": {}, "kept": {}}
        for rule in reversed(table_rules()):
            ids = found.get(rule.name, [])
            if ids:
                done[_DONE[rule.erase]][rule.name] = len(ids)
                for batch in _batches(ids):
                    await _erase(transaction, rule, batch)
        await forget_deleted_words(transaction)
        await _note(transaction, id, "rows", done)
    return done


_DONE = {"delete": "deleted", "empty": "emptied", "keep": "kept"}


async def _erase(transaction: Transaction, rule: TableRule, ids: list[UUID]) -> None:
    mine = rule.table.c.id.in_(ids)
    if rule.erase == "delete":
        await transaction.execute(delete(rule.table).where(mine))
    elif rule.erase == "empty":
        await transaction.execute(update(rule.table).where(mine).values(**rule.to))


async def _spare_shared_accounts(
    runtime: Runtime, organization_id: UUID, found: dict[str, list[UUID]]
) -> None:
    """An account that serves another shop too loses its membership here and stays."""
    elsewhere = select(memberships.c.user_id).where(
        memberships.c.user_id.in_(found.get("users", [])),
        memberships.c.organization_id != organization_id,
    )
    async with runtime.database.reading(None, every_organization=True) as look:
        shared = {row.user_id for row in await look.all(elsewhere)}
    if shared:
        found["users"] = [id for id in found["users"] if id not in shared]


async def write_receipt(runtime: Runtime, organization_id: UUID, id: UUID) -> dict[str, Any]:
    """Look for what is left, sign the receipt, and forget whom the request was about."""
    secret = runtime.settings.secret_key.get_secret_value()
    now = runtime.clock()
    async with runtime.database.transaction(organization_id) as transaction:
        request = await read_request(transaction, id)
        if request.receipt is not None:
            return {"receipt": str(id)}
        rows = request.report["rows"]
        signed = receipt.sign_receipt(
            secret,
            {
                "id": str(id),
                "organization_id": str(organization_id),
                "subject": receipt.hashed_person(secret, request.person),
                "requested_at": request.created_at.isoformat(),
                "completed_at": now.isoformat(),
                "deleted": rows["deleted"],
                "emptied": rows["emptied"],
                "kept": _kept(runtime, {**rows["emptied"], **rows["kept"]}),
                "files": request.report["files"],
                "vectors": {
                    "mentions": await _mentions(transaction, "documents", request.person),
                    "note": receipt.VECTORS,
                },
                "left_over": await left_over(transaction, request.person),
                "cache": receipt.CACHE,
                "logs": receipt.LOGS,
                "backups": receipt.BACKUPS,
            },
        )
        await transaction.execute(
            update(privacy_requests)
            .where(privacy_requests.c.id == id)
            .values(receipt=signed, subject={}, finished_at=now)
        )
    return {"receipt": str(id)}


def _kept(runtime: Runtime, counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """What stays of the person's rows, why, and for how many days after their own age."""
    classes = class_rules(runtime.settings)
    return [
        {
            "table": rule.name,
            "rows": counted[rule.name],
            "why": rule.kept,
            "days": classes[rule.data_class].days,
        }
        for rule in table_rules()
        if rule.kept and rule.name in counted
    ]


async def left_over(transaction: Transaction, person: Person) -> dict[str, int]:
    """Rows of any table that still contain an address or number of the person, by table."""
    counted = {
        rule.name: await _mentions(transaction, rule.name, person)
        for rule in table_rules()
        if rule.name not in {"documents", "passages", "privacy_requests"}
    }
    return {name: count for name, count in counted.items() if count}


async def _mentions(transaction: Transaction, table: str, person: Person) -> int:
    """How many rows of a table contain an address or number of the person."""
    rule = next(rule for rule in table_rules() if rule.name == table)
    texts = [column for column in rule.table.c if isinstance(column.type, String | Text)]
    searched = [text for text in (*person.emails, *person.phones) if text]
    conditions: list[ColumnElement[bool]] = [
        func.lower(column).contains(text.lower(), autoescape=True)
        for column in texts
        for text in searched
    ]
    if not conditions:
        return 0
    count = select(func.count()).select_from(rule.table).where(or_(*conditions))
    return int(await transaction.scalar(count))


async def _note(transaction: Transaction, id: UUID, what: str, done: dict[str, Any]) -> None:
    request = await read_request(transaction, id)
    await transaction.execute(
        update(privacy_requests)
        .where(privacy_requests.c.id == id)
        .values(report={**request.report, what: done})
    )


def _batches(ids: list[UUID]) -> list[list[UUID]]:
    return [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
