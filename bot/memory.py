"""How a turn begins and ends in the database: two short transactions, nothing open between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from bot.assistant import Assistant
from bot.messages import IncomingMessage, Reply
from bot.turn import Turn
from core.database import Transaction
from core.errors import Conflict, SupportError
from core.postgresql_writes import NothingChanged
from core.runtime import Runtime
from core.telemetry import logger
from core.tools import store_audit
from services.conversations import conversations as store
from services.conversations.conversations import Conversation, Message, NewReply
from services.conversations.handoff import customer_wrote
from services.conversations.handoff_states import AnsweredBy
from services.conversations.lease import LeaseLost, LeaseTaken, give_back_lease, take_lease
from services.uploads.attachments import attach_to_message, usable_uploads
from services.uploads.uploads import Upload

# How often a message is stored anew where others write to its conversation at the same time.
ATTEMPTS = 5


@dataclass(frozen=True)
class Opening:
    """A stored message that waits for its reply; `earlier` is that reply if it was given before."""

    conversation: Conversation
    user_message_id: UUID
    sequence: int
    earlier: Message | None = None
    uploads: tuple[Upload, ...] = ()
    answered_by: AnsweredBy = "bot"


async def open_turn(message: IncomingMessage, assistant: Assistant, runtime: Runtime) -> Opening:
    """Store the message, unless the client has sent it before.

    Raises LeaseTaken where another process answers the conversation, Conflict where others keep
    writing to it.
    """
    for _ in range(ATTEMPTS):
        try:
            return await _open_once(message, assistant, runtime)
        except NothingChanged:
            continue
    raise Conflict("Others write to this conversation; send the message again in a moment.")


async def _open_once(message: IncomingMessage, assistant: Assistant, runtime: Runtime) -> Opening:
    principal, now = message.principal, runtime.clock()
    new = store.NewConversation(
        session_id=message.session_id,
        actor=principal.actor,
        customer_id=principal.customer_id,
        channel=message.channel,
        language=message.language or "fr",
        assistant_revision=assistant.revision,
        lease_holder=message.lease_holder,
    )
    conversation: Conversation | None = None
    try:
        async with runtime.database.transaction(principal.organization_id) as transaction:
            conversation = await store.open_conversation(transaction, new, now)
            earlier = await _answered_before(transaction, conversation, message, now)
            return earlier or await _store(transaction, conversation, message, now)
    except (NothingChanged, IntegrityError) as error:
        # Another message took the same number, here or on another process.
        if conversation is None or conversation.is_new:
            raise
        if conversation.lease_holder is not None:
            raise LeaseTaken(conversation.id) from error
        raise NothingChanged from error


async def _answered_before(
    transaction: Transaction, conversation: Conversation, message: IncomingMessage, now: datetime
) -> Opening | None:
    """What was stored when the client sent this message before; None if it did not."""
    if message.client_message_id is None or conversation.is_new:
        return None
    repeated = await store.find_repeated(transaction, conversation.id, message.client_message_id)
    if repeated is None:
        return None
    reply = await store.find_reply(transaction, repeated[0])
    if reply is None:
        await take_lease(transaction, conversation, now)
        # Whoever answered it may have finished since: the reply came with the end of their lease.
        reply = await store.find_reply(transaction, repeated[0])
        if reply is not None and conversation.lease_holder is not None:
            await give_back_lease(transaction, message.principal.actor, conversation.lease_holder)
    return Opening(conversation, *repeated, earlier=reply)


async def _store(
    transaction: Transaction, conversation: Conversation, message: IncomingMessage, now: datetime
) -> Opening:
    sent = await usable_uploads(transaction, message.attachments, message.principal)
    files = [upload.file_id for upload in sent]
    stored = await store.add_user_message(
        transaction, conversation, message.text, message.client_message_id, now, files
    )
    await attach_to_message(transaction, sent, stored[0], now)
    answered_by: AnsweredBy = "bot"
    if conversation.owner != "bot":
        owner, answered_by = await customer_wrote(transaction, conversation.id, now)
        conversation = replace(conversation, owner=owner)
    return Opening(conversation, *stored, uploads=tuple(sent), answered_by=answered_by)


async def close_turn(turn: Turn, reply: Reply) -> UUID:
    """Store the reply with its sources, the new state and the trace; returns the reply's id."""
    runtime = turn.runtime
    turn.note("done")
    new = NewReply(
        conversation=turn.conversation,
        user_message_id=turn.user_message_id,
        sequence=turn.sequence,
        content=reply.text,
        language=reply.language,
        owner=turn.owner,
        intent=reply.intent,
        confidence=reply.confidence,
        state=turn.state.as_json(),
        sources=reply.sources,
        attachments=reply.attachments(),
        trace=turn.trace,
        duration_ms=round(turn.trace[-1]["ms"]),
    )
    try:
        async with runtime.database.transaction(turn.principal.organization_id) as transaction:
            await store_audit(transaction, turn.audit)
            return await store.store_reply(transaction, new, runtime.clock())
    except NothingChanged:
        raise LeaseLost from None


async def keep_audit(turn: Turn) -> None:
    """Store what tools did in a turn that came to no reply, if that can be done now."""
    if not turn.audit:
        return
    try:
        async with turn.runtime.database.transaction(turn.principal.organization_id) as transaction:
            await store_audit(transaction, turn.audit)
    except SupportError:
        logger("bot.memory").warning("tool_audit_failed", count=len(turn.audit))
