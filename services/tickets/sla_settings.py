"""Keeping what a shop has set about its hours and promises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from core.database import Transaction
from services.accounts.tables import organizations


async def store_setting(
    transaction: Transaction, name: str, value: Mapping[str, Any], now: datetime
) -> None:
    """Set one of the settings of the transaction's organization; the others stay."""
    mine = organizations.c.id == transaction.organization_id
    row = await transaction.first(select(organizations.c.settings).where(mine).with_for_update())
    settings = {**(row.settings if row is not None else {}), name: dict(value)}
    await transaction.execute(
        update(organizations).where(mine).values(settings=settings, updated_at=now)
    )
