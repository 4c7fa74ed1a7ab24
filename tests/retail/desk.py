"""The retail desk as a running product: its tools on a real runtime, over a database file."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy import func, select

from core.database import metadata, new_id
from core.runtime import Runtime, open_runtime
from core.security import Principal, principal_for_role
from core.settings import Settings
from core.tools import run_tool, tool_registry, tool_runs
from services.accounts.organizations import create_organization
from tests.retail.order_tools import CHANGING_TOOLS
from tests.retail.reading_tools import READING_TOOLS
from tests.retail.store import State, read_state, replace_state, retail_metadata

RETAIL_TOOLS = tool_registry([*READING_TOOLS, *CHANGING_TOOLS])


@dataclass(frozen=True)
class Desk:
    """An open runtime with the retail tools, and the caller who uses them."""

    runtime: Runtime
    principal: Principal

    async def load(self, state: State) -> None:
        """Begin with a database as it is given."""
        organization_id = self.principal.organization_id
        async with self.runtime.database.transaction(organization_id) as transaction:
            await replace_state(transaction, state)

    async def state(self) -> State:
        async with self.runtime.database.reading(self.principal.organization_id) as transaction:
            return await read_state(transaction)

    async def audit_rows(self) -> int:
        async with self.runtime.database.reading(self.principal.organization_id) as transaction:
            query = select(func.count()).select_from(tool_runs)
            return int(await transaction.scalar(query))

    async def act(
        self,
        conversation_id: UUID,
        name: str,
        arguments: Mapping[str, Any],
        *,
        confirmed: bool = True,
        idempotency_key: str | None = None,
        principal: Principal | None = None,
    ) -> BaseModel:
        """Run one tool, with the customer's yes unless told otherwise."""
        return await run_tool(
            self.runtime,
            principal or self.principal,
            RETAIL_TOOLS[name],
            arguments,
            conversation_id=conversation_id,
            language="en",
            confirmed=confirmed,
            idempotency_key=idempotency_key,
        )


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """Open the desk on a new database in a folder."""
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite+aiosqlite:///{folder / 'retail.sqlite3'}",
        cache_url="memory://",
        llm="embedded",
        log_level="error",
    )
    async with open_runtime(settings, RETAIL_TOOLS) as runtime:
        async with runtime.database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.run_sync(retail_metadata.create_all)
        async with runtime.database.transaction(None) as transaction:
            shop = await create_organization(transaction, "Retail", "retail", runtime.clock())
        yield Desk(runtime, principal_for_role(shop.id, "visitor:1", "visitor"))


def new_conversation() -> UUID:
    return new_id()


def state_hash(state: Any) -> str:
    """A digest of a whole database; 17 and 17.0 are one amount."""
    packed = orjson.dumps(_plain(state), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(packed).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Where two databases differ, one line a value."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            yield from differences(expected.get(key), found.get(key), f"{path}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{path}/{place}")
    elif expected != found:
        yield f"{path}: expected {expected!r}, found {found!r}"
