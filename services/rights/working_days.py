"""Which days count in a period that a law or a shop grants, and on which day does it end?

Counting follows Regulation (EEC) 1182/71, art. 3: the day of the event is not counted, a period
ends with the last hour of its last day, and a Saturday, Sunday or public holiday at its end moves
it to the next working day. Periods in months or years end on the same day number, or on the
month's last day where that number is missing (C. proc. civ., art. 641).

Everything here is a calendar date: no time of day, no time zone.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Literal

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

Calendar = Literal["FR", "FR-ALSACE-MOSELLE", "BE", "LU"]
Calendars = tuple[Calendar, ...]

SATURDAY, SUNDAY = 5, 6
ONE_DAY = timedelta(days=1)

# (month, day). France: C. trav., art. L3133-1. Alsace and Moselle: art. L3134-13.
# Belgium: royal decree of 18 April 1974, art. 1. Luxembourg: Code du travail, art. L. 232-2.
_FRENCH_DAYS = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_FIXED_DAYS: dict[Calendar, tuple[tuple[int, int], ...]] = {
    "FR": _FRENCH_DAYS,
    "FR-ALSACE-MOSELLE": (*_FRENCH_DAYS, (12, 26)),
    "BE": ((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)),
    "LU": ((1, 1), (5, 1), (5, 9), (6, 23), (8, 15), (11, 1), (12, 25), (12, 26)),
}
_GOOD_FRIDAY, _EASTER_MONDAY, _ASCENSION, _WHIT_MONDAY = -2, 1, 39, 50
_DAYS_FROM_EASTER: dict[Calendar, tuple[int, ...]] = {
    "FR": (_EASTER_MONDAY, _ASCENSION, _WHIT_MONDAY),
    "FR-ALSACE-MOSELLE": (_GOOD_FRIDAY, _EASTER_MONDAY, _ASCENSION, _WHIT_MONDAY),
    "BE": (_EASTER_MONDAY, _ASCENSION, _WHIT_MONDAY),
    "LU": (_EASTER_MONDAY, _ASCENSION, _WHIT_MONDAY),
}


@cache
def public_holidays(calendar: Calendar, year: int) -> frozenset[date]:
    """The public holidays of one calendar in one year."""
    fixed = (date(year, month, day) for month, day in _FIXED_DAYS[calendar])
    sunday = easter(year)
    moving = (sunday + timedelta(days=days) for days in _DAYS_FROM_EASTER[calendar])
    return frozenset((*fixed, *moving))


def is_public_holiday(day: date, calendars: Calendars) -> bool:
    """Whether the day is a public holiday in any of the calendars."""
    return any(day in public_holidays(calendar, day.year) for calendar in calendars)


def is_working_day(day: date, calendars: Calendars) -> bool:
    """Whether the day is neither a Saturday, a Sunday nor a public holiday of any calendar."""
    return day.weekday() < SATURDAY and not is_public_holiday(day, calendars)


def end_of_period(event: date, days: int, calendars: Calendars) -> date:
    """The last day of a period of `days` after an event, moved on to a working day.

    The event's own day is not counted (Regulation 1182/71, art. 3 (1) and (4)).
    """
    return _or_next_working_day(event + timedelta(days=days), calendars)


def end_of_months(event: date, months: int, calendars: Calendars) -> date:
    """The last day of a period of `months` after an event, moved on to a working day."""
    return _or_next_working_day(months_after(event, months), calendars)


def end_of_open_days(event: date, days: int, calendars: Calendars) -> date:
    """The last of `days` days after an event that are neither Sundays nor public holidays.

    Saturdays count: it is how the three days of C. com., art. L133-3 are counted.
    """
    day = event
    for _ in range(days):
        day += ONE_DAY
        while day.weekday() == SUNDAY or is_public_holiday(day, calendars):
            day += ONE_DAY
    return day


def months_after(day: date, months: int) -> date:
    """The day with the same number some months later, or that month's last day."""
    return day + relativedelta(months=months)


def years_after(day: date, years: int) -> date:
    """The same day some years later; 28 February for a 29th that does not exist."""
    return day + relativedelta(years=years)


def _or_next_working_day(day: date, calendars: Calendars) -> date:
    while not is_working_day(day, calendars):
        day += ONE_DAY
    return day
