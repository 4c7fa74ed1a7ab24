"""What must happen after a commit, written in that same commit and done from there.

A row of `outbox` names a topic and a payload. A drainer in the process hands each row to the
handler of its topic, at least once; handlers are therefore idempotent. A failure waits longer
each time and is given up after `MAXIMUM_ATTEMPTS`, kept as a row with its error. A row carries
the id of the request that wrote it, and its handler logs under that id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index, Integer, String, Text, select, update

from core.database import Database, Transaction, UtcDateTime, organization_table
from core.telemetry import logger, request_id_variable

MAXIMUM_ATTEMPTS = 8
BATCH = 50
POLL_SECONDS = 0.5
LEASE_SECONDS = 60

outbox = organization_table(
    "outbox",
    Column("topic", String(80), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("last_error", Text),
    # Of the request that wrote the row; empty where none did (timers, the command line).
    Column("request_id", String(64), nullable=False, server_default=""),
    Index("ix_outbox_pending", "done_at", "due_at"),
    data_class="operational",
    erased_by="payloads hold ids only; done rows are purged",
)

Handler = Callable[[UUID, Mapping[str, Any]], Awaitable[None]]


class Outbox:
    """The drainer of one process, and the bell that wakes it after a commit."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[str, Handler] = {}
        self._bell = asyncio.Event()
        self._log = logger("core.outbox")

    def on(self, topic: str, handler: Handler) -> None:
        """Let `handler(organization_id, payload)` deal with a topic."""
        self._handlers[topic] = handler

    def off(self, topic: str) -> None:
        """Leave a topic to other processes."""
        self._handlers.pop(topic, None)

    @property
    def topics(self) -> frozenset[str]:
        """The topics that this process deals with; rows of others wait for another."""
        return frozenset(self._handlers)

    async def add(
        self,
        transaction: Transaction,
        topic: str,
        payload: Mapping[str, Any],
        *,
        id: UUID | None = None,
        organization_id: UUID | None = None,
    ) -> UUID:
        """Write a row in the caller's transaction; it is drained once that has committed.

        `id` is given where something else shall have the same; `organization_id` where the
        transaction reaches every organization.
        """
        now = self._clock()
        transaction.after_commit.append(self._bell.set)
        row = {
            "topic": topic,
            "payload": dict(payload),
            "created_at": now,
            "due_at": now,
            "request_id": request_id_variable.get(),
        }
        if id is not None:
            row["id"] = id
        if organization_id is not None:
            row["organization_id"] = organization_id
        return await transaction.insert(outbox, row)

    async def run(self) -> None:
        """Drain for as long as the process lives."""
        while True:
            try:
                if not await self.drain():
                    await self._wait()
            except asyncio.CancelledError:
                raise
            except Exception:
                self._log.exception("outbox_drain_failed")
                await asyncio.sleep(POLL_SECONDS)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return
        self._bell.clear()

    async def drain(self) -> int:
        """Deal with the rows that are due, oldest first; returns how many were taken."""
        rows = await self._claim()
        for row in rows:
            await self._deal_with(row)
        return len(rows)

    async def _claim(self) -> list[Any]:
        """Take due rows for a while: their due time moves on, so no other process takes them."""
        now = self._clock()
        due = (
            select(outbox)
            .where(outbox.c.done_at.is_(None), outbox.c.due_at <= now)
            .where(outbox.c.attempts < MAXIMUM_ATTEMPTS)
            .where(outbox.c.topic.in_(self._handlers))
            .order_by(outbox.c.id)
            .limit(BATCH)
        )
        async with self._database.reading(None, every_organization=True) as look:
            if not await look.all(due.with_only_columns(outbox.c.id).limit(1)):
                return []
        async with self._database.transaction(None, every_organization=True) as transaction:
            rows = list(await transaction.all(due.with_for_update(skip_locked=True)))
            if rows:
                await transaction.execute(
                    update(outbox)
                    .where(outbox.c.id.in_([row.id for row in rows]))
                    .values(
                        due_at=now + timedelta(seconds=LEASE_SECONDS),
                        attempts=outbox.c.attempts + 1,
                    )
                )
        return rows

    async def _deal_with(self, row: Any) -> None:
        token = request_id_variable.set(row.request_id)
        try:
            await self._hand_over(row)
        finally:
            request_id_variable.reset(token)

    async def _hand_over(self, row: Any) -> None:
        try:
            await self._handlers[row.topic](row.organization_id, row.payload)
        except Exception as error:
            self._log.exception("outbox_handler_failed", topic=row.topic, outbox_id=str(row.id))
            delay = timedelta(seconds=min(2**row.attempts, 600))
            values: dict[str, Any] = {
                "due_at": self._clock() + delay,
                "last_error": f"{type(error).__name__}: {error}"[:2000],
            }
        else:
            values = {"done_at": self._clock()}
        async with self._database.transaction(row.organization_id) as transaction:
            await transaction.execute(update(outbox).where(outbox.c.id == row.id).values(**values))
