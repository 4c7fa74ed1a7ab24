"""Conversations and their messages: opened by session, numbered, read by their owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update

from core.database import Transaction
from services.conversations.lease import leased, take_lease_later
from services.conversations.tables import conversations, messages, turns

Role = Literal["user", "assistant", "agent", "system"]

# A turn stores its message and its reply: it takes two numbers at once.
SEQUENCES_PER_TURN = 2


# Constant statements: a turn runs each once, and building one costs more than running it.
_FIND_CONVERSATION = select(conversations).where(
    conversations.c.actor == bindparam("of_actor"),
    conversations.c.session_id == bindparam("of_session"),
)
_UPDATE_CONVERSATION = update(conversations).where(
    conversations.c.id == bindparam("of_conversation")
)
# Nobody has numbered a message since the conversation was read.
_NUMBER_MESSAGES = _UPDATE_CONVERSATION.where(
    conversations.c.next_sequence == bindparam("of_sequence")
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
    # Who answers its first message, where several processes might.
    lease_holder: str | None = None


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
    """The conversation of a session and actor, made when there is none.

    It is read without a lock: what numbers its messages makes sure that nobody did so meanwhile.
    """
    row = await transaction.peek(
        _FIND_CONVERSATION, {"of_actor": new.actor, "of_session": new.session_id}
    )
    if row is not None:
        return _conversation(row, new.lease_holder)
    values: dict[str, Any] = {
        "session_id": new.session_id,
        "actor": new.actor,
        "customer_id": new.customer_id,
        "channel": new.channel,
        "language": new.language,
        "owner": "bot",
        "assistant_revision": new.assistant_revision,
        "state": {},
        # The numbers of the turn that opens it are taken.
        "next_sequence": 1 + SEQUENCES_PER_TURN,
        "created_at": now,
        "updated_at": now,
        **leased(new.lease_holder, now),
    }
    return Conversation(
        id=await transaction.insert_later(conversations, values),
        session_id=new.session_id,
        actor=new.actor,
        language=new.language,
        owner="bot",
        assistant_revision=new.assistant_revision,
        state={},
        next_sequence=1,
        is_new=True,
        lease_holder=new.lease_holder,
    )


async def add_user_message(
    transaction: Transaction,
    conversation: Conversation,
    content: str,
    client_message_id: str | None,
    now: datetime,
    file_ids: Sequence[str] = (),
) -> tuple[UUID, int]:
    """Store a customer's message and reserve the number of its reply; returns id and number.

    The transaction ends in NothingChanged where somebody else has numbered a message since the
    conversation was read, or answers it.
    """
    sequence = conversation.next_sequence
    if not conversation.is_new:
        await _reserve_numbers(transaction, conversation, now)
    message_id = await transaction.insert_later(
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
    return message_id, sequence


async def _reserve_numbers(
    transaction: Transaction, conversation: Conversation, now: datetime
) -> None:
    following = conversation.next_sequence + SEQUENCES_PER_TURN
    if conversation.lease_holder is not None:
        await take_lease_later(transaction, conversation, now, following)
        return
    values = {
        "of_conversation": conversation.id,
        "of_sequence": conversation.next_sequence,
        "next_sequence": following,
        "updated_at": now,
    }
    await transaction.later(_NUMBER_MESSAGES, values, must_change=True)


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
    """Store a turn's end: the reply, what was understood, the trace, the state.

    The transaction ends in NothingChanged where the turn's lease has been lost.
    """
    conversation = reply.conversation
    await transaction.later(
        _UNDERSTAND_MESSAGE,
        {
            "of_message": reply.user_message_id,
            "language": reply.language,
            "intent": reply.intent,
            "confidence": reply.confidence,
        },
    )
    message_id = await transaction.insert_later(
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
    await transaction.insert_later(
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
    statement = _UPDATE_CONVERSATION
    if conversation.lease_holder is not None:
        statement = _UPDATE_LEASED_CONVERSATION
        ended |= {"lease_holder": None, "of_holder": conversation.lease_holder}
    await transaction.later(statement, ended, must_change=True)
    return message_id


async def read_history(
    transaction: Transaction,
    actor: str,
    session_id: str | None,
    limit: int,
    offset: int,
) -> tuple[list[Message], int]:
    """An actor's messages, oldest first, and how many there are; of one session or of all.

    Within a conversation their numbers say the order: clocks of two processes may differ, and a
    message may have waited for its turn.
    """
    mine = (
        select(messages)
        .join_from(messages, conversations, messages.c.conversation_id == conversations.c.id)
        .where(conversations.c.actor == actor)
    )
    if session_id is not None:
        mine = mine.where(conversations.c.session_id == session_id)
    total = await transaction.scalar(mine.with_only_columns(func.count()))
    moment = func.max(messages.c.created_at).over(
        partition_by=messages.c.conversation_id, order_by=messages.c.sequence
    )
    rows = await transaction.all(
        mine.order_by(moment, messages.c.conversation_id, messages.c.sequence)
        .limit(limit)
        .offset(offset)
    )
    return [_message(row) for row in rows], int(total)


def _conversation(row: Row[Any], lease_holder: str | None) -> Conversation:
    return Conversation(
        id=row.id,
        session_id=row.session_id,
        actor=row.actor,
        language=row.language,
        owner=row.owner,
        assistant_revision=row.assistant_revision,
        state=row.state,
        next_sequence=row.next_sequence,
        lease_holder=lease_holder,
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
