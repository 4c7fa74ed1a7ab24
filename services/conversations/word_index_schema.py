"""What the index of words is made of, on each kind of database: used wherever tables are made.

A migration that rebuilds one of the searched tables on SQLite (`batch_alter_table`) drops its
triggers and makes them anew with `triggers_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, event

from core.database import metadata
from services.conversations.word_index import INDEX, KEYS, SEARCHED, Searched, spelled, words_of

EVENTS = ("insert", "update", "delete")


def making(dialect: str) -> Iterator[str]:
    """The statements that make the index and fill it with what is there."""
    if dialect != "sqlite":
        for one in SEARCHED:
            words = words_of(one.column)
            yield f"CREATE INDEX {_index(one)} ON {one.table} USING gin (({words}))"
        return
    yield f"""CREATE TABLE {KEYS} (key INTEGER PRIMARY KEY, id CHAR(32) NOT NULL UNIQUE,
        conversation_id CHAR(32), organization_id CHAR(32) NOT NULL)"""
    yield f"""CREATE VIRTUAL TABLE {INDEX} USING fts5(words, content='',
        tokenize="unicode61 remove_diacritics 2")"""
    for one in SEARCHED:
        # By id, which is by time: newest first is by key.
        yield f"""INSERT INTO {KEYS} (id, conversation_id, organization_id)
            SELECT id, {_conversation(one, one.table)}, organization_id
            FROM {one.table} ORDER BY id"""  # noqa: S608  names of our own
        yield f"""INSERT INTO {INDEX} (rowid, words)
            SELECT k.key, {spelled(f"t.{one.column}")}
            FROM {one.table} t JOIN {KEYS} k ON k.id = t.id"""  # noqa: S608
        yield from triggers_of(one)


def triggers_of(one: Searched) -> Iterator[str]:
    """What lets the index follow a table, whoever writes to it (SQLite)."""
    words = {row: spelled(f"{row}.{one.column}") for row in ("NEW", "OLD")}
    key = {
        row: f"(SELECT key FROM {KEYS} WHERE id = {row}.id)"  # noqa: S608
        for row in ("NEW", "OLD")
    }
    forget = (
        f"INSERT INTO {INDEX} ({INDEX}, rowid, words) "  # noqa: S608
        f"VALUES ('delete', {key['OLD']}, {words['OLD']});"
    )
    learn = f"INSERT INTO {INDEX} (rowid, words) VALUES ({key['NEW']}, {words['NEW']});"  # noqa: S608
    yield f"""CREATE TRIGGER {_trigger(one, "insert")} AFTER INSERT ON {one.table} BEGIN
        INSERT INTO {KEYS} (id, conversation_id, organization_id)
        VALUES (NEW.id, {_conversation(one, "NEW")}, NEW.organization_id);
        {learn} END"""  # noqa: S608
    yield f"""CREATE TRIGGER {_trigger(one, "update")} AFTER UPDATE OF {one.column}
        ON {one.table} BEGIN {forget} {learn} END"""
    yield f"""CREATE TRIGGER {_trigger(one, "delete")} AFTER DELETE ON {one.table} BEGIN
        {forget} DELETE FROM {KEYS} WHERE id = OLD.id; END"""  # noqa: S608


def unmaking(dialect: str) -> Iterator[str]:
    """The statements that take it all away."""
    if dialect != "sqlite":
        yield from (f"DROP INDEX IF EXISTS {_index(one)}" for one in SEARCHED)
        return
    for one in SEARCHED:
        yield from (f"DROP TRIGGER IF EXISTS {_trigger(one, name)}" for name in EVENTS)
    yield f"DROP TABLE IF EXISTS {INDEX}"
    yield f"DROP TABLE IF EXISTS {KEYS}"


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
    return f"{INDEX}_{one.table}_{name}"


def _index(one: Searched) -> str:
    return f"ix_{INDEX}_{one.table}"
