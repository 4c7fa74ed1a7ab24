"""Which messages, notes, tickets and customers hold these words, whatever the accents?

On SQLite the words stand in FTS5 tables beside tables of keys, kept by triggers; on PostgreSQL in
an index of an expression for each table. All are made by migrations, no row of them is written
here. Words are found by their beginning, and numbers without the zeros that they begin with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, false, select, text
from sqlalchemy.types import Uuid

from core.database import Transaction
from services.accounts.tables import customers

# What the index is made of begins with this; schema checks leave it alone.
PREFIX = "message_search"
INDEX = PREFIX
KEYS = f"{PREFIX}_keys"
# Accented letters and what they are without, for PostgreSQL; SQLite folds by itself.
ACCENTED = "ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝŸýÿ"
PLAIN = "aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyyy"
# Of the newest matches; whoever finds more than this looks for something more precise.
MAXIMUM_MATCHES = 500
# Numbers are written with at most so many digits (`TKT-2026-000139`).
NUMBER_DIGITS = 6
_WORD = re.compile(r"[^\W_]+")
# A prefix and its number, written as one: `tkt139`.
_PREFIXED = re.compile(r"([a-z]{2,4})(\d{1,9})")


@dataclass(frozen=True)
class Index:
    """The FTS5 table of some searched tables, and the table of its keys."""

    words: str
    keys: str


SAID = Index(INDEX, KEYS)
# Of its own, so that a name is not looked for among all messages.
FILED = Index(f"{PREFIX}_filed", f"{PREFIX}_filed_keys")


@dataclass(frozen=True)
class Searched:
    """Columns whose words are found, one alone never null; rows of conversations name theirs."""

    table: str
    columns: tuple[str, ...]
    index: Index
    of_conversations: bool = True


MESSAGES = Searched("messages", ("content",), SAID)
NOTES = Searched("conversation_notes", ("body",), SAID)
TICKETS = Searched(
    "tickets",
    (
        "description",
        "number",
        "order_number",
        "product_sku",
        "contact_email",
        "customer_reference",
    ),
    FILED,
    of_conversations=False,
)
CUSTOMERS = Searched(
    "customers",
    ("first_name", "last_name", "email", "reference"),
    FILED,
    of_conversations=False,
)
SEARCHED = (MESSAGES, NOTES, TICKETS, CUSTOMERS)
INDEXES = (SAID, FILED)


def fold_words(words: str) -> list[str]:
    """The words of a text as they are compared: lower case, without accents or ligatures.

    >>> fold_words("L’œillet est DÉCHIRÉ")
    ['l', 'oeillet', 'est', 'dechire']
    """
    # Some signs are capitals once they are decomposed: `𝐀` is `A`.
    lowered = unicodedata.normalize("NFKD", words).lower()
    plain = unicodedata.normalize("NFKD", lowered.replace("œ", "oe").replace("æ", "ae"))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _WORD.findall(kept)


async def forget_deleted_words(transaction: Transaction) -> None:
    """Let no word of a deleted row stay in the index.

    FTS5 keeps the words of deleted rows until its segments are merged; PostgreSQL's index holds
    nothing that a vacuum leaves.
    """
    if transaction.connection.dialect.name == "sqlite":
        for one in INDEXES:
            merge = f"INSERT INTO {one.words} ({one.words}) VALUES ('optimize')"  # noqa: S608
            await transaction.connection.execute(text(merge))


def spelled(one: Searched, row: str = "") -> str:
    """SQL: the columns of a row as one text, with ligatures written out.

    Neither database writes them out by itself.
    """
    at = f"{row}." if row else ""
    columns = [f"{at}{column}" for column in one.columns]
    if len(columns) > 1:
        columns = [f"coalesce({column}, '')" for column in columns]
    written = " || ' ' || ".join(columns)
    for ligature, letters in (("œ", "oe"), ("Œ", "oe"), ("æ", "ae"), ("Æ", "ae")):
        written = f"replace({written}, '{ligature}', '{letters}')"
    return written


def words_of(one: Searched) -> str:
    """PostgreSQL: the words of a row, as the index and the query both write it."""
    letters = f"translate({spelled(one, one.table)}, '{ACCENTED}', '{PLAIN}')"
    return f"to_tsvector('simple', regexp_replace(lower({letters}), '[^a-z0-9]+', ' ', 'g'))"


async def conversations_with(transaction: Transaction, words: str, limit: int) -> list[UUID]:
    """Conversations in which one message or note holds all words, the newest messages first."""
    folded = fold_words(words)
    if not folded:
        return []
    bound: dict[str, Any] = {"org": transaction.organization_id, "limit": limit}
    if transaction.connection.dialect.name == "sqlite":
        query = f"""SELECT k.conversation_id FROM {INDEX} JOIN {KEYS} k ON k.key = {INDEX}.rowid
            WHERE {INDEX} MATCH :words AND k.organization_id = :org
            ORDER BY {INDEX}.rowid DESC LIMIT :limit"""  # noqa: S608  names of our own
        bound["words"] = _fts5(folded)
    else:
        parts = [
            f"(SELECT conversation_id FROM {one.table} WHERE organization_id = :org "  # noqa: S608
            f"AND {words_of(one)} @@ to_tsquery('simple', :words) "
            "ORDER BY id DESC LIMIT :limit)"
            for one in SEARCHED
            if one.of_conversations
        ]
        query = " UNION ALL ".join(parts)
        bound["words"] = _tsquery(folded)
    statement = text(query).bindparams(bindparam("org", type_=Uuid()))
    found = await transaction.connection.execute(statement.columns(conversation_id=Uuid()), bound)
    return list(dict.fromkeys(row.conversation_id for row in found))


def holds(dialect: str, one: Searched, words: str, name: str = "words") -> ColumnElement[bool]:
    """That a row of tickets or customers holds all words; `name` tells conditions apart."""
    folded = fold_words(words)
    if not folded:
        return false()
    if dialect == "sqlite":
        condition = f"""{one.table}.id IN (SELECT k.id FROM {one.index.words} JOIN
            {one.index.keys} k ON k.key = {one.index.words}.rowid
            WHERE {one.index.words} MATCH :{name})"""  # noqa: S608
        bound = _fts5(folded)
    else:
        condition = f"{words_of(one)} @@ to_tsquery('simple', :{name})"
        bound = _tsquery(folded)
    return text(condition).bindparams(**{name: bound})  # type: ignore[return-value]


async def customers_named(transaction: Transaction, words: str) -> list[UUID]:
    """The customers whose name, address or reference holds all words, the newest first."""
    named = holds(transaction.connection.dialect.name, CUSTOMERS, words)
    rows = await transaction.all(
        select(customers.c.id).where(named).order_by(customers.c.id.desc()).limit(MAXIMUM_MATCHES)
    )
    return [row.id for row in rows]


def _fts5(folded: Sequence[str]) -> str:
    """Every word, each in one of its spellings; FTS5 wants the signs between them."""
    return " AND ".join(
        "(" + " OR ".join(" AND ".join(f'"{part}"*' for part in way) for way in _ways(word)) + ")"
        for word in folded
    )


def _tsquery(folded: Sequence[str]) -> str:
    return " & ".join(
        "(" + " | ".join(" & ".join(f"{part}:*" for part in way) for way in _ways(word)) + ")"
        for word in folded
    )


def _ways(word: str) -> Iterator[tuple[str, ...]]:
    """The spellings of a word, each as words that stand together.

    >>> list(_ways("oslo"))
    [('oslo',)]
    >>> list(_ways("0139"))
    [('0139',), ('00139',), ('000139',)]
    >>> list(_ways("cmd99999"))
    [('cmd99999',), ('cmd', '99999'), ('cmd', '099999')]
    """
    if word.isascii() and word.isdigit():
        yield from ((number,) for number in _padded(word))
        return
    yield (word,)
    if prefixed := _PREFIXED.fullmatch(word):
        yield from product((prefixed[1],), _padded(prefixed[2]))


def _padded(digits: str) -> list[str]:
    """A number as it was typed, and with each count of further zeros before it."""
    longest = max(len(digits), NUMBER_DIGITS)
    return [digits.zfill(length) for length in range(len(digits), longest + 1)]
