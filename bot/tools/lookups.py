"""How often a caller may guess: five failed look-ups lock them for half an hour.

Shared by the tools that answer strangers who prove themselves by a number and an e-mail address.
"""

from __future__ import annotations

from core.tools import ToolContext

MAXIMUM_FAILURES = 5
LOCK_SECONDS = 30 * 60


async def lookups_are_locked(context: ToolContext) -> bool:
    """Whether the caller has failed too often of late."""
    return await context.runtime.cache.get(_key(context, "locked")) is not None


async def record_failed_lookup(context: ToolContext) -> bool:
    """Count a failure; returns whether the caller is locked from now on."""
    cache = context.runtime.cache
    failures = await cache.increment(_key(context, "failed"), LOCK_SECONDS)
    if failures < MAXIMUM_FAILURES:
        return False
    await cache.set(_key(context, "locked"), b"1", LOCK_SECONDS)
    await cache.delete(_key(context, "failed"))
    return True


def _key(context: ToolContext, what: str) -> str:
    """A person is counted over all their conversations, an application's key within each one."""
    principal = context.principal
    subject = principal.actor
    if principal.user_id is None and not principal.is_visitor:
        subject = f"{subject}:{context.conversation_id}"
    return f"lookups:{what}:{principal.organization_id}:{subject}"
