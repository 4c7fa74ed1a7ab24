"""The application on a real database and cache, without the bot: for what stands before routes.

Whatever answers from the database works as it does in the product; a chat turn does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from bot.tools import BUILT_IN_TOOLS
from core.migrations import migrate
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from core.telemetry import configure_logging
from services.accounts.api_keys import NewApiKey, create_api_key
from services.accounts.organizations import create_organization
from services.accounts.sessions import start_session
from services.accounts.users import NewUser, add_membership, create_user, find_account
from services.monitoring.statements import StatementStatistics, watch_statements

SECRET = "a-secret-of-forty-characters-for-the-test"
PEER = "192.0.2.7"


@dataclass(frozen=True)
class Edge:
    """An application, its runtime, and the access token of an account of each role by name."""

    app: FastAPI
    runtime: Runtime
    tokens: dict[str, str]
    keys: dict[str, str]

    def client(self, credential: str = "", address: str = PEER) -> httpx.AsyncClient:
        """A client that comes from an address, with a bearer token where one is given."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        transport = httpx.ASGITransport(
            self.app, client=(address, 4711), raise_app_exceptions=False
        )
        return httpx.AsyncClient(transport=transport, base_url="http://edge", headers=headers)


@asynccontextmanager
async def open_edge(folder: Path, **settings: Any) -> AsyncIterator[Edge]:
    """Open the application in a folder of its own, with an admin, an agent and a customer."""
    chosen = Settings(
        data_dir=folder, secret_key=SECRET, log_level="error", _env_file=None, **settings
    )
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await migrate(chosen.database)
    app = create_app(chosen)
    configure_logging(chosen.log_level)
    async with open_runtime(chosen, BUILT_IN_TOOLS) as runtime:
        runtime.parts[StatementStatistics] = watch_statements(
            runtime.database, chosen.slow_query_ms, runtime.traces
        )
        app.state.runtime = runtime
        app.state.started_at = 0.0
        tokens, keys = await _accounts(runtime)
        yield Edge(app, runtime, tokens, keys)


async def _accounts(runtime: Runtime) -> tuple[dict[str, str], dict[str, str]]:
    now = runtime.clock()
    async with runtime.database.transaction(None) as transaction:
        shop = await create_organization(transaction, "Meuble de France", "meuble", now)
    tokens, keys = {}, {}
    for role in ("admin", "agent", "customer"):
        async with runtime.database.transaction(shop.id) as transaction:
            new = NewUser(f"{role}@example.com", "no hash", role.title())
            user = await create_user(transaction, new, now)
            await add_membership(transaction, user.id, role)
            account = await find_account(transaction, user.id)
        assert account is not None
        tokens[role] = (await start_session(runtime, account)).access_token
        if role == "admin":
            principal = account.principal()
            for name, permissions in (("default", None), ("monitoring", ["monitoring:read"])):
                async with runtime.database.transaction(shop.id) as transaction:
                    wanted = NewApiKey(name, permissions)
                    _, keys[name] = await create_api_key(runtime, transaction, wanted, principal)
    return tokens, keys
