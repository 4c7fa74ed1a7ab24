"""When does the clock of a promise run, and when does a span of that time end?

A calendar has any number of intervals a weekday in local time, public holidays, and days that are
exceptions. All arithmetic is on moments in UTC: an hour that a change of clocks leaves out is not
counted, one that comes twice is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.rights.working_days import public_holidays

Holidays = Literal["FR", "FR-ALSACE-MOSELLE"]
HOLIDAYS: tuple[Holidays, ...] = ("FR", "FR-ALSACE-MOSELLE")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTES_A_DAY = 24 * 60
# A calendar that does not open for so long never does.
LONGEST_CLOSURE_DAYS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Interval:
    """From one minute of a local day (0) to another (at most 1,440: midnight)."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_A_DAY:
            raise ValueError("an interval opens before it closes, between 00:00 and 24:00")


Day = tuple[Interval, ...]
WHOLE_DAY: Day = (Interval(0, MINUTES_A_DAY),)


@dataclass(frozen=True)
class Calendar:
    """The hours that count: `weekly` from Monday on; `exceptions` replace a day's intervals."""

    time_zone: str = "Europe/Paris"
    weekly: tuple[Day, ...] = (WHOLE_DAY,) * 7
    holidays: Holidays | None = None
    exceptions: Mapping[date, Day] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.weekly) != len(WEEKDAYS) or not any(self.weekly):
            raise ValueError("a calendar has seven weekdays and opens on one of them at least")
        for day in (*self.weekly, *self.exceptions.values()):
            if any(one.closes > two.opens for one, two in pairwise(day)):
                raise ValueError("the intervals of a day follow one another")

    @property
    def is_always_open(self) -> bool:
        whole = all(day == WHOLE_DAY for day in (*self.weekly, *self.exceptions.values()))
        return whole and self.holidays is None

    def intervals_on(self, day: date) -> Day:
        """What counts of a local day."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.holidays is not None and day in public_holidays(self.holidays, day.year):
            return ()
        return self.weekly[day.weekday()]


# Contract row M09: the default runs around the clock, every day.
ALWAYS = Calendar()


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Whether this moment counts."""
    return any(start <= moment < end for start, end in _on_days_around(calendar, moment))


def next_opening(calendar: Calendar, moment: datetime) -> datetime:
    """The next moment after this one at which the calendar opens, in UTC."""
    for start, _ in _spans(calendar, moment):
        if start > moment:
            return start
    raise ValueError("this calendar never opens")


def working_time_after(calendar: Calendar, moment: datetime, duration: timedelta) -> datetime:
    """The moment, in UTC, at which so much time that counts has passed since `moment`."""
    moment = moment.astimezone(UTC)
    if calendar.is_always_open or not duration:
        return moment + duration
    left = duration
    for start, end in _spans(calendar, moment):
        begin = max(start, moment)
        if end - begin >= left:
            return begin + left
        left -= max(end - begin, timedelta())
    raise ValueError("this calendar never opens")


def working_time_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much time that counts lies between two moments; none where they are the wrong way."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        return timedelta()
    if calendar.is_always_open:
        return end - start
    passed = timedelta()
    for opens, closes in _spans(calendar, start, until=end):
        passed += max(min(closes, end) - max(opens, start), timedelta())
    return passed


def _spans(
    calendar: Calendar, moment: datetime, until: datetime | None = None
) -> Iterator[tuple[datetime, datetime]]:
    """What counts from the local day of a moment on, in UTC and in order.

    Ends behind `until`, or where the calendar has not opened for `LONGEST_CLOSURE_DAYS`.
    """
    day = moment.astimezone(_zone(calendar.time_zone)).date()
    closed_days = 0
    while closed_days <= LONGEST_CLOSURE_DAYS:
        closed_days += 1
        for interval in calendar.intervals_on(day):
            closed_days = 0
            span = _span(calendar, day, interval)
            if until is not None and span[0] >= until:
                return
            yield span
        day += _DAY
        if until is not None and day > until.date() + _DAY:
            return


def _on_days_around(calendar: Calendar, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    day = moment.astimezone(_zone(calendar.time_zone)).date()
    return (_span(calendar, day, interval) for interval in calendar.intervals_on(day))


def _span(calendar: Calendar, day: date, interval: Interval) -> tuple[datetime, datetime]:
    zone = _zone(calendar.time_zone)
    opens = _moment(zone, day, interval.opens, fold=0)
    return opens, max(opens, _moment(zone, day, interval.closes, fold=1))


def _moment(zone: ZoneInfo, day: date, minute: int, fold: int) -> datetime:
    """A local minute in UTC; of one that comes twice the `fold`, of one left out the change."""
    if minute == MINUTES_A_DAY:
        day, minute = day + _DAY, 0
    local = datetime.combine(day, time(minute // 60, minute % 60), zone)
    first, second = (local.replace(fold=one).astimezone(UTC) for one in (0, 1))
    if second >= first:
        return second if fold else first
    # The clocks skip this minute: the change lies between the two readings.
    after = second.astimezone(zone).utcoffset()
    while first - second > timedelta(seconds=1):
        middle = second + (first - second) / 2
        if middle.astimezone(zone).utcoffset() == after:
            second = middle
        else:
            first = middle
    return first.replace(microsecond=0)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def calendar_as_json(calendar: Calendar) -> dict[str, Any]:
    """A calendar as it is stored: intervals are texts such as `09:00-12:30`."""
    return {
        "time_zone": calendar.time_zone,
        "weekly": {
            name: [_as_text(one) for one in day]
            for name, day in zip(WEEKDAYS, calendar.weekly, strict=True)
        },
        "holidays": calendar.holidays,
        "exceptions": {
            day.isoformat(): [_as_text(one) for one in intervals]
            for day, intervals in sorted(calendar.exceptions.items())
        },
    }


def calendar_from_json(stored: Mapping[str, Any]) -> Calendar:
    """Read a calendar; raises ValueError saying what is wrong with it."""
    time_zone = str(stored.get("time_zone", "Europe/Paris"))
    try:
        _zone(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("time_zone: there is no such time zone") from error
    weekly = stored.get("weekly", {})
    unknown = set(weekly) - set(WEEKDAYS)
    if unknown:
        raise ValueError(f"weekly: name the days {', '.join(WEEKDAYS)}")
    holidays = stored.get("holidays")
    if holidays not in (None, *HOLIDAYS):
        raise ValueError(f"holidays: one of {', '.join(HOLIDAYS)}, or null")
    return Calendar(
        time_zone,
        tuple(_day(weekly.get(name, ())) for name in WEEKDAYS),
        holidays,
        {
            date.fromisoformat(day): _day(texts)
            for day, texts in stored.get("exceptions", {}).items()
        },
    )


def _day(texts: Any) -> Day:
    return tuple(sorted(_interval(str(text)) for text in texts))


def _interval(text: str) -> Interval:
    opens, _, closes = text.partition("-")
    return Interval(_minute(opens), _minute(closes))


def _minute(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise ValueError("write an interval as 09:00-12:30")
    return int(hours) * 60 + int(minutes)


def _as_text(interval: Interval) -> str:
    ends = (interval.opens, interval.closes)
    return "-".join(f"{end // 60:02d}:{end % 60:02d}" for end in ends)
