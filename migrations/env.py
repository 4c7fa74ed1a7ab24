"""Runs migrations over the application's own engine, on SQLite and on PostgreSQL."""

import asyncio

from alembic import context
from sqlalchemy import Connection

import api.tables  # noqa: F401  every table must be known
from core.database import metadata, open_database
from services.conversations.word_index import PREFIX


def is_declared(
    item: object, name: str | None, kind: str, is_reflected: bool, compared: object
) -> bool:
    """All but the index of words, which no table declares: each database has its own."""
    return not (is_reflected and name is not None and name.removeprefix("ix_").startswith(PREFIX))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        include_object=is_declared,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate(url: str) -> None:
    database = open_database(url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await database.close()


asyncio.run(migrate(context.config.attributes["database_url"]))
