"""Who answers a conversation, and what may change that: a pure state machine.

    bot ──request──▶ waiting ──take──▶ human ──hand back──▶ bot
     ▲                  │  ▲             │
     └──too long────────┘  └──silent─────┘          any ──close──▶ closed ──message──▶ bot

The assistant answers while nobody has taken a conversation, so that it never goes silent; a
timer watches over every promise, and says or moves something a bounded number of times between
two events from outside, so that it never loops. Timers count the time that service is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core.errors import Conflict
from services.tickets.calendar import Calendar, is_open, next_opening, working_time_after

Owner = Literal["bot", "waiting", "human", "closed"]
# Phrases of the catalogue that a change lets a customer read.
Notice = Literal[
    "handoff_joined",
    "handoff_late",
    "handoff_expired",
    "handoff_requeued",
    "handoff_returned",
    "handoff_ended",
]
# What a customer's message gets: the assistant's answer, the word that a person has it, or
# nothing for now, because that has been said and the person is there.
AnsweredBy = Literal["bot", "human", "quiet"]

# A waiting customer is told so often, then the request ends and the assistant goes on alone.
LATE_AFTER = (timedelta(minutes=10), timedelta(minutes=30))
EXPIRES_AFTER = timedelta(hours=4)
# A person who does not answer for so long gives the conversation back to the queue.
SILENT_AFTER = timedelta(minutes=10)
# A customer who writes on while the person says nothing is told again that it was heard: after
# this time, then after twice as long each time.
HEARD_AGAIN_AFTER = timedelta(minutes=3)


@dataclass(frozen=True)
class HandoffState:
    """Where a conversation stands; `due_at` is when its timer fires, None where none runs.

    `unanswered_since` is when the customer wrote what the person in charge has not answered;
    `notices` counts what a waiting customer was told, or that a person's customer was heard.
    """

    owner: Owner
    since: datetime
    assignee_id: UUID | None = None
    notices: int = 0
    unanswered_since: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """What an event makes of a state, and what the customer is told."""

    state: HandoffState
    notice: Notice | None = None


class TakenByAnother(Conflict):
    """Somebody else has the conversation."""

    def __init__(self, assignee_id: UUID | None) -> None:
        super().__init__(
            "Another agent has this conversation; it can be assigned to you.",
            {"assignee_id": str(assignee_id)},
        )


def new_state(now: datetime) -> HandoffState:
    """Every conversation begins with the assistant."""
    return HandoffState("bot", now)


def request(state: HandoffState, now: datetime, calendar: Calendar) -> Change:
    """A person is asked for; who waits already, or has one, stays where they are."""
    if state.owner in ("waiting", "human"):
        return Change(state)
    return Change(_waiting(now, now, calendar))


def withdraw(state: HandoffState, now: datetime, calendar: Calendar) -> Change:
    """The customer no longer waits for a person; one who has come stays."""
    return Change(new_state(now) if state.owner == "waiting" else state)


def take(state: HandoffState, agent_id: UUID, now: datetime, calendar: Calendar) -> Change:
    """An agent takes the conversation; raises TakenByAnother. Taking it twice changes nothing."""
    if state.owner == "human":
        if state.assignee_id != agent_id:
            raise TakenByAnother(state.assignee_id)
        return Change(state)
    # Who waited is owed a word from the person who has come.
    owed = now if state.owner == "waiting" else None
    return Change(_human(state, agent_id, now, owed, calendar), "handoff_joined")


def assign(state: HandoffState, agent_id: UUID, now: datetime, calendar: Calendar) -> Change:
    """Give the conversation to an agent, whoever has it now."""
    if state.owner == "human" and state.assignee_id == agent_id:
        return Change(state)
    owed = now if state.owner == "waiting" else state.unanswered_since
    return Change(_human(state, agent_id, now, owed, calendar), "handoff_joined")


def customer_wrote(
    state: HandoffState, now: datetime, calendar: Calendar
) -> tuple[HandoffState, AnsweredBy]:
    """A message of the customer: who answers it; one to a closed conversation opens it again."""
    if state.owner == "closed":
        return new_state(now), "bot"
    if state.owner != "human":
        return state, "bot"
    if state.unanswered_since is None:
        due_at = working_time_after(calendar, now, SILENT_AFTER)
        state = replace(state, unanswered_since=now, due_at=due_at)
    if not _is_to_be_told(state, now):
        return state, "quiet"
    return replace(state, notices=state.notices + 1), "human"


def _is_to_be_told(state: HandoffState, now: datetime) -> bool:
    """Whether to say that the message was heard: once after each take, then rarer and rarer."""
    if state.notices == 0 or state.unanswered_since is None:
        return True
    return now - state.unanswered_since >= HEARD_AGAIN_AFTER * (1 << min(state.notices - 1, 20))


def agent_wrote(state: HandoffState, agent_id: UUID, now: datetime, calendar: Calendar) -> Change:
    """A message of an agent; raises Conflict for one who has not taken the conversation.

    Writing in a closed conversation takes it: the customer's answer must find somebody.
    """
    if state.owner == "closed":
        return Change(_human(state, agent_id, now, None, calendar))
    if state.owner != "human":
        raise Conflict("Take the conversation before you write in it.", {"owner": state.owner})
    if state.assignee_id != agent_id:
        raise TakenByAnother(state.assignee_id)
    # The time until the customer is told again begins anew.
    told = min(state.notices, 1)
    return Change(replace(state, notices=told, unanswered_since=None, due_at=None))


def hand_back(state: HandoffState, agent_id: UUID | None, now: datetime) -> Change:
    """The assistant goes on; `agent_id` None for who may end what others do.

    Raises Conflict where no person has it. Handing back a request that waits declines it.
    """
    if state.owner in ("bot", "closed"):
        raise Conflict("The assistant has this conversation already.", {"owner": state.owner})
    _require_own(state, agent_id)
    return Change(new_state(now), "handoff_returned")


def close(state: HandoffState, agent_id: UUID | None, now: datetime) -> Change:
    """End the conversation; closing it twice changes nothing."""
    if state.owner == "closed":
        return Change(state)
    _require_own(state, agent_id)
    return Change(HandoffState("closed", now), "handoff_ended")


def time_passed(state: HandoffState, now: datetime, calendar: Calendar) -> Change:
    """What is due now: a waiting customer is told, a silent agent loses the conversation."""
    if state.due_at is None or now < state.due_at:
        return Change(state)
    if state.owner == "human":
        since = state.unanswered_since or now
        # Who waits again keeps their place: the wait began when they wrote.
        return Change(_waiting(now, since, calendar), "handoff_requeued")
    if state.owner != "waiting":
        return Change(replace(state, due_at=None))
    if state.notices >= len(LATE_AFTER):
        return Change(new_state(now), "handoff_expired")
    told = replace(state, notices=state.notices + 1)
    due_at = max(_next_notice(told, calendar), _a_little_later(now, calendar))
    return Change(replace(told, due_at=due_at), "handoff_late")


def reopening(calendar: Calendar, now: datetime) -> datetime | None:
    """When service opens again; None while it is open."""
    return None if is_open(calendar, now) else next_opening(calendar, now)


def _waiting(now: datetime, since: datetime, calendar: Calendar) -> HandoffState:
    state = HandoffState("waiting", since)
    due_at = max(_next_notice(state, calendar), _a_little_later(now, calendar))
    return replace(state, due_at=due_at)


def _human(
    state: HandoffState,
    agent_id: UUID,
    now: datetime,
    owed: datetime | None,
    calendar: Calendar,
) -> HandoffState:
    due_at = working_time_after(calendar, now, SILENT_AFTER) if owed is not None else None
    return HandoffState("human", now, agent_id, 0, owed, due_at)


def _next_notice(state: HandoffState, calendar: Calendar) -> datetime:
    waits = (*LATE_AFTER, EXPIRES_AFTER)
    return working_time_after(calendar, state.since, waits[state.notices])


def _a_little_later(now: datetime, calendar: Calendar) -> datetime:
    """Timers that are late do not say everything at once."""
    return working_time_after(calendar, now, timedelta(minutes=1))


def _require_own(state: HandoffState, agent_id: UUID | None) -> None:
    if state.owner == "human" and agent_id is not None and state.assignee_id != agent_id:
        raise TakenByAnother(state.assignee_id)
