"""Deadlines and the state of the clock, whatever the moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tickets.problems import PRIORITY_OF_SEVERITY, SEVERITIES, Priority
from services.tickets.sla import RESPONSE_HOURS, response_deadline, seconds_left, sla_state

moments = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)
)
priorities = st.sampled_from(sorted(RESPONSE_HOURS))
ORDER = {"ok": 0, "due_soon": 1, "breached": 2}


@pytest.mark.parametrize(
    ("priority", "hours"), [("urgent", 4), ("high", 8), ("medium", 24), ("low", 48)]
)
def test_that_each_priority_has_its_exact_time(priority: Priority, hours: int) -> None:
    # The seed's own example: filed at 10:30, medium, due at 10:30 of the next day.
    filed = datetime(2025, 1, 9, 10, 30, tzinfo=UTC)
    assert response_deadline(priority, filed) - filed == timedelta(hours=hours)


def test_that_every_severity_has_a_priority_with_a_deadline() -> None:
    assert {PRIORITY_OF_SEVERITY[severity] for severity in SEVERITIES} == set(RESPONSE_HOURS)


@given(moments, priorities)
def test_that_the_clock_runs_through_nights_and_changes_of_hour(
    filed: datetime, priority: Priority
) -> None:
    in_paris = filed.astimezone(ZoneInfo("Europe/Paris"))
    elapsed = response_deadline(priority, in_paris) - filed
    assert elapsed == timedelta(hours=RESPONSE_HOURS[priority])


@given(moments, priorities, st.lists(st.integers(0, 100 * 3600), min_size=2, max_size=6))
def test_that_an_unanswered_ticket_only_gets_worse(
    filed: datetime, priority: Priority, waits: list[int]
) -> None:
    deadline = response_deadline(priority, filed)
    states = [
        sla_state(filed, deadline, None, filed + timedelta(seconds=seconds))
        for seconds in sorted(waits)
    ]
    assert [ORDER[state] for state in states] == sorted(ORDER[state] for state in states)


@given(moments, priorities, st.integers(-3600, 100 * 3600))
def test_that_breached_means_past_the_deadline(
    filed: datetime, priority: Priority, seconds: int
) -> None:
    deadline = response_deadline(priority, filed)
    now = filed + timedelta(seconds=seconds)
    assert (sla_state(filed, deadline, None, now) == "breached") == (
        seconds_left(deadline, now) < 0
    )


@given(moments, priorities, st.integers(0, 100 * 3600), st.integers(0, 100 * 3600))
def test_that_an_answer_settles_the_state_for_ever(
    filed: datetime, priority: Priority, answered_after: int, later: int
) -> None:
    deadline = response_deadline(priority, filed)
    answered = filed + timedelta(seconds=answered_after)
    state = sla_state(filed, deadline, answered, answered + timedelta(seconds=later))
    assert state == ("ok" if answered <= deadline else "breached")


def test_that_the_last_quarter_is_due_soon() -> None:
    filed = datetime(2025, 1, 9, 10, 30, tzinfo=UTC)
    deadline = response_deadline("urgent", filed)
    assert sla_state(filed, deadline, None, filed + timedelta(hours=3)) == "ok"
    assert sla_state(filed, deadline, None, filed + timedelta(hours=3, seconds=1)) == "due_soon"
    assert sla_state(filed, deadline, None, deadline) == "due_soon"
    assert sla_state(filed, deadline, None, deadline + timedelta(seconds=1)) == "breached"
