"""Working time: intervals, public holidays, exceptions, and the two nights when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tickets.calendar import (
    ALWAYS,
    Calendar,
    Interval,
    calendar_as_json,
    calendar_from_json,
    is_open,
    next_opening,
    working_time_after,
    working_time_between,
)

PARIS = ZoneInfo("Europe/Paris")
OFFICE = (Interval(9 * 60, 12 * 60 + 30), Interval(14 * 60, 19 * 60))
SHOP = Calendar(weekly=(OFFICE,) * 6 + ((),), holidays="FR")

moments = st.datetimes(
    min_value=datetime(2024, 1, 1), max_value=datetime(2032, 1, 1), timezones=st.just(UTC)
)
durations = st.timedeltas(timedelta(), timedelta(hours=80))


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, ...]:
    ends = sorted(draw(st.sets(st.integers(0, 24 * 60), max_size=6)))
    pairs = zip(ends[::2], ends[1::2], strict=False)
    return tuple(Interval(opens, closes) for opens, closes in pairs)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = draw(st.tuples(*[intervals()] * 7).filter(any))
    zone = draw(st.sampled_from(["Europe/Paris", "UTC", "America/New_York", "Australia/Lord_Howe"]))
    holidays = draw(st.sampled_from([None, "FR", "FR-ALSACE-MOSELLE"]))
    days = st.dates(date(2024, 1, 1), date(2032, 12, 31))
    exceptions = draw(st.dictionaries(days, intervals(), max_size=3))
    return Calendar(zone, weekly, holidays, exceptions)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-12T12:29", True),
        ("2026-01-12T12:30", False),  # lunch
        ("2026-01-12T14:00", True),
        ("2026-01-11T10:00", False),  # Sunday
        ("2026-04-06T10:00", False),  # Easter Monday
        ("2027-03-29T10:00", False),  # Easter Monday of the next year
        ("2026-05-14T10:00", False),  # Ascension
        ("2026-07-14T10:00", False),
        ("2026-12-26T10:00", True),  # a holiday in Strasbourg only
    ],
)
def test_that_hours_and_holidays_count(moment: str, expected: bool) -> None:
    assert is_open(SHOP, paris(moment)) is expected


def test_that_alsace_and_moselle_have_two_more_days() -> None:
    there = Calendar(weekly=SHOP.weekly, holidays="FR-ALSACE-MOSELLE")
    for day in ("2026-04-03T10:00", "2026-12-26T10:00"):
        assert is_open(SHOP, paris(day))
        assert not is_open(there, paris(day))


def test_that_an_exception_replaces_a_day_even_a_holiday() -> None:
    christmas_eve, sunday = date(2026, 12, 24), date(2026, 12, 20)
    calendar = Calendar(
        weekly=SHOP.weekly, holidays="FR", exceptions={christmas_eve: (), sunday: OFFICE}
    )
    assert not is_open(calendar, paris("2026-12-24T10:00"))
    assert is_open(calendar, paris("2026-12-20T10:00"))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-01-12T10:00", 4, "2026-01-12T15:30"),  # over lunch
        ("2026-01-10T18:00", 2, "2026-01-12T10:00"),  # over Sunday
        ("2026-04-04T18:30", 1, "2026-04-07T09:30"),  # over Easter
        ("2026-12-24T18:30", 1, "2026-12-26T09:30"),
    ],
)
def test_that_a_deadline_skips_what_is_closed(start: str, hours: int, end: str) -> None:
    found = working_time_after(SHOP, paris(start), timedelta(hours=hours))
    assert found == paris(end)


def test_that_a_night_shift_loses_and_gains_the_hour_of_the_clocks() -> None:
    night = Calendar(weekly=((Interval(0, 6 * 60),),) * 7)
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    for day, hours in ((spring, 5), (autumn, 7), (date(2026, 1, 12), 6)):
        start = datetime.combine(day, datetime.min.time(), PARIS)
        assert working_time_between(night, start, start + timedelta(hours=12)) == timedelta(
            hours=hours
        )


def test_that_an_opening_within_the_missing_hour_is_the_change_itself() -> None:
    early = Calendar(weekly=((Interval(150, 300),),) * 7)
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_opening(early, change - timedelta(hours=1)) == change
    assert is_open(early, change)
    assert not is_open(early, change - timedelta(minutes=1))


@given(moments, durations)
def test_that_the_default_runs_around_the_clock(start: datetime, duration: timedelta) -> None:
    assert working_time_after(ALWAYS, start, duration) - start == duration
    # The same by the long way: no hour is lost or doubled between two days.
    long_way = Calendar(exceptions={date(2000, 1, 1): ()})
    assert working_time_after(long_way, start, duration) - start == duration


@settings(deadline=None)
@given(calendars(), moments, durations)
def test_that_what_is_added_is_what_has_passed(
    calendar: Calendar, start: datetime, duration: timedelta
) -> None:
    end = working_time_after(calendar, start, duration)
    assert end >= start + duration
    assert working_time_between(calendar, start, end) == duration
    if duration:
        just_before = end - timedelta(microseconds=1)
        assert working_time_between(calendar, start, just_before) < duration


@settings(deadline=None)
@given(calendars(), moments, durations, durations)
def test_that_waiting_in_two_parts_is_waiting_once(
    calendar: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    middle = working_time_after(calendar, start, first)
    assert working_time_after(calendar, middle, second) == working_time_after(
        calendar, start, first + second
    )


@settings(deadline=None)
@given(calendars(), moments)
def test_that_it_opens_when_it_says(calendar: Calendar, moment: datetime) -> None:
    opening = next_opening(calendar, moment)
    assert opening > moment
    assert is_open(calendar, opening) or working_time_between(
        calendar, opening, opening + timedelta(minutes=1)
    ) < timedelta(minutes=1)
    if not is_open(calendar, moment):
        assert working_time_between(calendar, moment, opening) == timedelta()


@given(calendars())
def test_that_a_stored_calendar_is_the_same(calendar: Calendar) -> None:
    assert calendar_from_json(calendar_as_json(calendar)) == calendar


@pytest.mark.parametrize(
    "stored",
    [
        {"weekly": {}},
        {"weekly": {"monday": ["12:00-09:00"]}},
        {"weekly": {"monday": ["9h-12h"]}},
        {"weekly": {"lundi": ["09:00-12:00"]}},
        {"weekly": {"monday": ["09:00-12:00", "11:00-13:00"]}},
        {"weekly": {"monday": ["09:00-12:00"]}, "holidays": "MOON"},
        {"weekly": {"monday": ["09:00-12:00"]}, "time_zone": "Europe/Nowhere"},
    ],
)
def test_that_a_calendar_that_makes_no_sense_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        calendar_from_json(stored)
