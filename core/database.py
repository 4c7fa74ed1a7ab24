"""How rows are declared, scoped to an organization, and written in one transaction.

Tables are declared with `organization_table` (each row belongs to an organization) or
`global_table`. A `Transaction` adds the organization to every statement that it executes: code
above this module can neither forget the scope nor reach another organization's rows. Nothing
outside this module commits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    MetaData,
    Row,
    Table,
    Uuid,
    event,
    make_url,
)
from sqlalchemy.engine import CursorResult, Dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Delete, Insert, Select, Update, insert, visitors
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.selectable import Alias, FromClause, SelectBase, Subquery
from sqlalchemy.types import TypeDecorator

from core.errors import ServiceUnavailable
from core.sqlite import connect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SQLITE_BUSY_TIMEOUT_MS = 5_000

Statement = Select[Any] | Update | Delete


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; aware on both databases (SQLite keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


def new_id() -> UUID:
    """A UUIDv7: unique, and ordered by time of creation."""
    return uuid_utils.compat.uuid7()


def global_table(name: str, *columns: Any, data_class: str, erased_by: str) -> Table:
    """Declare a table whose rows belong to no single organization.

    `data_class` says how long rows are kept, `erased_by` how a person is erased from them.
    """
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        *columns,
        info={"data_class": data_class, "erased_by": erased_by},
    )


def organization_table(name: str, *columns: Any, data_class: str, erased_by: str) -> Table:
    """Declare a table each row of which belongs to an organization."""
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column(
            "organization_id",
            ForeignKey("organizations.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        *columns,
        info={"data_class": data_class, "erased_by": erased_by},
    )


def _tables_of(statement: Statement) -> list[FromClause]:
    """The tables and aliases that a statement reads or writes; a nested query is refused.

    `Select.get_final_froms` would compile the statement, which costs more than running it.
    """
    found: dict[FromClause, None] = {}
    for node in visitors.iterate(statement):
        if node is statement:
            continue
        if isinstance(node, SelectBase | Subquery):
            raise TypeError("a nested query cannot be scoped; join its tables instead")
        source = node.table if isinstance(node, ColumnClause) else node
        if isinstance(source, Table | Alias):
            found[source] = None
    return list(found)


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


class Transaction:
    """Statements that commit together, all within one organization.

    With `organization_id` None only global tables may be touched, unless the transaction was
    opened with `every_organization=True` (start-up, drainer, retention).
    """

    def __init__(
        self,
        connection: AsyncConnection,
        organization_id: UUID | None,
        every_organization: bool = False,
    ) -> None:
        self.connection = connection
        self.organization_id = organization_id
        self.every_organization = every_organization
        self.after_commit: list[Callable[[], None]] = []

    def scoped(self, statement: Statement) -> Statement:
        """Return the statement restricted to this transaction's organization."""
        if self.every_organization:
            return statement
        owned = [table for table in _tables_of(statement) if "organization_id" in table.c]
        if not owned:
            return statement
        if self.organization_id is None:
            raise TypeError("this statement touches an organization's rows; open its transaction")
        return statement.where(
            *(table.c.organization_id == self.organization_id for table in owned)
        )

    async def execute(self, statement: Statement) -> CursorResult[Any]:
        """Run a select, update or delete within the organization."""
        return await self.connection.execute(self.scoped(statement))

    async def first(self, statement: Statement) -> Row[Any] | None:
        return (await self.execute(statement)).first()

    async def all(self, statement: Statement) -> Sequence[Row[Any]]:
        return (await self.execute(statement)).all()

    async def scalar(self, statement: Select[Any]) -> Any:
        return (await self.execute(statement)).scalar()

    async def insert(self, table: Table, values: Mapping[str, Any]) -> UUID:
        """Insert one row; its `id` (made here unless given) is returned."""
        row = self._owned_row(table, values)
        # Values as parameters, not in the statement: it is built and hashed once, not each time.
        await self.connection.execute(_insert_into(table), row)
        return UUID(str(row["id"]))

    async def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            await self.connection.execute(
                _insert_into(table), [self._owned_row(table, row) for row in rows]
            )

    def _owned_row(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        row = {"id": new_id(), **values}
        if "organization_id" in table.c:
            if self.organization_id is not None:
                row["organization_id"] = self.organization_id
            if "organization_id" not in row:
                raise TypeError("this row belongs to an organization; open its transaction")
        return row


class Database:
    """The one engine of a process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @asynccontextmanager
    async def transaction(
        self, organization_id: UUID | None, *, every_organization: bool = False
    ) -> AsyncIterator[Transaction]:
        """Open a transaction, commit at the end, roll back on any error.

        Raises ServiceUnavailable when the database cannot be reached.
        """
        try:
            async with self.engine.begin() as connection:
                transaction = Transaction(connection, organization_id, every_organization)
                yield transaction
        except (OperationalError, InterfaceError, ConnectionError) as error:
            raise ServiceUnavailable(
                "The database cannot be reached; try again in a moment."
            ) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise ServiceUnavailable(
                    "The database connection was lost; try again in a moment."
                ) from error
            raise
        for callback in transaction.after_commit:
            callback()

    @asynccontextmanager
    async def reading(
        self, organization_id: UUID | None, *, every_organization: bool = False
    ) -> AsyncIterator[Transaction]:
        """Open a transaction that writes nothing; on SQLite it takes no write lock."""
        try:
            async with self.engine.connect() as connection:
                connection = await connection.execution_options(read_only=True)
                yield Transaction(connection, organization_id, every_organization)
        except (OperationalError, InterfaceError, ConnectionError) as error:
            raise ServiceUnavailable(
                "The database cannot be reached; try again in a moment."
            ) from error

    async def close(self) -> None:
        await self.engine.dispose()


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """WAL, foreign keys, and write transactions that take their lock at once.

    The driver must not open transactions itself: a lock taken late fails with SQLITE_BUSY
    whatever the timeout.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def open_database(url: str) -> Database:
    """Open the engine for a `sqlite+aiosqlite` or `postgresql+asyncpg` address."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    sqlite = parsed.get_backend_name() == "sqlite"
    engine = create_async_engine(
        parsed,
        connect_args={"async_creator_fn": connect} if sqlite else {},
        json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
        json_deserializer=orjson.loads,
        pool_pre_ping=parsed.get_backend_name() == "postgresql",
        pool_size=10,
        max_overflow=10,
    )
    if parsed.get_backend_name() == "sqlite":
        _prepare_sqlite(engine)
    return Database(engine)
