"""How several processes search one index: one of them indexes, the others follow it.

Who indexes holds a lock in the database that ends with its connection; the others look every
`LOOK_SECONDS` at what has changed, and one of them takes over when the lock is free. Vectors are
on a server that all share, and those of a small index in the memory of each too; words are in the
memory of each.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.runtime import Runtime
from core.telemetry import logger
from knowledge.corpus import known_documents
from knowledge.dense import dense_index
from knowledge.documents import DOCUMENT_CHANGED, DOCUMENT_DELETED
from knowledge.index import Knowledge
from knowledge.tables import documents, knowledge_indexes

LOOK_SECONDS = 1.0
# Any number that nothing else in the database locks.
INDEXING_LOCK = 7_236_411_026

_log = logger("knowledge.sharing")


class SharedIndex:
    """This process's part in an index that it shares."""

    def __init__(self, runtime: Runtime, knowledge: Knowledge) -> None:
        self._runtime = runtime
        self._knowledge = knowledge
        self._lock: AsyncConnection | None = None
        self._seen: dict[UUID, tuple[int, datetime]] = {}
        self._versions: dict[UUID, dict[UUID, datetime]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_indexing(self) -> bool:
        return self._lock is not None

    async def open(self) -> None:
        """Take part; a process that follows has read everything when this returns."""
        await self._look()
        self._task = asyncio.create_task(self._run(), name="shared index")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._let_go()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception as error:
                _log.warning("shared_index_not_read", error=type(error).__name__)
                await self._let_go()

    async def _look(self) -> None:
        if await self._holds_lock():
            await self._adopt_collections()
            return
        await self._adopt_documents()
        await self._adopt_collections()

    async def _holds_lock(self) -> bool:
        """Whether this process indexes; begins to where no other does."""
        if self._lock is not None:
            # A connection that is lost has lost the lock as well: this raises.
            await self._lock.execute(text("SELECT 1"))
            return True
        connection = await self._runtime.database.engine.connect()
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        taken = await connection.execute(text(f"SELECT pg_try_advisory_lock({INDEXING_LOCK})"))
        if not taken.scalar():
            await connection.close()
            return False
        self._lock = connection
        self._runtime.vectors.write_alone(True)
        await self._adopt_documents()
        await self._adopt_collections()
        outbox = self._runtime.outbox
        outbox.on(DOCUMENT_CHANGED, self._knowledge.on_document_changed)
        outbox.on(DOCUMENT_DELETED, self._knowledge.on_document_deleted)
        # An index that is not recorded yet is made now.
        self._knowledge.check_in_background()
        _log.info("indexing_here")
        return True

    async def _let_go(self) -> None:
        connection, self._lock = self._lock, None
        if connection is None:
            return
        self._runtime.vectors.write_alone(False)
        outbox = self._runtime.outbox
        outbox.off(DOCUMENT_CHANGED)
        outbox.off(DOCUMENT_DELETED)
        with suppress(Exception):
            # Not back into the pool: the lock belongs to the connection.
            await connection.invalidate()
            await connection.close()

    async def _adopt_documents(self) -> None:
        """Read what others have written since the last look."""
        counted = select(
            documents.c.organization_id, func.count(), func.max(documents.c.updated_at)
        ).group_by(documents.c.organization_id)
        database = self._runtime.database
        async with database.reading(None, every_organization=True) as transaction:
            rows: Any = await transaction.all(counted)
        now = {row[0]: (row[1], row[2]) for row in rows}
        for organization_id in now.keys() | self._seen.keys():
            if now.get(organization_id) != self._seen.get(organization_id):
                await self._adopt_changes(organization_id)
        self._seen = now

    async def _adopt_changes(self, organization_id: UUID) -> None:
        statement = select(documents.c.id, documents.c.updated_at)
        former = self._versions.get(organization_id)
        async with self._runtime.database.reading(organization_id) as transaction:
            versions = {row.id: row.updated_at for row in await transaction.all(statement)}
            changed = [id for id, at in versions.items() if (former or {}).get(id) != at]
            if former is None:
                # What was read at the start, in one statement.
                known = await known_documents(transaction)
            else:
                known = [one for id in changed for one in await known_documents(transaction, id)]
        self._versions[organization_id] = versions
        present = set(self._knowledge.corpus(organization_id).documents)
        gone = (present - versions.keys()) | (set(changed) - {one.id for one in known})
        await self._knowledge.adopt(organization_id, known, gone)

    async def _adopt_collections(self) -> None:
        """Search the collections that the indexing process has recorded, as they are now."""
        table = knowledge_indexes.c
        statement = select(table.organization_id, table.collection, table.version).where(
            table.encoder == self._runtime.passage_encoder.name
        )
        async with self._runtime.database.reading(None, every_organization=True) as transaction:
            rows: Any = await transaction.all(statement)
        anew = [row.collection for row in rows if not self._has(row)]
        if anew:
            await self._adopt_anew(anew)
        if not self.is_indexing:
            await self._runtime.vectors.follow({row.collection: row.version for row in rows})

    def _has(self, row: Any) -> bool:
        vectors = self._knowledge.vectors(row.organization_id)
        present = vectors.ready or (vectors.recorded if self.is_indexing else None)
        return present is not None and present.collection == row.collection

    async def _adopt_anew(self, collections: list[str]) -> None:
        statement = select(knowledge_indexes).where(knowledge_indexes.c.collection.in_(collections))
        async with self._runtime.database.reading(None, every_organization=True) as transaction:
            rows: Any = await transaction.all(statement)
        for row in rows:
            vectors = self._knowledge.vectors(row.organization_id)
            recorded = dense_index(row, self._runtime.passage_encoder.dimensions)
            vectors.recorded = recorded
            if not self.is_indexing:
                vectors.ready = recorded
        if self.is_indexing:
            self._knowledge.check_in_background()
