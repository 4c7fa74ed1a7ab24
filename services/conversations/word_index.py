"""Which messages, notes and tickets hold these words, whatever the accents? An index of the words.

On SQLite it is an FTS5 table beside a table of keys, kept by triggers; on PostgreSQL an index of
an expression. Both are made by the migration, no row of them is written here. Words are found by
their beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, false, text
from sqlalchemy.types import Uuid

from core.database import Transaction

# What the index is made of begins with this; schema checks leave it alone.
PREFIX = "message_search"
INDEX = PREFIX
KEYS = f"{PREFIX}_keys"
# Accented letters and what they are without, for PostgreSQL; SQLite folds by itself.
ACCENTED = "ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝŸýÿ"
PLAIN = "aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyyy"
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Searched:
    """A column whose words are found; rows of `of` conversations name theirs."""

    table: str
    column: str
    of_conversations: bool = True


MESSAGES = Searched("messages", "content")
NOTES = Searched("conversation_notes", "body")
TICKETS = Searched("tickets", "description", of_conversations=False)
SEARCHED = (MESSAGES, NOTES, TICKETS)


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
        merge = f"INSERT INTO {INDEX} ({INDEX}) VALUES ('optimize')"  # noqa: S608
        await transaction.connection.execute(text(merge))


def spelled(column: str) -> str:
    """SQL: a column with its ligatures written out, which neither database does by itself."""
    for ligature, letters in (("œ", "oe"), ("Œ", "oe"), ("æ", "ae"), ("Æ", "ae")):
        column = f"replace({column}, '{ligature}', '{letters}')"
    return column


def words_of(column: str) -> str:
    """PostgreSQL: the words of a column, as the index and the query both write it."""
    letters = f"translate({spelled(column)}, '{ACCENTED}', '{PLAIN}')"
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
            AND k.conversation_id IS NOT NULL
            ORDER BY {INDEX}.rowid DESC LIMIT :limit"""  # noqa: S608  names of our own
        bound["words"] = _fts5(folded)
    else:
        parts = [
            f"(SELECT conversation_id FROM {one.table} WHERE organization_id = :org "  # noqa: S608
            f"AND {words_of(one.column)} @@ to_tsquery('simple', :words) "
            "ORDER BY id DESC LIMIT :limit)"
            for one in SEARCHED
            if one.of_conversations
        ]
        query = " UNION ALL ".join(parts)
        bound["words"] = _tsquery(folded)
    statement = text(query).bindparams(bindparam("org", type_=Uuid()))
    found = await transaction.connection.execute(statement.columns(conversation_id=Uuid()), bound)
    return list(dict.fromkeys(row.conversation_id for row in found))


def ticket_holds(dialect: str, word: str, number: int) -> ColumnElement[bool]:
    """That a ticket's description holds the words of a word; `number` tells conditions apart."""
    folded = fold_words(word)
    if not folded:
        return false()
    name = f"ticket_words_{number}"
    if dialect == "sqlite":
        condition = f"""tickets.id IN (SELECT k.id FROM {INDEX} JOIN {KEYS} k
            ON k.key = {INDEX}.rowid
            WHERE {INDEX} MATCH :{name} AND k.conversation_id IS NULL)"""  # noqa: S608
        return text(condition).bindparams(**{name: _fts5(folded)})  # type: ignore[return-value]
    condition = f"{words_of('tickets.description')} @@ to_tsquery('simple', :{name})"
    return text(condition).bindparams(**{name: _tsquery(folded)})  # type: ignore[return-value]


def _fts5(folded: Sequence[str]) -> str:
    return " ".join(f'"{word}"*' for word in folded)


def _tsquery(folded: Sequence[str]) -> str:
    return " & ".join(f"{word}:*" for word in folded)
