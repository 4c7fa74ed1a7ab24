"""When customer service is open, in summer and in winter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.conversations.service_hours import is_open, next_opening

moments = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2037, 1, 1), timezones=st.just(UTC)
)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-12T08:00+00:00", True),  # Monday, 9:00 in Paris
        ("2026-01-12T07:59+00:00", False),
        ("2026-07-13T07:00+00:00", True),  # Monday, 9:00 in Paris, summer time
        ("2026-07-13T17:00+00:00", False),  # 19:00
        ("2026-07-18T16:59+00:00", True),  # Saturday
        ("2026-07-19T12:00+00:00", False),  # Sunday
    ],
)
def test_that_service_is_open_on_weekdays_by_paris_time(moment: str, expected: bool) -> None:
    assert is_open(datetime.fromisoformat(moment)) is expected


@given(moments)
def test_that_the_next_opening_is_the_first_open_minute(moment: datetime) -> None:
    opening = next_opening(moment)
    assert moment < opening <= moment + timedelta(days=2, hours=1)
    assert is_open(opening)
    assert not is_open(opening - timedelta(minutes=1))
