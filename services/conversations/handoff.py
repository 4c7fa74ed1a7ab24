"""Giving a conversation to a human and back: the state machine on real rows.

Every change is written only where the row still is as it was read: of two agents who take a
conversation at once exactly one has it, and the other is told.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, func, select, update

from core.database import Transaction
from core.errors import Conflict, NotFound
from core.outbox import Outbox
from services.conversations import handoff_states as states
from services.conversations.handoff_states import (
    AnsweredBy,
    Change,
    HandoffState,
    TakenByAnother,
    reopening,
)
from services.conversations.service_hours import service_hours
from services.conversations.tables import conversations, handoff_events
from services.tickets.calendar import Calendar, working_time_between

# A first estimate, until people have taken conversations: what one takes an agent.
MINUTES_A_CONVERSATION = 5
LONGEST_EXPECTED_MINUTES = 240
RECENT_TAKES = 20
RECENT_DAYS = 14
DUE_AT_ONCE = 100

Kind = Literal[
    "requested", "withdrawn", "taken", "assigned", "wrote", "handed_back", "closed", "timer"
]
Rule = Callable[[HandoffState, datetime, Calendar], Change]


@dataclass(frozen=True)
class Handoff:
    """Where a conversation stands.

    `owner` is waiting or human; `expected_wait_minutes` is None while service is closed, and
    `opens_at` (UTC) while it is open.
    """

    owner: Literal["waiting", "human"]
    is_open: bool
    opens_at: datetime | None
    expected_wait_minutes: int | None


@dataclass(frozen=True)
class Moved:
    """What an event did to a conversation: its row as it was, its state before and after."""

    row: Row[Any]
    before: HandoffState
    change: Change
    calendar: Calendar

    @property
    def state(self) -> HandoffState:
        return self.change.state

    @property
    def has_moved(self) -> bool:
        return (self.before.owner, self.before.assignee_id) != (
            self.state.owner,
            self.state.assignee_id,
        )


async def request_handoff(
    transaction: Transaction,
    outbox: Outbox,
    conversation_id: UUID,
    reason: str | None,
    now: datetime,
) -> Handoff:
    """Put a conversation in the queue for a human; a second request changes nothing."""
    moved = await move(transaction, conversation_id, states.request, "requested", "customer", now)
    if moved.has_moved:
        await transaction.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(handoff_reason=reason)
        )
        payload = {"conversation_id": str(conversation_id), "reason": reason}
        await outbox.add(transaction, "conversation.handoff_requested", payload)
    return await handoff_of(transaction, moved.state, moved.calendar, now)


async def withdraw_handoff(
    transaction: Transaction, conversation_id: UUID, now: datetime
) -> HandoffState:
    """Take a conversation out of the queue for its customer; a person who has come stays."""
    moved = await move(transaction, conversation_id, states.withdraw, "withdrawn", "customer", now)
    return moved.state


async def handoff_of(
    transaction: Transaction, state: HandoffState, calendar: Calendar, now: datetime
) -> Handoff:
    """What a customer is told about a conversation that waits or has somebody."""
    opens_at = reopening(calendar, now)
    waits = opens_at is None and state.owner == "waiting"
    return Handoff(
        "human" if state.owner == "human" else "waiting",
        opens_at is None,
        opens_at,
        await expected_wait_minutes(transaction, state.since, now) if waits else None,
    )


async def move(
    transaction: Transaction,
    conversation_id: UUID,
    rule: Rule,
    kind: Kind,
    actor: str,
    now: datetime,
) -> Moved:
    """Apply one event to a conversation and note it.

    Raises NotFound, what the rule raises, and Conflict where somebody else was faster.
    """
    row = await _locked(transaction, conversation_id)
    before = state_of(row, now)
    calendar = await service_hours(transaction)
    moved = Moved(row, before, rule(before, now, calendar), calendar)
    if moved.state != before:
        await _write(transaction, moved)
    if moved.has_moved:
        await _note(transaction, moved, kind, actor, now)
    return moved


async def customer_wrote(
    transaction: Transaction, conversation_id: UUID, now: datetime
) -> tuple[str, AnsweredBy]:
    """Note a message of the customer; returns who has the conversation, and who answers it."""
    row = await _locked(transaction, conversation_id)
    before = state_of(row, now)
    calendar = await service_hours(transaction)
    after, answered_by = states.customer_wrote(before, now, calendar)
    if after != before:
        await _write(transaction, Moved(row, before, Change(after), calendar))
    return after.owner, answered_by


async def due_conversations(transaction: Transaction, now: datetime) -> list[Row[Any]]:
    """Conversations of every organization whose timer is due."""
    rows = await transaction.all(
        select(conversations.c.id, conversations.c.organization_id)
        .where(conversations.c.owner.in_(("waiting", "human")))
        .where(conversations.c.handoff_due_at <= now)
        .order_by(conversations.c.handoff_due_at)
        .limit(DUE_AT_ONCE)
    )
    return list(rows)


async def expected_wait_minutes(transaction: Transaction, since: datetime, now: datetime) -> int:
    """How long one waits who waits since a moment: by what each place cost those before.

    The median of recent takes, each divided by the place that it began at; five minutes a place
    until there are any.
    """
    ahead = await waiting_before(transaction, since)
    takes = await transaction.all(
        select(handoff_events.c.waited_seconds, handoff_events.c.ahead)
        .where(handoff_events.c.kind == "taken", handoff_events.c.waited_seconds.is_not(None))
        .where(handoff_events.c.created_at > now - timedelta(days=RECENT_DAYS))
        .order_by(handoff_events.c.created_at.desc())
        .limit(RECENT_TAKES)
    )
    each = [take.waited_seconds / 60 / (1 + (take.ahead or 0)) for take in takes]
    a_place = statistics.median(each) if each else MINUTES_A_CONVERSATION
    return max(1, min(LONGEST_EXPECTED_MINUTES, round(a_place * (ahead + 1))))


async def waiting_before(transaction: Transaction, since: datetime) -> int:
    """How many conversations have waited longer."""
    count = await transaction.scalar(
        select(func.count())
        .select_from(conversations)
        .where(conversations.c.owner == "waiting", conversations.c.owner_since < since)
    )
    return int(count)


def state_of(row: Row[Any], now: datetime) -> HandoffState:
    """The state that a conversation's row holds."""
    return HandoffState(
        row.owner,
        row.owner_since or now,
        row.assignee_id,
        row.notices,
        row.unanswered_since,
        row.handoff_due_at,
    )


