"""Telling the consoles of an organization what goes on: events with ids, never what was said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from core.runtime import Runtime


def desk_channel(organization_id: UUID) -> str:
    """The name under which all consoles of an organization listen."""
    return f"desk:{organization_id.hex}"


async def tell_desk(runtime: Runtime, organization_id: UUID, type: str, **body: Any) -> None:
    """Send an event to every console of an organization, on every process.

    A console that was away reads the lists anew: events are not kept.
    """
    channel = desk_channel(organization_id)
    if runtime.broadcast.is_wanted(channel):
        item = orjson.dumps({"type": type, **body}, default=str)
        await runtime.broadcast.publish(channel, [item], keep_seconds=0)
