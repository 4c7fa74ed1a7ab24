"""What agents do in a conversation, told to the customer's windows and to all consoles at once.

An agent's message or move waits for the turn in progress, on whichever process, and nothing of
another turn comes between it and its frames: customers read everything in one order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update

from bot.messages import IncomingMessage
from bot.phrasing import phrase
from channels.consoles import tell_desk
from channels.email import AGENT_ANSWER_TOPIC
from channels.frames import POSITIONS, Frame, channel_of, frame, message_frame
from channels.order import LOOK_SECONDS, WAIT_SECONDS, ConversationBusy, ConversationLocks
from channels.rejoin import rejoined_state
from channels.turns import KEPT_SECONDS
from core.database import Transaction
from core.errors import PermissionDenied
from core.runtime import Runtime
from core.schedules import Schedule
from core.security import Principal, principal_for_role
from core.telemetry import logger
from services.conversations import handoff_states as states
from services.conversations.desk import (
    NewMessage,
    add_message,
    find_message,
    names_of,
    read_conversation,
)
from services.conversations.handoff import (
    Kind,
    Moved,
    Rule,
    due_conversations,
    handoff_of,
    move,
)
from services.conversations.lease import LeaseTaken, give_back_lease, new_holder, take_lease
from services.conversations.stream import StoredMessage
from services.conversations.tables import conversations

MAXIMUM_REPLY_LENGTH = 10_000
# Before the message of the change, and in its place among the frames.
_HANDOFF_POSITION = POSITIONS - 2

_log = logger("channels.desk")


@dataclass(frozen=True)
class Done:
    """What came of an agent's action; `message` is what the customer now reads."""

    moved: Moved | None
    message: StoredMessage | None = None
    repeated: bool = False
    agent: str | None = None


@dataclass(frozen=True)
class Reply:
    """What an agent answers; `suggestion` says whether a proposed text was accepted or edited."""

    text: str
    client_message_id: str
    sources: Sequence[dict[str, Any]] = ()
    suggestion: str | None = None


def agent_of(principal: Principal) -> UUID:
    """The person behind a caller; raises PermissionDenied for an application."""
    principal.require("conversations:write")
    if principal.user_id is None:
        raise PermissionDenied("Only a person talks to customers; sign in.")
    return principal.user_id


def _supervised(principal: Principal) -> UUID | None:
    """Whose conversations the caller may end: their own, or for managers everybody's (None)."""
    agent_id = agent_of(principal)
    return None if principal.may("analytics:read") else agent_id


async def take(runtime: Runtime, principal: Principal, conversation_id: UUID) -> Done:
    """Take a conversation; raises TakenByAnother for all but the first."""
    agent_id = agent_of(principal)
    return await _move(
        runtime, principal, conversation_id, partial(_take, agent_id=agent_id), "taken"
    )


async def assign(
    runtime: Runtime, principal: Principal, conversation_id: UUID, assignee_id: UUID
) -> Done:
    """Give a conversation to an agent, whoever has it now."""
    principal.require("conversations:write")
    rule = partial(_assign, agent_id=assignee_id)
    return await _move(runtime, principal, conversation_id, rule, "assigned")


async def hand_back(runtime: Runtime, principal: Principal, conversation_id: UUID) -> Done:
    """Let the assistant go on; what people said meanwhile becomes part of what it knows."""
    rule = partial(_hand_back, agent_id=_supervised(principal))
    return await _move(runtime, principal, conversation_id, rule, "handed_back", learns=True)


async def close(runtime: Runtime, principal: Principal, conversation_id: UUID) -> Done:
    """End a conversation; a new message of the customer opens it again."""
    rule = partial(_close, agent_id=_supervised(principal))
    return await _move(runtime, principal, conversation_id, rule, "closed")


def _take(state: Any, now: datetime, calendar: Any, *, agent_id: UUID) -> states.Change:
    return states.take(state, agent_id, now, calendar)


def _assign(state: Any, now: datetime, calendar: Any, *, agent_id: UUID) -> states.Change:
    return states.assign(state, agent_id, now, calendar)


def _hand_back(state: Any, now: datetime, calendar: Any, *, agent_id: UUID | None) -> states.Change:
    return states.hand_back(state, agent_id, now)


def _close(state: Any, now: datetime, calendar: Any, *, agent_id: UUID | None) -> states.Change:
    return states.close(state, agent_id, now)


