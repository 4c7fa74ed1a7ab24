"""By when a ticket must be answered, and how its clock stands.

The default calendar runs around the clock, every day: urgent 4 h, high 8 h, medium exactly 24 h,
low 48 h (contract row M09). An organization sets its own hours, times and escalation (`sla` in
its settings). The clock stands still while a ticket waits for its customer or a supplier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, cast, get_args

from sqlalchemy import select

from core.database import Transaction
from services.accounts.tables import organizations
from services.tickets.calendar import (
    ALWAYS,
    Calendar,
    calendar_as_json,
    calendar_from_json,
    working_time_after,
    working_time_between,
)
from services.tickets.problems import Priority

RESPONSE_HOURS: dict[Priority, int] = {"urgent": 4, "high": 8, "medium": 24, "low": 48}

# A ticket is due soon when less than this share of its time is left.
DUE_SOON_SHARE = 0.25

SlaState = Literal["ok", "due_soon", "breached"]


SETTING = "sla"
PAUSED_STATUSES = frozenset({"waiting_customer", "waiting_supplier"})
LONGEST_RESPONSE_HOURS = 24 * 60
MAXIMUM_STEPS = 10

Notify = Literal["assignee", "managers"]


@dataclass(frozen=True)
class Escalation:
    """What happens to an unanswered ticket once a share of its time is over (1: the deadline)."""

    after_share: float
    notify: Notify
    raise_priority: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.after_share <= 100 or self.notify not in get_args(Notify):
            raise ValueError("escalation: after_share is 0 to 100, notify assignee or managers")


DEFAULT_ESCALATION = (Escalation(0.75, "assignee"), Escalation(1, "managers"))


@dataclass(frozen=True)
class SlaPolicy:
    """A shop's promise: which hours count, how many of them, and what happens when they run out."""

    calendar: Calendar = ALWAYS
    response_hours: Mapping[Priority, float] = field(default_factory=lambda: dict(RESPONSE_HOURS))
    escalation: tuple[Escalation, ...] = DEFAULT_ESCALATION

    def response_time(self, priority: Priority) -> timedelta:
        return timedelta(hours=self.response_hours[priority])

    def as_json(self) -> dict[str, Any]:
        steps = [
            {
                "after_share": step.after_share,
                "notify": step.notify,
                "raise_priority": step.raise_priority,
            }
            for step in self.escalation
        ]
        return {
            "calendar": calendar_as_json(self.calendar),
            "response_hours": dict(self.response_hours),
            "escalation": steps,
        }


DEFAULT_POLICY = SlaPolicy()


def policy_from_json(stored: Mapping[str, Any]) -> SlaPolicy:
    """Read a policy; what is left out is the default's. Raises ValueError saying what is wrong."""
    hours = {**RESPONSE_HOURS, **stored.get("response_hours", {})}
    if set(hours) != set(RESPONSE_HOURS):
        raise ValueError(f"response_hours: name {', '.join(RESPONSE_HOURS)}")
    if any(not 0 < float(value) <= LONGEST_RESPONSE_HOURS for value in hours.values()):
        raise ValueError(f"response_hours: more than 0, at most {LONGEST_RESPONSE_HOURS}")
    calendar = calendar_from_json(stored["calendar"]) if stored.get("calendar") else ALWAYS
    steps = stored.get("escalation")
    if steps is None:
        return SlaPolicy(calendar, cast("Mapping[Priority, float]", hours))
    if len(steps) > MAXIMUM_STEPS:
        raise ValueError(f"escalation: at most {MAXIMUM_STEPS} steps")
    escalation = sorted((Escalation(**step) for step in steps), key=lambda step: step.after_share)
    return SlaPolicy(calendar, cast("Mapping[Priority, float]", hours), tuple(escalation))


async def sla_policy(transaction: Transaction) -> SlaPolicy:
    """The policy of the transaction's organization."""
    settings = await transaction.scalar(
        select(organizations.c.settings).where(organizations.c.id == transaction.organization_id)
    )
    stored = (settings or {}).get(SETTING)
    return policy_from_json(stored) if stored else DEFAULT_POLICY


def response_deadline(
    priority: Priority, created_at: datetime, policy: SlaPolicy = DEFAULT_POLICY
) -> datetime:
    """The moment by which the first answer is due, in UTC: changes of hour add and take nothing."""
    return working_time_after(policy.calendar, created_at, policy.response_time(priority))


def resumed_deadline(
    deadline: datetime, paused_at: datetime, now: datetime, policy: SlaPolicy
) -> datetime:
    """The deadline of a clock that goes on: as much time that counts is left as at the pause."""
    left = working_time_between(policy.calendar, paused_at, deadline)
    return working_time_after(policy.calendar, now, left) if left else deadline


def changed_deadline(
    created_at: datetime, deadline: datetime, before: Priority, after: Priority, policy: SlaPolicy
) -> datetime:
    """The deadline under another priority, counted from when it was filed; pauses stay given."""
    given = working_time_between(
        policy.calendar, response_deadline(before, created_at, policy), deadline
    )
    return working_time_after(policy.calendar, response_deadline(after, created_at, policy), given)


def share_used(policy: SlaPolicy, priority: Priority, deadline: datetime, now: datetime) -> float:
    """How much of a ticket's time is over: 1 at its deadline, more behind it."""
    total = policy.response_time(priority)
    left = working_time_between(policy.calendar, now, deadline)
    late = working_time_between(policy.calendar, deadline, now)
    return 1 - left / total + late / total


def warning_time(priority: Priority) -> timedelta:
    """How long before its deadline a ticket is due soon, whatever hours a shop keeps."""
    return timedelta(hours=RESPONSE_HOURS[priority] * DUE_SOON_SHARE)


def sla_state(
    created_at: datetime,
    deadline: datetime,
    responded_at: datetime | None,
    now: datetime,
    warning: timedelta | None = None,
) -> SlaState:
    """How the clock stands: an answered ticket keeps the state of its answer for ever.

    `warning` is how long before the deadline it is due soon; None: the last quarter.
    """
    if responded_at is not None:
        return "ok" if responded_at <= deadline else "breached"
    if now > deadline:
        return "breached"
    if warning is None:
        warning = (deadline - created_at) * DUE_SOON_SHARE
    return "due_soon" if deadline - now < warning else "ok"


def seconds_left(deadline: datetime, now: datetime) -> int:
    """Whole seconds until the deadline; negative once it has passed."""
    return int((deadline - now).total_seconds())
