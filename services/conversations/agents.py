"""Who talks to customers, and who is given the next conversation: by hand, in turn, or by skill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update

from core.database import Transaction
from core.errors import Conflict, InvalidRequest
from services.accounts.tables import memberships, users
from services.conversations.tables import agent_profiles, conversations

AGENT_ROLES = ("agent", "manager", "admin", "owner")
MAXIMUM_SKILL_LENGTH = 60
MAXIMUM_SKILLS = 30


@dataclass(frozen=True)
class Agent:
    """A member of staff who talks to customers; `open_conversations` are theirs now."""

    user_id: UUID
    name: str
    role: str
    skills: Sequence[str]
    is_available: bool
    open_conversations: int
    last_assigned_at: datetime | None


async def list_agents(transaction: Transaction) -> list[Agent]:
    """The organization's agents by name."""
    rows = await transaction.all(
        select(users.c.id, users.c.name, memberships.c.role)
        .join_from(memberships, users, memberships.c.user_id == users.c.id)
        .where(memberships.c.role.in_(AGENT_ROLES), memberships.c.is_active, users.c.is_active)
        .order_by(users.c.name, users.c.id)
    )
    profiles = {row.user_id: row for row in await transaction.all(select(agent_profiles))}
    busy = await transaction.all(
        select(conversations.c.assignee_id, func.count().label("count"))
        .where(conversations.c.owner == "human")
        .group_by(conversations.c.assignee_id)
    )
    counts = {row.assignee_id: int(row._mapping["count"]) for row in busy}
    return [_agent(row, profiles, counts) for row in rows]


def _agent(row: Row[Any], profiles: Mapping[UUID, Row[Any]], counts: Mapping[UUID, int]) -> Agent:
    profile = profiles.get(row.id)
    return Agent(
        row.id,
        row.name,
        row.role,
        tuple(profile.skills) if profile else (),
        profile.is_available if profile else True,
        counts.get(row.id, 0),
        profile.last_assigned_at if profile else None,
    )


async def require_agent(transaction: Transaction, user_id: UUID) -> UUID:
    """The same id, if it is an agent of the organization; raises InvalidRequest."""
    if all(agent.user_id != user_id for agent in await list_agents(transaction)):
        raise InvalidRequest("Conversations are given to agents of this shop.", {"field": "to"})
    return user_id


async def choose_agent(transaction: Transaction, skill: str | None, now: datetime) -> UUID:
    """The next agent in turn: available, with the skill, the one who was given work longest ago.

    Raises Conflict where nobody is. The choice is noted, so that the next one is another's.
    """
    able = [
        agent
        for agent in await list_agents(transaction)
        if agent.is_available and (skill is None or skill.casefold() in agent.skills)
    ]
    if not able:
        raise Conflict(
            "No agent with this skill is available." if skill else "No agent is available."
        )
    chosen = min(
        able,
        key=lambda agent: (
            agent.last_assigned_at is not None,
            agent.last_assigned_at or now,
            agent.open_conversations,
            agent.name,
        ),
    )
    await _store_profile(transaction, chosen.user_id, {"last_assigned_at": now})
    return chosen.user_id


async def set_profile(
    transaction: Transaction, user_id: UUID, skills: Sequence[str] | None, available: bool | None
) -> Agent:
    """Say what an agent is good at and whether they are there; None leaves it as it is."""
    values: dict[str, Any] = {}
    if skills is not None:
        values["skills"] = sorted({skill.strip().casefold() for skill in skills if skill.strip()})
    if available is not None:
        values["is_available"] = available
    await _store_profile(transaction, user_id, values)
    return next(agent for agent in await list_agents(transaction) if agent.user_id == user_id)


async def _store_profile(transaction: Transaction, user_id: UUID, values: dict[str, Any]) -> None:
    mine = agent_profiles.c.user_id == user_id
    known = await transaction.first(select(agent_profiles.c.id).where(mine).with_for_update())
    if known is None:
        first = {"skills": [], "is_available": True, "last_assigned_at": None, **values}
        await transaction.insert(agent_profiles, {"user_id": user_id, **first})
    elif values:
        await transaction.execute(update(agent_profiles).where(mine).values(**values))
