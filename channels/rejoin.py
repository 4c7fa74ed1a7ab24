"""What does the assistant know when a person gives a conversation back to it?

Everything that it can read: what people and the customer wrote meanwhile is searched for the
orders, tickets, products and addresses that they named, as every message to it is. A form that
was open when a person came is not taken up again: the person has dealt with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from bot.state import DialogueState
from bot.understanding.understand import Interpreter
from core.runtime import Runtime
from services.conversations.desk import thread_messages

READ_MESSAGES = 30


async def rejoined_state(runtime: Runtime, row: Row[Any]) -> Mapping[str, Any]:
    """The state of a conversation that a person has had until now."""
    before = DialogueState.from_json(row.state)
    state = before.but(
        form=None,
        paused_form=None,
        clarifying=(),
        clarified_text="",
        handoff_offered=False,
        failures=0,
    )
    interpreter = runtime.parts.get(Interpreter)
    if interpreter is None:
        return state.as_json()
    async with runtime.database.reading(row.organization_id) as transaction:
        said = await thread_messages(transaction, row.id)
    since = row.owner_since or row.created_at
    spoken = [one for one in said if one.created_at >= since and one.role in ("user", "agent")]
    for one in spoken[-READ_MESSAGES:]:
        read = await interpreter.understand(one.content, row.language, row.organization_id)
        found = read.entities
        state = state.but(
            order_number=found.order_numbers[-1] if found.order_numbers else state.order_number,
            ticket_ids=tuple(dict.fromkeys((*state.ticket_ids, *found.ticket_numbers))),
            focus_sku=read.product_sku or state.focus_sku,
            email=found.emails[-1] if found.emails and one.role == "user" else state.email,
        )
        if one.role == "user":
            state = state.but(last_intent=read.intent, last_question=one.content[:300])
    return state.as_json()
