"""What happens to tickets that nobody answers: the steps of the shop's policy, each taken once.

A step is a line of the ticket's history and an outbox row `ticket.escalated`, in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from core.database import Transaction
from core.outbox import Outbox
from core.runtime import Runtime
from core.schedules import Schedule
from services.accounts.tables import organizations
from services.tickets.problems import PRIORITY_OF_SEVERITY, Priority
from services.tickets.sla import (
    DEFAULT_POLICY,
    SETTING,
    Escalation,
    SlaPolicy,
    policy_from_json,
    share_used,
)
from services.tickets.tables import ticket_events, tickets

AT_ONCE = 500
_HIGHER: dict[Priority, Priority] = {"low": "medium", "medium": "high", "high": "urgent"}


async def escalate_tickets(transaction: Transaction, outbox: Outbox, now: datetime) -> int:
    """Take the steps that are due, of every organization; returns how many."""
    shops = await transaction.all(
        select(organizations.c.id, organizations.c.settings).where(organizations.c.is_active)
    )
    taken = 0
    for shop in shops:
        stored = (shop.settings or {}).get(SETTING)
        policy = policy_from_json(stored) if stored else DEFAULT_POLICY
        for ticket in await _unanswered(transaction, shop.id, policy, now):
            taken += await _escalate(transaction, outbox, ticket, policy, now)
    return taken


async def _unanswered(
    transaction: Transaction, organization_id: UUID, policy: SlaPolicy, now: datetime
) -> list[Row[Any]]:
    """Tickets whose clock runs and that have steps left; those whose time is up first."""
    if not policy.escalation:
        return []
    # A clock that runs a few hours a day stretches over days: look a month ahead.
    rows = await transaction.all(
        select(tickets)
        .where(tickets.c.organization_id == organization_id)
        .where(tickets.c.status.in_(("open", "in_progress")))
        .where(tickets.c.first_response_at.is_(None), tickets.c.sla_paused_at.is_(None))
        .where(tickets.c.escalation_step < len(policy.escalation))
        .where(tickets.c.sla_response_deadline < now + timedelta(days=31))
        .order_by(tickets.c.sla_response_deadline)
        .limit(AT_ONCE)
    )
    return list(rows)


async def _escalate(
    transaction: Transaction,
    outbox: Outbox,
    ticket: Row[Any],
    policy: SlaPolicy,
    now: datetime,
) -> int:
    # What was promised follows from the severity: a step may have raised the priority since.
    promised = PRIORITY_OF_SEVERITY[ticket.problem_severity]
    used = share_used(policy, promised, ticket.sla_response_deadline, now)
    priority, taken = ticket.priority, 0
    for number, step in enumerate(policy.escalation):
        if number < ticket.escalation_step or used < step.after_share:
            continue
        priority = _HIGHER.get(priority, priority) if step.raise_priority else priority
        await _tell(transaction, outbox, ticket, step, now)
        taken += 1
    if taken:
        await transaction.execute(
            update(tickets)
            .where(tickets.c.id == ticket.id)
            .values(escalation_step=ticket.escalation_step + taken, priority=priority)
        )
    return taken


async def _tell(
    transaction: Transaction, outbox: Outbox, ticket: Row[Any], step: Escalation, now: datetime
) -> None:
    details = {"after_share": step.after_share, "notify": step.notify}
    await transaction.insert(
        ticket_events,
        {
            "organization_id": ticket.organization_id,
            "ticket_id": ticket.id,
            "actor": "system",
            "kind": "escalated",
            "details": {**details, "raise_priority": step.raise_priority},
            "created_at": now,
        },
    )
    payload = {"ticket_id": str(ticket.id), "number": ticket.number, **details}
    await outbox.add(
        transaction, "ticket.escalated", payload, organization_id=ticket.organization_id
    )


async def _run(runtime: Runtime, transaction: Transaction, now: datetime) -> None:
    await escalate_tickets(transaction, runtime.outbox, now)


ESCALATION = Schedule("ticket_escalation", timedelta(minutes=1), _run)
