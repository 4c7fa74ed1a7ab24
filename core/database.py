"""How rows are declared, scoped to an organization, and written in one transaction.

Tables are declared with `organization_table` (each row belongs to an organization) or
`global_table`. A `Transaction` adds the organization to every statement that it executes: code
above this module can neither forget the scope nor reach another organization's rows. Nothing
outside this module commits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast
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
    bindparam,
    make_url,
)
from sqlalchemy.engine import CursorResult, Dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Delete, Insert, Select, Update, insert, visitors
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.sql.selectable import Alias, FromClause, SelectBase, Subquery
from sqlalchemy.types import TypeDecorator

from core import postgresql, sqlite
from core.errors import ServiceUnavailable
from core.postgresql_writes import (
    DeferredWrite,
    NothingChanged,
    fetch_all,
    fetch_first,
    write_together,
)
from core.prepared_statements import Observer
from core.sqlite_writer import SQLiteWriter, select_rows

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

UNREACHABLE = "The database cannot be reached; try again in a moment."
CONNECTION_LOST = "The database connection was lost; try again in a moment."

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


def organization_table(
    name: str,
    *columns: Any,
    data_class: str,
    erased_by: str,
    organization_index: bool = True,
) -> Table:
    """Declare a table each row of which belongs to an organization.

    Without `organization_index` where a turn writes rows and nothing asks for all of an
    organization, or another index begins with it: an index costs each row that is written.
    """
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column(
            "organization_id",
            ForeignKey("organizations.id", ondelete="CASCADE"),
            nullable=False,
            index=organization_index,
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


@cache
def _defaults(table: Table) -> dict[str, Any]:
    """The values that columns have where a row says nothing: written out, they need no help."""
    return {
        column.name: column.default.arg
        for column in table.c
        if isinstance(column.default, ScalarElementColumnDefault)
    }


@lru_cache(maxsize=1024)
def _scoped_once(statement: Statement) -> Statement:
    """A constant statement with the organization as a parameter: built and hashed once."""
    return statement.where(
        *(
            table.c.organization_id == bindparam("scope_organization_id")
            for table in _tables_of(statement)
            if "organization_id" in table.c
        )
    )


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
        writer: SQLiteWriter | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.connection = connection
        self.organization_id = organization_id
        self.every_organization = every_organization
        self.after_commit: list[Callable[[], None]] = []
        self._writer = writer
        self._observers = observers
        self._deferred: list[DeferredWrite] = []
        # SQLite runs on the event loop: no greenlet is needed to wait for it.
        self._on_loop = connection.dialect.name == "sqlite"

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

    async def execute(
        self, statement: Statement, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run a select, update or delete within the organization.

        With `parameters` the statement must be a constant with `bindparam`s: its scoped form is
        kept, which saves most of what a statement costs.
        """
        if parameters is None:
            return await self._run(self.scoped(statement))
        return await self._run(*self._constant(statement, parameters))

    async def _run(
        self,
        statement: Statement | Insert,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        if self._deferred:
            await self._write_deferred()
        connection = self.connection
        if self._writer is not None and isinstance(parameters, dict):
            if isinstance(statement, Insert | Update | Delete):
                written = self._writer.write(statement, parameters)
                if written is not None:
                    return cast(CursorResult[Any], written)
        if self._on_loop and connection.sync_connection is not None:
            return connection.sync_connection.execute(statement, parameters)
        return await connection.execute(statement, parameters)

    async def peek(self, statement: Select[Any], parameters: Mapping[str, Any]) -> Row[Any] | None:
        """The first row of a constant select, without a lock: it may have changed at the commit.

        On PostgreSQL it opens no transaction, which saves two ways to the server.
        """
        if self._deferred or (self._on_loop and self._writer is None):
            return await self.first(statement, parameters)
        constant, values = self._constant(statement, parameters)
        scoped = cast(Select[Any], constant)
        if self._writer is not None:
            return self._writer.first(scoped, values)
        return await fetch_first(self.connection, scoped, values, self._observers)

    async def later(
        self,
        statement: Update | Delete,
        parameters: Mapping[str, Any],
        *,
        must_change: bool = False,
    ) -> None:
        """Run a constant write at the end at the latest, together with the others of its kind.

        With `must_change` the transaction fails with NothingChanged, here or at its end, where no
        row was changed.
        """
        scoped, values = self._constant(statement, parameters)
        if not self._on_loop:
            # Writes that travel together do not see each other's rows.
            if any(one.statement.table is statement.table for one in self._deferred):
                await self._write_deferred()
            write = DeferredWrite(cast(Update | Delete, scoped), values, must_change)
            self._deferred.append(write)
        elif (await self._run(scoped, values)).rowcount == 0 and must_change:
            raise NothingChanged

    async def insert_later(self, table: Table, values: Mapping[str, Any]) -> UUID:
        """`insert`, at the end at the latest; what is wrong with the row may be raised there."""
        row = self._owned_row(table, values)
        if self._on_loop:
            await self._run(_insert_into(table), row)
        else:
            self._deferred.append(DeferredWrite(_insert_into(table), row))
        return UUID(str(row["id"]))

    def _constant(
        self, statement: Statement, parameters: Mapping[str, Any]
    ) -> tuple[Statement, dict[str, Any]]:
        if self.every_organization or self.organization_id is None:
            return self.scoped(statement), dict(parameters)
        scope = {"scope_organization_id": self.organization_id}
        return _scoped_once(statement), {**parameters, **scope}

    async def _write_deferred(self) -> None:
        """Write what was put off before something else: both need a transaction around them."""
        await self.connection.exec_driver_sql("SELECT 1")
        await self.finish()

    async def finish(self) -> None:
        """Write what was put off; the commit follows."""
        writes, self._deferred = self._deferred, []
        if writes:
            await write_together(self.connection, writes, self._observers)

    async def rollback(self) -> None:
        """Undo what has been written so far; the transaction is of no use afterwards."""
        self._deferred = []
        if self._writer is not None:
            self._writer.rollback()
        else:
            await self.connection.rollback()

    async def first(
        self, statement: Statement, parameters: Mapping[str, Any] | None = None
    ) -> Row[Any] | None:
        return (await self.execute(statement, parameters)).first()

    async def all(
        self, statement: Statement, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        return (await self.execute(statement, parameters)).all()

    async def look(
        self, statement: Select[Any], parameters: Mapping[str, Any]
    ) -> Sequence[Row[Any]]:
        """All rows of a constant select, at a tenth of what `all` costs; no lock, as in `peek`."""
        if self._deferred:
            return await self.all(statement, parameters)
        constant, values = self._constant(statement, parameters)
        scoped = cast(Select[Any], constant)
        if self._on_loop:
            return select_rows(self.connection, scoped, values, self._observers)
        return await fetch_all(self.connection, scoped, values, self._observers)

    async def scalar(self, statement: Select[Any]) -> Any:
        return (await self.execute(statement)).scalar()

    async def insert(self, table: Table, values: Mapping[str, Any]) -> UUID:
        """Insert one row; its `id` (made here unless given) is returned."""
        row = self._owned_row(table, values)
        # Values as parameters, not in the statement: it is built and hashed once, not each time.
        await self._run(_insert_into(table), row)
        return UUID(str(row["id"]))

    async def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            await self._run(_insert_into(table), [self._owned_row(table, row) for row in rows])

    def _owned_row(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        row = {"id": new_id(), **_defaults(table), **values}
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
        # Are told the statements that do not go through SQLAlchemy.
        self.observers: list[Observer] = []
        is_sqlite = engine.dialect.name == "sqlite"
        self.writer = SQLiteWriter(engine, self.observers) if is_sqlite else None
        # A look needs no transaction: each statement sees what is committed when it begins.
        self._looking = (
            engine if is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        )

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
            async with self._writing() as connection:
                transaction = Transaction(
                    connection, organization_id, every_organization, self.writer, self.observers
                )
                yield transaction
                await transaction.finish()
                if self.writer is not None:
                    self.writer.commit()
                elif connection.in_transaction():
                    await connection.commit()
        except (OperationalError, InterfaceError, ConnectionError) as error:
            raise ServiceUnavailable(UNREACHABLE) from error
        except DBAPIError as error:
            if postgresql.is_lost(error):
                raise ServiceUnavailable(CONNECTION_LOST) from error
            raise
        for callback in transaction.after_commit:
            callback()

    @asynccontextmanager
    async def reading(
        self, organization_id: UUID | None, *, every_organization: bool = False
    ) -> AsyncIterator[Transaction]:
        """Read without a lock; on PostgreSQL each statement sees what is committed by then."""
        try:
            async with self._reading() as connection:
                yield Transaction(
                    connection, organization_id, every_organization, observers=self.observers
                )
        except (OperationalError, InterfaceError, ConnectionError) as error:
            raise ServiceUnavailable(UNREACHABLE) from error
        except DBAPIError as error:
            if postgresql.is_lost(error):
                raise ServiceUnavailable(CONNECTION_LOST) from error
            raise

    def _writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.writer.transaction() if self.writer else postgresql.connected(self.engine)

    def _reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return sqlite.reading(self.engine) if self.writer else postgresql.connected(self._looking)

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        await self.engine.dispose()


def open_database(url: str) -> Database:
    """Open the engine for a `sqlite+aiosqlite` or `postgresql+asyncpg` address."""
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite:
        parsed = parsed.set(drivername=sqlite.DRIVER)
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        parsed,
        connect_args=(
            {"factory": sqlite.LoopConnection}
            if is_sqlite
            else {"async_creator_fn": postgresql.connect}
        ),
        json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
        json_deserializer=orjson.loads,
        # The values of a statement may be a person's: they stay out of errors and logs.
        hide_parameters=True,
        pool_size=10,
        # The connection that was used last: each has to plan a statement some times by itself.
        pool_use_lifo=True,
        # A connection to a file costs little, and waiting for one would stop the loop.
        max_overflow=-1 if is_sqlite else 10,
    )
    if is_sqlite:
        sqlite.prepare(engine)
    else:
        postgresql.ping_after_rest(engine)
    return Database(engine)
