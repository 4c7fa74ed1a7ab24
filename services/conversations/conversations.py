"""Conversations and their messages: opened by session, numbered, read by their owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update

from core.database import Transaction
from services.conversations.lease import LeaseLost, take_lease
from services.conversations.tables import conversations, messages, turns

Role = Literal["user", "assistant", "agent", "system"]

# A turn stores its message and its reply: it takes two numbers at once.
SEQUENCES_PER_TURN = 2


# Constant statements: a turn runs each once, and building one costs more than running it.
_FIND_CONVERSATION = (
    select(conversations)
    .where(
        conversations.c.actor == bindparam("of_actor"),
        conversations.c.session_id == bindparam("of_session"),
    )
    .with_for_update()
)
_UPDATE_CONVERSATION = update(conversations).where(
    conversations.c.id == bindparam("of_conversation")
)
_UPDATE_LEASED_CONVERSATION = _UPDATE_CONVERSATION.where(
    conversations.c.lease_holder == bindparam("of_holder")
)
_UNDERSTAND_MESSAGE = update(messages).where(messages.c.id == bindparam("of_message"))


@dataclass(frozen=True)
class Conversation:
    """One session of one person."""

    id: UUID
    session_id: str
    actor: str
    language: str
    owner: str
    assistant_revision: int
    state: Mapping[str, Any]
    next_sequence: int
    is_new: bool = False
    # Who answers now, where several processes might.
    lease_holder: str | None = None


@dataclass(frozen=True)
class NewConversation:
    session_id: str
    actor: str
    customer_id: UUID | None
    channel: str
    language: str
    assistant_revision: int


@dataclass(frozen=True)
class Message:
    """One stored message."""

    id: UUID
    role: Role
    content: str
    language: str | None
    intent: str | None
    confidence: float | None
    sources: Sequence[Mapping[str, Any]]
    attachments: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class NewReply:
    """What a turn stores when it is done."""

    conversation: Conversation
    user_message_id: UUID
    sequence: int
    content: str
    language: str
    owner: str
    intent: str
    confidence: float
    state: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]] = ()
    attachments: Mapping[str, Any] = field(default_factory=dict)
    trace: Sequence[Mapping[str, Any]] = ()
    duration_ms: int = 0


async def open_conversation(
    transaction: Transaction, new: NewConversation, now: datetime
) -> Conversation:
    """The conversation of a session and actor, made when there is none."""
    row = await transaction.first(
        _FIND_CONVERSATION, {"of_actor": new.actor, "of_session": new.session_id}
    )
    if row is not None:
        return _conversation(row)
    values: dict[str, Any] = {
        "session_id": new.session_id,
        "actor": new.actor,
        "customer_id": new.customer_id,
        "channel": new.channel,
        "language": new.language,
        "owner": "bot",
        "assistant_revision": new.assistant_revision,
        "state": {},
        "next_sequence": 1,
        "created_at": now,
        "updated_at": now,
    }
    id = await transaction.insert(conversations, values)
    return Conversation(
        id, new.session_id, new.actor, new.language, "bot", new.assistant_revision, {}, 1, True
    )


async def add_user_message(
    transaction: Transaction,
    conversation: Conversation,
    content: str,
    client_message_id: str | None,
    now: datetime,
    file_ids: Sequence[str] = (),
) -> tuple[UUID, int]:
    """Store a customer's message and reserve the number of its reply; returns id and number."""
    sequence = conversation.next_sequence
    if conversation.lease_holder is not None:
        await take_lease(transaction, conversation, now, SEQUENCES_PER_TURN)
    message_id = await transaction.insert(
        messages,
        {
            "conversation_id": conversation.id,
            "sequence": sequence,
            "role": "user",
            "content": content,
            "sources": [],
            "attachments": {"files": list(file_ids)} if file_ids else {},
            "client_message_id": client_message_id,
            "created_at": now,
        },
    )
    if conversation.lease_holder is None:
        await transaction.execute(
            _UPDATE_CONVERSATION,
            {
                "of_conversation": conversation.id,
                "next_sequence": sequence + SEQUENCES_PER_TURN,
                "updated_at": now,
            },
        )
    return message_id, sequence


async def find_repeated(
    transaction: Transaction, conversation_id: UUID, client_message_id: str
) -> tuple[UUID, int] | None:
    """The id and number of a message that the client has sent under this id before."""
    row = await transaction.first(
        select(messages.c.id, messages.c.sequence).where(
            messages.c.conversation_id == conversation_id,
            messages.c.client_message_id == client_message_id,
        )
    )
    return (row.id, row.sequence) if row is not None else None


async def find_reply(transaction: Transaction, user_message_id: UUID) -> Message | None:
    """The stored reply to a message."""
    row = await transaction.first(select(messages).where(messages.c.reply_to == user_message_id))
    return _message(row) if row is not None else None


async def store_reply(transaction: Transaction, reply: NewReply, now: datetime) -> UUID:
    """Store a turn's end: the reply, what was understood, the trace, the state."""
    conversation = reply.conversation
    message_id = await transaction.insert(
        messages,
        {
            "conversation_id": conversation.id,
            "sequence": reply.sequence + 1,
            "role": "assistant",
            "content": reply.content,
            "language": reply.language,
            "intent": reply.intent,
            "confidence": reply.confidence,
            "sources": list(reply.sources),
            "attachments": dict(reply.attachments),
            "reply_to": reply.user_message_id,
            "created_at": now,
        },
    )
    await transaction.execute(
        _UNDERSTAND_MESSAGE,
        {
            "of_message": reply.user_message_id,
            "language": reply.language,
            "intent": reply.intent,
            "confidence": reply.confidence,
        },
    )
    await transaction.insert(
        turns,
        {
            "conversation_id": conversation.id,
            "message_id": message_id,
            "trace": list(reply.trace),
            "duration_ms": reply.duration_ms,
            "created_at": now,
        },
    )
    ended: dict[str, Any] = {
        "of_conversation": conversation.id,
        "state": dict(reply.state),
        "language": reply.language,
        "updated_at": now,
    }
    if conversation.lease_holder is None:
        done = await transaction.execute(_UPDATE_CONVERSATION, ended)
    else:
        ended |= {"lease_holder": None, "of_holder": conversation.lease_holder}
        done = await transaction.execute(_UPDATE_LEASED_CONVERSATION, ended)
    if done.rowcount != 1:
        raise LeaseLost
    return message_id


async def read_history(
    transaction: Transaction,
    actor: str,
    session_id: str | None,
    limit: int,
    offset: int,
) -> tuple[list[Message], int]:
    """An actor's messages, oldest first, and how many there are; of one session or of all."""
    mine = (
        select(messages)
        .join_from(messages, conversations, messages.c.conversation_id == conversations.c.id)
        .where(conversations.c.actor == actor)
    )
    if session_id is not None:
        mine = mine.where(conversations.c.session_id == session_id)
    total = await transaction.scalar(mine.with_only_columns(func.count()))
    rows = await transaction.all(
        mine.order_by(messages.c.created_at, messages.c.conversation_id, messages.c.sequence)
        .limit(limit)
        .offset(offset)
    )
    return [_message(row) for row in rows], int(total)


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        row.id,
        row.session_id,
        row.actor,
        row.language,
        row.owner,
        row.assistant_revision,
        row.state,
        row.next_sequence,
    )


def _message(row: Row[Any]) -> Message:
    return Message(
        row.id,
        row.role,
        row.content,
        row.language,
        row.intent,
        row.confidence,
        row.sources,
        row.attachments,
        row.created_at,
    )
