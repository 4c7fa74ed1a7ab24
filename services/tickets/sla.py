"""By when a ticket must be answered, and how its clock stands.

The default calendar runs around the clock, every day: urgent 4 h, high 8 h, medium exactly 24 h,
low 48 h (contract row M09).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from services.tickets.problems import Priority

RESPONSE_HOURS: dict[Priority, int] = {"urgent": 4, "high": 8, "medium": 24, "low": 48}

# A ticket is due soon when less than this share of its time is left.
DUE_SOON_SHARE = 0.25

SlaState = Literal["ok", "due_soon", "breached"]


def response_deadline(priority: Priority, created_at: datetime) -> datetime:
    """The moment by which the first answer is due, in UTC: changes of hour add and take nothing."""
    return created_at.astimezone(UTC) + timedelta(hours=RESPONSE_HOURS[priority])


def sla_state(
    created_at: datetime, deadline: datetime, responded_at: datetime | None, now: datetime
) -> SlaState:
    """How the clock stands: an answered ticket keeps the state of its answer for ever."""
    if responded_at is not None:
        return "ok" if responded_at <= deadline else "breached"
    if now > deadline:
        return "breached"
    warning = (deadline - created_at) * DUE_SOON_SHARE
    return "due_soon" if deadline - now < warning else "ok"


def seconds_left(deadline: datetime, now: datetime) -> int:
    """Whole seconds until the deadline; negative once it has passed."""
    return int((deadline - now).total_seconds())
