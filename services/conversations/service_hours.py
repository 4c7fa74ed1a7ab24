"""When people answer: is customer service open now, and if not, when does it open again?

Default: Monday to Saturday, 9:00 to 19:00, Europe/Paris.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class ServiceHours:
    """One interval a day on some weekdays (0 is Monday), in local time."""

    weekdays: frozenset[int]
    opens: time
    closes: time
    time_zone: str


DEFAULT_HOURS = ServiceHours(frozenset(range(6)), time(9), time(19), "Europe/Paris")


def is_open(moment: datetime, hours: ServiceHours = DEFAULT_HOURS) -> bool:
    """Whether somebody answers at this moment."""
    local = moment.astimezone(ZoneInfo(hours.time_zone))
    return local.weekday() in hours.weekdays and hours.opens <= local.time() < hours.closes


def next_opening(moment: datetime, hours: ServiceHours = DEFAULT_HOURS) -> datetime:
    """The next time that service opens, after this moment; in UTC."""
    zone = ZoneInfo(hours.time_zone)
    today = moment.astimezone(zone).date()
    for days in range(8):
        day = today + timedelta(days=days)
        opening = datetime.combine(day, hours.opens, zone)
        if day.weekday() in hours.weekdays and opening > moment:
            return opening.astimezone(UTC)
    raise ValueError("these hours never open")
