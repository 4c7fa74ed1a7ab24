"""When people answer: is customer service open now, and if not, when does it open again?

Default: Monday to Saturday, 9:00 to 19:00, Europe/Paris. An organization sets its own hours,
public holidays and exceptions (`service_hours` in its settings).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from core.database import Transaction
from services.accounts.tables import organizations
from services.tickets import calendar
from services.tickets.calendar import Calendar, Interval, calendar_from_json

SETTING = "service_hours"
DEFAULT_HOURS = Calendar(weekly=((Interval(9 * 60, 19 * 60),),) * 6 + ((),))


def is_open(moment: datetime, hours: Calendar = DEFAULT_HOURS) -> bool:
    """Whether somebody answers at this moment."""
    return calendar.is_open(hours, moment)


def next_opening(moment: datetime, hours: Calendar = DEFAULT_HOURS) -> datetime:
    """The next time that service opens, after this moment; in UTC."""
    return calendar.next_opening(hours, moment)


async def service_hours(transaction: Transaction) -> Calendar:
    """The hours of the transaction's organization."""
    settings = await transaction.scalar(
        select(organizations.c.settings).where(organizations.c.id == transaction.organization_id)
    )
    stored = (settings or {}).get(SETTING)
    return calendar_from_json(stored) if stored else DEFAULT_HOURS