async def reply(runtime: Runtime, principal: Principal, conversation_id: UUID, new: Reply) -> Done:
    """Send a message of an agent; the same `client_message_id` sends nothing twice.

    Where the conversation was closed the customer is written to as well.
    """
    agent_id = agent_of(principal)
    sent_as = f"agent:{agent_id}:{new.client_message_id}"

    async def work(transaction: Transaction, row: Row[Any]) -> Done:
        earlier = await find_message(transaction, conversation_id, sent_as)
        if earlier is not None:
            return Done(None, earlier, repeated=True)
        rule: Rule = partial(_wrote, agent_id=agent_id)
        now = runtime.clock()
        moved = await move(transaction, conversation_id, rule, "wrote", principal.actor, now)
        name = (await names_of(transaction, {agent_id})).get(agent_id)
        attachments = {"author": {"id": str(agent_id), "name": name}}
        if new.suggestion is not None:
            attachments["suggestion"] = {"use": new.suggestion}
        message = NewMessage(
            "agent", new.text, row.language, sent_as, tuple(new.sources), attachments
        )
        stored = await add_message(transaction, conversation_id, message, now)
        if moved.before.owner == "closed":
            payload = {"conversation_id": str(conversation_id), "message_id": str(stored.id)}
            await runtime.outbox.add(transaction, AGENT_ANSWER_TOPIC, payload)
        return Done(moved, stored, agent=name)

    return await _act(runtime, principal.organization_id, conversation_id, work)


def _wrote(state: Any, now: datetime, calendar: Any, *, agent_id: UUID) -> states.Change:
    return states.agent_wrote(state, agent_id, now, calendar)


async def _move(
    runtime: Runtime,
    principal: Principal,
    conversation_id: UUID,
    rule: Rule,
    kind: Kind,
    learns: bool = False,
) -> Done:
    async def work(transaction: Transaction, row: Row[Any]) -> Done:
        now = runtime.clock()
        moved = await move(transaction, conversation_id, rule, kind, principal.actor, now)
        return await _told(runtime, transaction, moved)

    return await _act(runtime, principal.organization_id, conversation_id, work, learns)


async def _told(runtime: Runtime, transaction: Transaction, moved: Moved) -> Done:
    """Store what the customer is told of a change."""
    row, state = moved.row, moved.state
    names = await names_of(transaction, {state.assignee_id})
    agent = names.get(state.assignee_id) if state.assignee_id is not None else None
    if moved.change.notice is None:
        return Done(moved, agent=agent)
    text = phrase(row.language, moved.change.notice, agent=_first_name(agent))
    place = await _place(transaction, moved, agent, runtime.clock())
    message = NewMessage("system", text, row.language, attachments={"handoff": place})
    stored = await add_message(transaction, row.id, message, runtime.clock())
    return Done(moved, stored, agent=agent)


def _first_name(name: str | None) -> str:
    return (name or "").split(" ")[0]


async def _place(
    transaction: Transaction, moved: Moved, agent: str | None, now: datetime
) -> dict[str, Any]:
    """What a `handoff` frame says."""
    place: dict[str, Any] = {"owner": moved.state.owner, "agent": agent}
    if moved.state.owner == "waiting":
        waits = await handoff_of(transaction, moved.state, moved.calendar, now)
        place["expected_wait_minutes"] = waits.expected_wait_minutes
        place["opens_at"] = waits.opens_at.isoformat() if waits.opens_at else None
    return place


async def _act(
    runtime: Runtime,
    organization_id: UUID,
    conversation_id: UUID,
    work: Callable[[Transaction, Row[Any]], Awaitable[Done]],
    learns: bool = False,
) -> Done:
    """Do something in a conversation while no turn is in progress, and tell everybody.

    With `learns` the assistant reads what was said to a person once that person has gone.
    """
    async with runtime.database.reading(organization_id) as transaction:
        row = await read_conversation(transaction, conversation_id)
    async with _held(runtime, organization_id, row) as holder:
        learned = await rejoined_state(runtime, row) if learns and row.owner == "human" else None
        done = await _worked(runtime, organization_id, row, holder, _learning(work, learned))
        if done.message is not None and not done.repeated:
            channel = channel_of(organization_id, row.actor, row.session_id)
            items = [one.as_bytes() for one in _frames(done, done.message)]
            await runtime.broadcast.publish(channel, items, KEPT_SECONDS)
    if done.moved is not None and not done.repeated:
        await announce(runtime, organization_id, conversation_id, done.moved.state, done.message)
    return done


def _learning(
    work: Callable[[Transaction, Row[Any]], Awaitable[Done]], learned: Mapping[str, Any] | None
) -> Callable[[Transaction, Row[Any]], Awaitable[Done]]:
    """The same work, which also stores what the assistant has learned."""

    async def with_learning(transaction: Transaction, row: Row[Any]) -> Done:
        done = await work(transaction, row)
        if learned is not None and done.moved is not None and done.moved.has_moved:
            await transaction.execute(
                update(conversations).where(conversations.c.id == row.id).values(state=learned)
            )
        return done

    return with_learning if learned is not None else work


