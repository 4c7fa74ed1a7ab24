"""Who changed an account, a key or a role: a row beside those of the tools, in the same commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.database import Transaction
from core.runtime import Runtime
from core.security import Principal
from core.tools import tool_runs


async def record_change(
    runtime: Runtime,
    transaction: Transaction,
    principal: Principal,
    action: str,
    details: Mapping[str, Any],
) -> None:
    """Write the audit row of a change; `details` hold ids and roles, never an address."""
    await transaction.insert(
        tool_runs,
        {
            "organization_id": principal.organization_id,
            "tool": action,
            "actor": principal.actor,
            "conversation_id": None,
            "effect": True,
            "outcome": "ok",
            "arguments": dict(details),
            "result": None,
            "idempotency_key": None,
            "duration_ms": 0,
            "created_at": runtime.clock(),
        },
    )
