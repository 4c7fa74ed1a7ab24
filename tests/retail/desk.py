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


def state_hash(state: State) -> str:
    """A digest of a whole database."""
    return hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()


def copied(state: State) -> State:
    """A deep copy, faster than `copy.deepcopy` by far."""
    copy: State = orjson.loads(orjson.dumps(state))
    return copy


def differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Where two databases differ, one line a value."""
    for where, one, other in changes(expected, found, path):
        yield f"{where}: expected {one!r}, found {other!r}"


def changes(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two databases differ: the path, the value before and the value after."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from changes(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes(one, other, f"{path}/{place}")
    elif before != after:
        yield path, before, after
