"""How a turn begins and ends in the database: two short transactions, nothing open between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from bot.assistant import Assistant
from bot.messages import IncomingMessage, Reply
from bot.turn import Turn
from core.runtime import Runtime
from services.conversations import conversations as store
from services.conversations.conversations import Conversation, Message, NewReply
from services.conversations.handoff import customer_wrote
from services.conversations.lease import take_lease
from services.uploads.attachments import attach_to_message, usable_uploads
from services.uploads.uploads import Upload


@dataclass(frozen=True)
class Opening:
    """A stored message that waits for its reply; `earlier` is that reply if it was given before."""

    conversation: Conversation
    user_message_id: UUID
    sequence: int
    earlier: Message | None = None
    uploads: tuple[Upload, ...] = ()


async def open_turn(message: IncomingMessage, assistant: Assistant, runtime: Runtime) -> Opening:
    """Store the message, unless the client has sent it before."""
    principal, now = message.principal, runtime.clock()
    new = store.NewConversation(
        session_id=message.session_id,
        actor=principal.actor,
        customer_id=principal.customer_id,
        channel=message.channel,
        language=message.language or "fr",
        assistant_revision=assistant.revision,
    )
    async with runtime.database.transaction(principal.organization_id) as transaction:
        conversation = await store.open_conversation(transaction, new, now)
        conversation = replace(conversation, lease_holder=message.lease_holder)
        if message.client_message_id is not None and not conversation.is_new:
            repeated = await store.find_repeated(
                transaction, conversation.id, message.client_message_id
            )
            if repeated is not None:
                reply = await store.find_reply(transaction, repeated[0])
                if reply is None:
                    await take_lease(transaction, conversation, now)
                return Opening(conversation, *repeated, earlier=reply)
        sent = await usable_uploads(transaction, message.attachments, principal)
        stored = await store.add_user_message(
            transaction,
            conversation,
            message.text,
            message.client_message_id,
            now,
            [upload.file_id for upload in sent],
        )
        await attach_to_message(transaction, sent, stored[0], now)
        if conversation.owner != "bot":
            owner, _ = await customer_wrote(transaction, conversation.id, now)
            conversation = replace(conversation, owner=owner)
    return Opening(conversation, *stored, uploads=tuple(sent))


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
    async with runtime.database.transaction(turn.principal.organization_id) as transaction:
        return await store.store_reply(transaction, new, runtime.clock())
