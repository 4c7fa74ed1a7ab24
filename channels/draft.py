"""What would the assistant answer the customer's last message? A draft for an agent, with sources.

The embedded engine writes it as it would answer a new question; nothing is stored, and a tool that
would change anything is not run: then there is no draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row

from bot.actions import perform
from bot.assistant import Assistant
from bot.decisions import HandOver
from bot.messages import Reply
from bot.policy import decide
from bot.state import DialogueState
from bot.turn import Turn, caller_of
from bot.understanding.understand import Interpreter
from core.errors import SupportError
from core.runtime import Runtime
from core.security import Principal, principal_for_role
from services.accounts.customers import find_customer
from services.conversations.conversations import Conversation
from services.conversations.desk import read_conversation, thread_messages
from services.conversations.stream import StoredMessage

Result = TypeVar("Result", bound=BaseModel)


@dataclass(frozen=True)
class Draft:
    """A proposed answer to a message; its `sources` are those of the assistant's answers."""

    message_id: UUID
    question: str
    text: str
    sources: Sequence[dict[str, Any]]
    products: Sequence[dict[str, Any]]
    intent: str
    confidence: float


class NothingToDraft(Exception):
    """The assistant would have to do something, not only say it."""


class DraftTurn(Turn):
    """A turn that reads and writes nothing."""

    async def run(
        self, tool: str, returns: type[Result], arguments: Any, key: str | None = None
    ) -> Result:
        if self.runtime.tools[tool].effect:
            raise NothingToDraft
        return await super().run(tool, returns, arguments)


async def draft_reply(
    runtime: Runtime, organization_id: UUID, conversation_id: UUID
) -> Draft | None:
    """A draft for the customer's last message; None where there is none, or nothing to say."""
    async with runtime.database.reading(organization_id) as transaction:
        row = await read_conversation(transaction, conversation_id)
        said = await thread_messages(transaction, conversation_id)
        customer = await find_customer(transaction, row.customer_id) if row.customer_id else None
    asked = next((one for one in reversed(said) if one.role == "user"), None)
    if asked is None:
        return None
    principal = principal_for_role(
        organization_id,
        row.actor,
        "customer" if customer is not None else "visitor",
        customer_id=row.customer_id,
        email=customer.email if customer is not None else None,
    )
    turn = await _turn(runtime, principal, row, asked)
    reply = Reply()
    try:
        plan = decide(turn.state, turn.read, caller_of(principal))
        if isinstance(plan.decision, HandOver):
            return None
        turn.state = plan.state
        async for event in perform(turn, plan):
            reply.add(event)
    except (NothingToDraft, SupportError):
        return None
    if not reply.text:
        return None
    return Draft(
        message_id=asked.id,
        question=asked.content,
        text=reply.text,
        sources=reply.sources,
        products=reply.products,
        intent=turn.read.intent,
        confidence=round(turn.read.confidence, 4),
    )


async def _turn(
    runtime: Runtime, principal: Principal, row: Row[Any], asked: StoredMessage
) -> DraftTurn:
    read = await runtime.part(Interpreter).understand(
        asked.content, row.language, principal.organization_id
    )
    known = DialogueState.from_json(row.state)
    state = replace(
        DialogueState(),
        turn=max(1, known.turn),
        focus_sku=known.focus_sku,
        order_number=known.order_number,
        email=known.email,
        ticket_ids=known.ticket_ids,
    )
    conversation = Conversation(
        row.id,
        row.session_id,
        row.actor,
        row.language,
        "human",
        row.assistant_revision,
        state.as_json(),
        row.next_sequence,
    )
    return DraftTurn(
        runtime=runtime,
        assistant=runtime.part(Assistant),
        principal=principal,
        conversation=conversation,
        read=read,
        state=state,
        user_message_id=asked.id,
        sequence=asked.sequence,
        owner="human",
    )