async def _locked(transaction: Transaction, conversation_id: UUID) -> Row[Any]:
    row = await transaction.first(
        select(conversations).where(conversations.c.id == conversation_id).with_for_update()
    )
    if row is None:
        raise NotFound("There is no such conversation.")
    return row


async def _write(transaction: Transaction, moved: Moved) -> None:
    row, state = moved.row, moved.state
    written = await transaction.execute(
        update(conversations)
        .where(conversations.c.id == row.id, conversations.c.owner == row.owner)
        .where(conversations.c.assignee_id.is_not_distinct_from(row.assignee_id))
        .values(
            owner=state.owner,
            owner_since=state.since,
            assignee_id=state.assignee_id,
            notices=state.notices,
            unanswered_since=state.unanswered_since,
            handoff_due_at=state.due_at,
        )
    )
    if written.rowcount != 1:
        if state.owner == "human":
            raise TakenByAnother(None)
        raise Conflict("Somebody else has just changed this conversation; read it again.")


async def _note(
    transaction: Transaction, moved: Moved, kind: Kind, actor: str, now: datetime
) -> None:
    waited: int | None = None
    ahead: int | None = None
    if moved.before.owner == "waiting" and moved.state.owner == "human":
        passed = working_time_between(moved.calendar, moved.before.since, now)
        waited = int(passed.total_seconds())
        ahead = await waiting_before(transaction, moved.before.since)
    await transaction.insert(
        handoff_events,
        {
            "conversation_id": moved.row.id,
            "kind": moved.change.notice or kind if kind == "timer" else kind,
            "actor": actor,
            "owner": moved.state.owner,
            "waited_seconds": waited,
            "ahead": ahead,
            "created_at": now,
        },
    )
