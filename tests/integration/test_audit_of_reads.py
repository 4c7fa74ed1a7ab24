"""What the assistant has looked up is on record, whether it came to a reply or not."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import Accepted, IncomingMessage
from core.errors import ServiceUnavailable
from core.security import random_token
from core.tools import tool_runs
from services.accounts.sessions import issue_visitor_token
from services.conversations import conversations
from tests.product import OpenProduct

SEARCH = "Je cherche un canapé gris à moins de 900 euros"


async def search(product: OpenProduct) -> UUID:
    """Ask for products as a new visitor; the conversation's id."""
    runtime = product.runtime
    principal = issue_visitor_token(runtime, product.organization_id)[1]
    message = IncomingMessage(principal, random_token("s"), SEARCH)
    conversation_id = None
    try:
        async for event in handle(message, runtime.part(Assistant), runtime):
            if isinstance(event, Accepted):
                conversation_id = event.conversation_id
    except ServiceUnavailable:
        pass
    assert conversation_id is not None
    return conversation_id


async def audit(product: OpenProduct, conversation_id: UUID) -> list[tuple[str, str]]:
    async with product.runtime.database.reading(product.organization_id) as transaction:
        rows = await transaction.all(
            select(tool_runs.c.tool, tool_runs.c.outcome).where(
                tool_runs.c.conversation_id == conversation_id
            )
        )
    return [(row.tool, row.outcome) for row in rows]


def test_that_a_search_is_on_record_with_its_reply(product: OpenProduct) -> None:
    conversation_id = product.call(search(product))
    assert product.call(audit(product, conversation_id)) == [("product_search", "ok")]


def test_that_a_search_is_on_record_where_the_reply_could_not_be_stored(
    product: OpenProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object) -> UUID:
        raise ServiceUnavailable("The database cannot be reached.")

    monkeypatch.setattr(conversations, "store_reply", unreachable)
    conversation_id = product.call(search(product))
    assert product.call(audit(product, conversation_id)) == [("product_search", "ok")]
