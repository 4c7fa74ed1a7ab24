"""Which rows have been kept long enough, and their removal; the same rules for a dry run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, update

from core.database import Transaction
from core.runtime import Runtime
from core.settings import Settings
from services.conversations.word_index import forget_deleted_words
from services.privacy.rules import ClassRule, TableRule, class_rules, table_rules
from services.privacy.tables import privacy_requests

BATCH = 500


@dataclass(frozen=True)
class Retention:
    """One data class: how long it is kept, and what a run would remove now, by table."""

    rule: ClassRule
    due: dict[str, int]


async def due_rows(transaction: Transaction, settings: Settings, now: datetime) -> list[Retention]:
    """What a run would remove now; nothing is changed."""
    found = []
    for rule in class_rules(settings).values():
        due = {}
        for table in table_rules():
            old = _old(table, rule, now)
            if table.data_class == rule.name and old is not None:
                due[table.name] = await _count(transaction, table, old)
        found.append(Retention(rule, due))
    return found


async def _count(transaction: Transaction, table: TableRule, old: ColumnElement[bool]) -> int:
    count = select(func.count()).select_from(table.table).where(old)
    return int(await transaction.scalar(count))


def _old(table: TableRule, rule: ClassRule, now: datetime) -> ColumnElement[bool] | None:
    """Which rows of a table are older than its class allows; None where age does not count."""
    if table.age is None or rule.days is None:
        return None
    columns = table.table.c
    conditions = [columns[table.age] < now - timedelta(days=rule.days)]
    conditions += [columns[name].in_(values) for name, values in table.only.items()]
    return and_(*conditions)


async def remove_old_rows(runtime: Runtime, organization_id: UUID) -> dict[str, int]:
    """Remove what has been kept long enough, a few rows at a time; counts by table."""
    now = runtime.clock()
    classes = class_rules(runtime.settings)
    removed: dict[str, int] = {}
    for table in reversed(table_rules()):
        old = _old(table, classes[table.data_class], now)
        if old is None:
            continue
        count = 0
        while batch := await _remove_batch(runtime, organization_id, table, old):
            count += batch
        if count:
            removed[table.name] = count
    if removed:
        async with runtime.database.transaction(organization_id) as transaction:
            await forget_deleted_words(transaction)
    return removed


async def _remove_batch(
    runtime: Runtime, organization_id: UUID, table: TableRule, old: ColumnElement[bool]
) -> int:
    """Remove up to a batch of old rows with their files, in one short transaction."""
    async with runtime.database.transaction(organization_id) as transaction:
        columns: list[Any] = [table.table.c.id, *(table.table.c[name] for name in table.files)]
        rows = await transaction.all(select(*columns).where(old).limit(BATCH))
        if not rows:
            return 0
        ids = [row.id for row in rows]
        await transaction.execute(delete(table.table).where(table.table.c.id.in_(ids)))
    keys = [getattr(row, name) for row in rows for name in table.files]
    for key in filter(None, keys):
        await runtime.storage.delete(key)
    return len(rows)


async def count_old_exports(transaction: Transaction, now: datetime, days: int) -> int:
    """How many archives of exports were made longer ago than that."""
    old = _old_exports(now, days)
    return int(await transaction.scalar(select(func.count(privacy_requests.c.id)).where(old)))


def _old_exports(now: datetime, days: int) -> ColumnElement[bool]:
    made_before = privacy_requests.c.finished_at < now - timedelta(days=days)
    return and_(made_before, privacy_requests.c.file_key.is_not(None))


async def remove_old_exports(runtime: Runtime, organization_id: UUID, days: int) -> int:
    """Delete the archives of exports that were made long enough ago."""
    columns = (privacy_requests.c.id, privacy_requests.c.file_key)
    async with runtime.database.reading(organization_id) as look:
        rows = await look.all(select(*columns).where(_old_exports(runtime.clock(), days)))
    for row in rows:
        await runtime.storage.delete(row.file_key)
        async with runtime.database.transaction(organization_id) as transaction:
            await transaction.execute(
                update(privacy_requests)
                .where(privacy_requests.c.id == row.id)
                .values(file_key=None)
            )
    return len(rows)
