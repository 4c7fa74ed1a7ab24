"""A shop's promise: deadlines in its hours, pauses that give time back, and what is used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tickets.calendar import Calendar, Interval, working_time_between
from services.tickets.problems import Priority
from services.tickets.sla import (
    DEFAULT_POLICY,
    RESPONSE_HOURS,
    Escalation,
    SlaPolicy,
    changed_deadline,
    policy_from_json,
    response_deadline,
    resumed_deadline,
    share_used,
)

OFFICE = (Interval(9 * 60, 12 * 60), Interval(14 * 60, 19 * 60))
SHOP = SlaPolicy(Calendar(weekly=(OFFICE,) * 5 + ((), ()), holidays="FR"))
moments = st.datetimes(
    min_value=datetime(2024, 1, 1), max_value=datetime(2032, 1, 1), timezones=st.just(UTC)
)
priorities = st.sampled_from(sorted(RESPONSE_HOURS))
policies = st.sampled_from([DEFAULT_POLICY, SHOP])
waits = st.integers(0, 30 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


def test_that_a_friday_evening_is_due_on_monday() -> None:
    friday = datetime(2026, 1, 9, 17, tzinfo=UTC)  # 18:00 in Paris
    assert response_deadline("urgent", friday, SHOP) == datetime(2026, 1, 12, 11, tzinfo=UTC)


@settings(deadline=None)
@given(policies, priorities, moments, waits, waits)
def test_that_a_pause_gives_back_what_it_takes(
    policy: SlaPolicy, priority: Priority, filed: datetime, worked: timedelta, paused: timedelta
) -> None:
    deadline = response_deadline(priority, filed, policy)
    pause = filed + worked
    resumed = resumed_deadline(deadline, pause, pause + paused, policy)
    calendar = policy.calendar
    assert resumed >= deadline
    left_before = working_time_between(calendar, pause, deadline)
    left_after = working_time_between(calendar, pause + paused, resumed)
    assert left_before == (left_after if pause < deadline else timedelta())
    if not paused:
        assert working_time_between(calendar, deadline, resumed) == timedelta()


@settings(deadline=None)
@given(policies, priorities, moments, waits)
def test_that_the_share_is_one_at_the_deadline_and_only_grows(
    policy: SlaPolicy, priority: Priority, filed: datetime, later: timedelta
) -> None:
    deadline = response_deadline(priority, filed, policy)
    assert share_used(policy, priority, deadline, filed) == pytest.approx(0)
    assert share_used(policy, priority, deadline, deadline) == 1
    used = share_used(policy, priority, deadline, filed + later)
    assert used >= -1e-9
    late = working_time_between(policy.calendar, deadline, filed + later)
    assert (used > 1) == (late > timedelta())
    assert share_used(policy, priority, deadline, filed + later + timedelta(hours=1)) >= used


@settings(deadline=None)
@given(policies, priorities, priorities, moments, waits)
def test_that_another_priority_keeps_what_pauses_gave(
    policy: SlaPolicy, before: Priority, after: Priority, filed: datetime, paused: timedelta
) -> None:
    first = response_deadline(before, filed, policy)
    given_back = resumed_deadline(first, filed, filed + paused, policy)
    changed = changed_deadline(filed, given_back, before, after, policy)
    back = changed_deadline(filed, changed, after, before, policy)
    assert working_time_between(policy.calendar, back, given_back) == timedelta()
    assert working_time_between(policy.calendar, given_back, back) == timedelta()
    if not paused:
        assert changed == response_deadline(after, filed, policy)


def test_that_a_stored_policy_is_the_same() -> None:
    steps = (Escalation(0.5, "assignee"), Escalation(2, "managers", raise_priority=True))
    policy = SlaPolicy(SHOP.calendar, {**RESPONSE_HOURS, "urgent": 1.5}, steps)
    assert policy_from_json(policy.as_json()) == policy
    assert policy_from_json({}) == DEFAULT_POLICY


@pytest.mark.parametrize(
    "stored",
    [
        {"response_hours": {"urgent": 0}},
        {"response_hours": {"now": 1}},
        {"escalation": [{"after_share": 0, "notify": "managers"}]},
        {"escalation": [{"after_share": 1, "notify": "everybody"}]},
        {"escalation": [{"after_share": 1, "notify": "managers"}] * 11},
    ],
)
def test_that_a_policy_that_makes_no_sense_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        policy_from_json(stored)
