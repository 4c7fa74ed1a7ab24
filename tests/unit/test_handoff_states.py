"""The handoff machine under any order of events, with a clock that is moved by hand.

Never silent: a customer's message is answered by the assistant, or a person has it and a timer
watches that person. Never looping: left alone, every conversation comes to rest.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.errors import Conflict
from services.conversations import handoff_states as handoff
from services.conversations.handoff_states import (
    EXPIRES_AFTER,
    HEARD_AGAIN_AFTER,
    LATE_AFTER,
    SILENT_AFTER,
    HandoffState,
    TakenByAnother,
)
from services.tickets.calendar import (
    ALWAYS,
    Calendar,
    Interval,
    is_open,
    working_time_after,
    working_time_between,
)

SHOP = Calendar(weekly=((Interval(9 * 60, 19 * 60),),) * 6 + ((),), holidays="FR")
MONDAY = datetime(2026, 1, 12, 9, tzinfo=UTC)
AGENTS = (UUID(int=1), UUID(int=2))
agents = st.sampled_from(AGENTS)
# More often than this nothing can be said or moved without an event from outside:
# a silent agent, every notice of lateness, and the end of the wait.
MOST_TIMERS = 1 + len(LATE_AFTER) + 1


class Conversation(RuleBasedStateMachine):
    """A conversation, its customer, two agents, and the time."""

    state: HandoffState
    now: datetime
    calendar: Calendar
    timers = 0

    @initialize(calendar=st.sampled_from([ALWAYS, SHOP]), hours=st.integers(0, 24 * 14))
    def begin(self, calendar: Calendar, hours: int) -> None:
        self.calendar, self.now = calendar, MONDAY + timedelta(hours=hours)
        self.state = handoff.new_state(self.now)

    def _become(self, state: HandoffState) -> None:
        self.state = state
        self.timers = 0

    @rule()
    def request(self) -> None:
        before = self.state
        after = handoff.request(before, self.now, self.calendar).state
        assert after.owner in ("waiting", "human")
        if before.owner in ("waiting", "human"):
            assert after == before, "asking again neither restarts the wait nor loses a place"
        self._become(after)

    @rule()
    def withdraw(self) -> None:
        before = self.state
        after = handoff.withdraw(before, self.now, self.calendar).state
        if before.owner == "waiting":
            assert after.owner == "bot"
        else:
            assert after == before, "nobody but who waits can take a request back"
        self._become(after)

    @rule(agent=agents)
    def take(self, agent: UUID) -> None:
        if self.state.owner == "human" and self.state.assignee_id != agent:
            with pytest.raises(TakenByAnother):
                handoff.take(self.state, agent, self.now, self.calendar)
            return
        self._become(handoff.take(self.state, agent, self.now, self.calendar).state)
        assert (self.state.owner, self.state.assignee_id) == ("human", agent)

    @rule(agent=agents)
    def assign(self, agent: UUID) -> None:
        self._become(handoff.assign(self.state, agent, self.now, self.calendar).state)
        assert (self.state.owner, self.state.assignee_id) == ("human", agent)

    @rule()
    def customer_writes(self) -> None:
        before = self.state.owner
        after, answered_by = handoff.customer_wrote(self.state, self.now, self.calendar)
        self._become(after)
        if before == "human":
            assert answered_by in ("human", "quiet")
            assert answered_by == "human" or after.notices > 0, "nobody has told them"
            assert after.due_at is not None, "nobody watches whether the person answers"
            promised = working_time_after(self.calendar, self.now, SILENT_AFTER)
            assert after.due_at <= promised
        else:
            assert answered_by == "bot"
            assert after.owner != "closed", "a closed conversation would swallow the next message"

    @rule(agent=agents)
    def agent_writes(self, agent: UUID) -> None:
        allowed = self.state.owner == "closed" or (
            self.state.owner == "human" and self.state.assignee_id == agent
        )
        if not allowed:
            with pytest.raises(Conflict):
                handoff.agent_wrote(self.state, agent, self.now, self.calendar)
            return
        self._become(handoff.agent_wrote(self.state, agent, self.now, self.calendar).state)
        assert self.state.owner == "human"
        assert self.state.unanswered_since is None

    @rule(agent=agents | st.none())
    def hand_back(self, agent: UUID | None) -> None:
        mine = agent is None or self.state.assignee_id == agent
        if self.state.owner in ("bot", "closed") or (self.state.owner == "human" and not mine):
            with pytest.raises(Conflict):
                handoff.hand_back(self.state, agent, self.now)
            return
        change = handoff.hand_back(self.state, agent, self.now)
        assert change.notice is not None
        self._become(change.state)
        assert self.state.owner == "bot"

    @rule(agent=agents | st.none())
    def close(self, agent: UUID | None) -> None:
        if self.state.owner == "human" and agent not in (None, self.state.assignee_id):
            with pytest.raises(TakenByAnother):
                handoff.close(self.state, agent, self.now)
            return
        self._become(handoff.close(self.state, agent, self.now).state)
        assert self.state.owner == "closed"

    @rule(minutes=st.integers(1, 60 * 24 * 3))
    def time_passes(self, minutes: int) -> None:
        """The clock moves on; the timer is looked at late, as a busy process would."""
        self.now += timedelta(minutes=minutes)
        self._look_at_timer()

    @precondition(lambda self: self.state.due_at is not None)
    @rule()
    def timer_fires_on_time(self) -> None:
        assert self.state.due_at is not None
        self.now = max(self.now, self.state.due_at)
        before = self.state
        self._look_at_timer()
        assert self.state != before, "a timer that fires changes something"

    def _look_at_timer(self) -> None:
        before = self.state
        change = handoff.time_passed(before, self.now, self.calendar)
        if change.state != before:
            self.timers += 1
            assert change.notice is not None, "what a timer does, the customer is told"
            again = handoff.time_passed(change.state, self.now, self.calendar)
            assert again.state == change.state, "a late timer says everything at once"
        self.state = change.state

    @invariant()
    def never_loops(self) -> None:
        assert self.timers <= MOST_TIMERS

    @invariant()
    def whoever_waits_is_watched_over(self) -> None:
        if not hasattr(self, "state"):
            return
        owner, due_at = self.state.owner, self.state.due_at
        owes = owner == "waiting" or self.state.unanswered_since is not None
        assert (due_at is not None) == owes
        assert (self.state.assignee_id is not None) == (owner == "human")
        if due_at is not None:
            longest = timedelta(hours=5)
            assert working_time_between(self.calendar, self.now, due_at) <= longest

    @invariant()
    def left_alone_it_comes_to_rest(self) -> None:
        if not hasattr(self, "state"):
            return
        state, now = self.state, self.now
        for _ in range(MOST_TIMERS + 1):
            if state.due_at is None:
                break
            now = max(now, state.due_at)
            state = handoff.time_passed(state, now, self.calendar).state
        assert state.due_at is None
        assert state.owner in ("bot", "human", "closed")
        # And there it still answers.
        answered, by = handoff.customer_wrote(state, now, self.calendar)
        assert by == "bot" or answered.due_at is not None


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_that_a_wait_is_told_twice_and_then_ends() -> None:
    state = handoff.request(handoff.new_state(MONDAY), MONDAY, SHOP).state
    told = []
    while state.due_at is not None:
        change = handoff.time_passed(state, state.due_at, SHOP)
        told.append((change.notice, working_time_between(SHOP, MONDAY, state.due_at)))
        state = change.state
    late, later = LATE_AFTER
    assert told == [
        ("handoff_late", late),
        ("handoff_late", later),
        ("handoff_expired", EXPIRES_AFTER),
    ]
    assert state.owner == "bot"


def test_that_a_closed_night_is_no_waiting_time() -> None:
    evening = datetime(2026, 1, 12, 17, 55, tzinfo=UTC)  # 18:55 in Paris
    state = handoff.request(handoff.new_state(evening), evening, SHOP).state
    assert state.due_at == datetime(2026, 1, 13, 8, 5, tzinfo=UTC)
    sunday = datetime(2026, 1, 11, 12, tzinfo=UTC)
    assert handoff.reopening(SHOP, sunday) == datetime(2026, 1, 12, 8, tzinfo=UTC)
    assert handoff.reopening(SHOP, MONDAY) is None
    assert is_open(SHOP, MONDAY)


def test_that_a_silent_agent_loses_the_conversation_and_the_customer_keeps_the_place() -> None:
    state = handoff.take(handoff.new_state(MONDAY), AGENTS[0], MONDAY, SHOP).state
    wrote = MONDAY + timedelta(minutes=3)
    state, answered_by = handoff.customer_wrote(state, wrote, SHOP)
    assert answered_by == "human"
    change = handoff.time_passed(state, wrote + SILENT_AFTER, SHOP)
    assert (change.state.owner, change.notice) == ("waiting", "handoff_requeued")
    assert change.state.since == wrote
    assert change.state.assignee_id is None


def test_that_an_agent_who_takes_and_says_nothing_is_watched_too() -> None:
    asked = handoff.request(handoff.new_state(MONDAY), MONDAY, SHOP).state
    taken = handoff.take(asked, AGENTS[0], MONDAY, SHOP).state
    assert taken.due_at == MONDAY + SILENT_AFTER
    spoke = handoff.agent_wrote(taken, AGENTS[0], MONDAY, SHOP).state
    assert spoke.due_at is None


def test_that_a_customer_is_told_once_and_then_only_while_nobody_answers() -> None:
    state = handoff.take(handoff.new_state(MONDAY), AGENTS[0], MONDAY, SHOP).state
    told = []
    for minutes in range(0, 60, 1):
        now = MONDAY + timedelta(minutes=minutes)
        state, answered_by = handoff.customer_wrote(state, now, SHOP)
        if answered_by == "human":
            told.append(minutes)
    assert told == [0, 3, 6, 12, 24, 48]
    state = handoff.agent_wrote(state, AGENTS[0], MONDAY + timedelta(hours=1), SHOP).state
    back = MONDAY + timedelta(hours=1, minutes=1)
    state, answered_by = handoff.customer_wrote(state, back, SHOP)
    assert answered_by == "quiet", "the person is there"
    state, answered_by = handoff.customer_wrote(state, back + HEARD_AGAIN_AFTER, SHOP)
    assert answered_by == "human", "and has been silent for a while"


@given(st.lists(st.integers(0, 1_800), min_size=1, max_size=40))
def test_that_one_who_writes_without_end_is_told_less_and_less(gaps_seconds: list[int]) -> None:
    state = handoff.take(handoff.new_state(MONDAY), AGENTS[0], MONDAY, SHOP).state
    now, told = MONDAY, 0
    for gap in gaps_seconds:
        now += timedelta(seconds=gap)
        state, answered_by = handoff.customer_wrote(state, now, SHOP)
        told += answered_by == "human"
    assert told >= 1, "the first is heard"
    since = state.unanswered_since
    assert since is not None
    # The n-th time needs twice as long as the one before.
    assert told == 1 or now - since >= HEARD_AGAIN_AFTER * 2 ** (told - 2)
