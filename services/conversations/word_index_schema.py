"""What the index of words is made of, on each kind of database: used wherever tables are made.

A migration that rebuilds one of the searched tables on SQLite (`batch_alter_table`) drops its
triggers and makes them anew with `triggers_of`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, event

from core.database import metadata
from services.conversations.word_index import (
    PREFIX,
    SEARCHED,
    Index,
    Searched,
    spelled,
    words_of,
)

EVENTS = ("insert", "update", "delete")


def making(dialect: str, searched: Sequence[Searched] = SEARCHED) -> Iterator[str]:
    """The statements that make the index and fill it with what is there."""
    if dialect != "sqlite":
        for one in searched:
            yield f"CREATE INDEX {_index(one)} ON {one.table} USING gin (({words_of(one)}))"
        return
    for index in dict.fromkeys(one.index for one in searched):
        yield from _tables_of(index)
    for one in searched:
        # By id, which is by time: newest first is by key.
        yield f"""INSERT INTO {one.index.keys} (id, conversation_id, organization_id)
            SELECT id, {_conversation(one, one.table)}, organization_id
            FROM {one.table} ORDER BY id"""  # noqa: S608  names of our own
        yield f"""INSERT INTO {one.index.words} (rowid, words)
            SELECT k.key, {spelled(one, "t")}
            FROM {one.table} t JOIN {one.index.keys} k ON k.id = t.id"""  # noqa: S608
        yield from triggers_of(one)


def _tables_of(index: Index) -> Iterator[str]:
    yield f"""CREATE TABLE {index.keys} (key INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE,
        conversation_id CHAR(32), organization_id CHAR(32) NOT NULL)"""
    yield f"""CREATE VIRTUAL TABLE {index.words} USING fts5(words, content='',
        tokenize="unicode61 remove_diacritics 2")"""


def triggers_of(one: Searched) -> Iterator[str]:
    """What lets the index follow a table, whoever writes to it (SQLite)."""
    index, keys = one.index.words, one.index.keys
    words = {row: spelled(one, row) for row in ("NEW", "OLD")}
    key = {
        row: f"(SELECT key FROM {keys} WHERE id = {row}.id)"  # noqa: S608
        for row in ("NEW", "OLD")
    }
    forget = (
        f"INSERT INTO {index} ({index}, rowid, words) "  # noqa: S608
        f"VALUES ('delete', {key['OLD']}, {words['OLD']});"
    )
    learn = f"INSERT INTO {index} (rowid, words) VALUES ({key['NEW']}, {words['NEW']});"  # noqa: S608
    yield f"""CREATE TRIGGER {_trigger(one, "insert")} AFTER INSERT ON {one.table} BEGIN
        INSERT INTO {keys} (id, conversation_id, organization_id)
        VALUES (NEW.id, {_conversation(one, "NEW")}, NEW.organization_id);
        {learn} END"""  # noqa: S608
    yield f"""CREATE TRIGGER {_trigger(one, "update")} AFTER UPDATE OF {", ".join(one.columns)}
        ON {one.table} BEGIN {forget} {learn} END"""
    yield f"""CREATE TRIGGER {_trigger(one, "delete")} AFTER DELETE ON {one.table} BEGIN
        {forget} DELETE FROM {keys} WHERE id = OLD.id; END"""  # noqa: S608


def unmaking(dialect: str, searched: Sequence[Searched] = SEARCHED) -> Iterator[str]:
    """The statements that take it all away."""
    if dialect != "sqlite":
        yield from (f"DROP INDEX IF EXISTS {_index(one)}" for one in searched)
        return
    for one in searched:
        yield from (f"DROP TRIGGER IF EXISTS {_trigger(one, name)}" for name in EVENTS)
    for index in dict.fromkeys(one.index for one in searched):
        yield f"DROP TABLE IF EXISTS {index.words}"
        yield f"DROP TABLE IF EXISTS {index.keys}"


@event.listens_for(metadata, "after_create")
def _make_with_tables(target: Any, connection: Connection, **options: Any) -> None:
    """Where tables are made from their declarations, the index is made too."""
    made = {table.name for table in options.get("tables", ())}
    if {one.table for one in SEARCHED} <= made:
        for statement in making(connection.dialect.name):
            connection.exec_driver_sql(statement)


def _conversation(one: Searched, row: str) -> str:
    return f"{row}.conversation_id" if one.of_conversations else "NULL"


def _trigger(one: Searched, name: str) -> str:
    return f"{PREFIX}_{one.table}_{name}"


def _index(one: Searched) -> str:
    return f"ix_{PREFIX}_{one.table}"
