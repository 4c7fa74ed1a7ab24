"""Where the retail desk keeps its documents, and whom each conversation has proven to be.

The tables stand in a metadata of their own: the product's migrations know nothing of them. Rows
carry an organization, so that `Transaction` scopes every statement to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    delete,
    select,
    update,
)

from core.database import Transaction
from core.errors import Conflict, NotAuthenticated, PermissionDenied
from core.tools import ToolContext
from tests.retail.records import Order, Product, Record, User

Document = TypeVar("Document", bound=Record)
# The whole database: kind ("users", "products", "orders"), then key, then the document.
State = dict[str, dict[str, dict[str, Any]]]

retail_metadata = MetaData()
documents = Table(
    "retail_documents",
    retail_metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("key", String(100), nullable=False),
    Column("document", JSON, nullable=False),
    UniqueConstraint("organization_id", "kind", "key"),
)
sessions = Table(
    "retail_sessions",
    retail_metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("conversation_id", Uuid, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("user_id", String(100)),
    Column("transferred", Boolean, nullable=False, default=False),
    UniqueConstraint("organization_id", "conversation_id"),
)
KINDS: Mapping[type[Record], str] = {User: "users", Product: "products", Order: "orders"}


async def find(transaction: Transaction, kind: type[Document], key: str) -> Document | None:
    """The document of a key, locked until the transaction ends where the database can."""
    document = await transaction.scalar(
        select(documents.c.document)
        .where(documents.c.kind == KINDS[kind], documents.c.key == key)
        .with_for_update()
    )
    return None if document is None else kind.model_validate(document)


async def every(
    transaction: Transaction,
    kind: type[Document],
    matches: Callable[[dict[str, Any]], bool] = lambda document: True,
) -> list[Document]:
    """The documents of a kind that match; a condition sees them as they are kept."""
    rows = await transaction.all(
        select(documents.c.document).where(documents.c.kind == KINDS[kind])
    )
    return [kind.model_validate(row.document) for row in rows if matches(row.document)]


async def keep(transaction: Transaction, key: str, record: Record) -> None:
    """Write a changed document back."""
    await transaction.execute(
        update(documents)
        .where(documents.c.kind == KINDS[type(record)], documents.c.key == key)
        .values(document=record.model_dump(mode="json", exclude_none=True))
    )


async def read_state(transaction: Transaction) -> State:
    """The whole database, to compare it with what was expected."""
    rows = await transaction.all(select(documents.c.kind, documents.c.key, documents.c.document))
    state: State = {kind: {} for kind in KINDS.values()}
    for row in rows:
        state[row.kind][row.key] = row.document
    return state


async def replace_state(transaction: Transaction, state: State) -> None:
    """Put a database in place of whatever is there; every conversation begins anew."""
    await transaction.execute(delete(documents))
    await transaction.execute(delete(sessions))
    await transaction.insert_many(documents, list(_rows(state)))


def _rows(state: State) -> Iterator[dict[str, Any]]:
    for kind, found in state.items():
        for key, document in found.items():
            yield {"kind": kind, "key": key, "document": document}


async def open_to_tools(transaction: Transaction, context: ToolContext) -> str | None:
    """The customer that this conversation has proven to be, or None.

    Raises Conflict once a human agent has taken over, PermissionDenied to another caller.
    """
    row = await transaction.first(
        select(sessions).where(sessions.c.conversation_id == context.conversation_id)
    )
    if row is None:
        return None
    if row.actor != context.principal.actor:
        raise PermissionDenied("This conversation is another caller's.")
    if row.transferred:
        raise Conflict("A human agent has taken over this conversation.")
    found: str | None = row.user_id
    return found


async def proven_user(transaction: Transaction, context: ToolContext) -> str:
    """The customer of this conversation; raises NotAuthenticated before one is proven."""
    user_id = await open_to_tools(transaction, context)
    if user_id is None:
        raise NotAuthenticated("Find the customer by email, or by name and zip code, first.")
    return user_id


async def remember(context: ToolContext, **values: Any) -> None:
    """Set `user_id` or `transferred` of this conversation."""
    changed = await context.effect.execute(
        update(sessions)
        .where(sessions.c.conversation_id == context.conversation_id)
        .values(**values)
    )
    if changed.rowcount == 0:
        row = {
            "conversation_id": context.conversation_id,
            "actor": context.principal.actor,
            "transferred": False,
        }
        await context.effect.insert(sessions, {**row, **values})