@asynccontextmanager
async def _held(
    runtime: Runtime, organization_id: UUID, row: Row[Any]
) -> AsyncIterator[str | None]:
    """Keep turns of a conversation waiting: in this process by its lock, elsewhere by a lease."""
    several = runtime.database.dialect == "postgresql"
    holder = new_holder() if several else None
    locks = runtime.parts.get(ConversationLocks) or ConversationLocks()
    customer = principal_for_role(organization_id, row.actor, "visitor")
    async with locks.ordered(IncomingMessage(customer, row.session_id, "")):
        try:
            yield holder
        finally:
            if holder is not None:
                async with runtime.database.transaction(organization_id) as transaction:
                    await give_back_lease(transaction, row.actor, holder)


@dataclass(frozen=True)
class _Leasable:
    id: UUID
    lease_holder: str | None
    next_sequence: int


async def _worked(
    runtime: Runtime,
    organization_id: UUID,
    row: Row[Any],
    holder: str | None,
    work: Callable[[Transaction, Row[Any]], Awaitable[Done]],
) -> Done:
    """Do the work in one transaction, once no other process answers the conversation."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            async with runtime.database.transaction(organization_id) as transaction:
                if holder is not None:
                    locked = await _locked(transaction, row.id)
                    leased = _Leasable(row.id, holder, locked.next_sequence)
                    await take_lease(transaction, leased, runtime.clock())
                return await work(transaction, row)
        except LeaseTaken:
            if time.monotonic() > until:
                raise ConversationBusy from None
            await asyncio.sleep(LOOK_SECONDS)


async def _locked(transaction: Transaction, id: UUID) -> Row[Any]:
    """The row as it stands, its lock held: `updated_at` is set to itself."""
    await transaction.execute(
        update(conversations)
        .where(conversations.c.id == id)
        .values(updated_at=conversations.c.updated_at)
    )
    return await read_conversation(transaction, id)


def _frames(done: Done, message: StoredMessage) -> list[Frame]:
    place = message.attachments.get("handoff")
    written = message_frame(message)
    if place is None:
        return [written]
    sequence = message.sequence * POSITIONS + _HANDOFF_POSITION
    return [frame("handoff", sequence, **place), written]


async def announce(
    runtime: Runtime,
    organization_id: UUID,
    conversation_id: UUID,
    state: states.HandoffState | None,
    message: StoredMessage | None = None,
) -> None:
    """Tell the organization's consoles that something has happened in a conversation."""
    more: dict[str, Any] = {}
    if state is not None:
        more = {"owner": state.owner, "assignee_id": state.assignee_id}
    if message is not None:
        more |= {"role": message.role, "sequence": message.sequence}
    await tell_desk(
        runtime, organization_id, "conversation", conversation_id=conversation_id, **more
    )


async def show_typing(
    runtime: Runtime,
    organization_id: UUID,
    actor: str,
    session_id: str,
    role: str,
    name: str | None,
) -> None:
    """Let everybody in a conversation see that somebody is writing; it is kept nowhere."""
    channel = channel_of(organization_id, actor, session_id)
    if runtime.broadcast.is_wanted(channel):
        typing = frame("typing", role=role, name=name)
        await runtime.broadcast.publish(channel, [typing.as_bytes()], KEPT_SECONDS)


async def agent_types(runtime: Runtime, principal: Principal, conversation_id: UUID) -> None:
    """An agent is writing in a conversation; raises NotFound."""
    agent_id = agent_of(principal)
    async with runtime.database.reading(principal.organization_id) as transaction:
        row = await read_conversation(transaction, conversation_id)
        name = (await names_of(transaction, {agent_id})).get(agent_id)
    organization_id = principal.organization_id
    await show_typing(runtime, organization_id, row.actor, row.session_id, "agent", name)
    await tell_desk(
        runtime,
        organization_id,
        "typing",
        conversation_id=conversation_id,
        agent_id=agent_id,
        name=name,
    )


async def run_timers(runtime: Runtime, now: datetime) -> int:
    """Do what is due in conversations of every organization; returns in how many."""
    async with runtime.database.reading(None, every_organization=True) as look:
        due = await due_conversations(look, now)
    done = 0
    for row in due:
        try:
            done += (await _run_timer(runtime, row.organization_id, row.id)).moved is not None
        except Exception:
            # One conversation that fails keeps no other from being told.
            _log.exception("handoff_timer_failed", conversation_id=str(row.id))
    return done


async def _run_timer(runtime: Runtime, organization_id: UUID, conversation_id: UUID) -> Done:
    async def work(transaction: Transaction, row: Row[Any]) -> Done:
        now = runtime.clock()
        moved = await move(transaction, conversation_id, states.time_passed, "timer", "system", now)
        return await _told(runtime, transaction, moved)

    return await _act(runtime, organization_id, conversation_id, work, learns=True)


HANDOFF_TIMERS = Schedule("handoff_timers", timedelta(seconds=15), afterwards=run_timers)
