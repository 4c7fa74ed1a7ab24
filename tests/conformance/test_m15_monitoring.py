"""Rows M15, M16 and M23: liveness, readiness, and who sees the documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.version import VERSION
from core.database import open_database
from core.migrations import migrate
from core.runtime import utc_now
from core.settings import Settings
from services.accounts.users import NewUser, create_user
from tests.product import reuse_models
from tests.serving import ROOT


def test_m15_health_has_every_field_of_the_seed(anyone: httpx.Client) -> None:
    answer = anyone.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        "status",
        "app",
        "version",
        "uptime_seconds",
        "memory_mb",
        "memory_status",
        "cpu_percent",
        "threads",
    }
    assert body["status"] == "healthy"
    assert body["app"] == "Mobilier de France Chatbot"
    assert body["memory_status"] == "ok"
    assert isinstance(body["uptime_seconds"], int)
    assert 0 < body["memory_mb"] < 1000
    assert isinstance(body["cpu_percent"], float)
    assert body["threads"] >= 1
    assert f'version = "{body["version"]}"' in (ROOT / "pyproject.toml").read_text()


def test_m16_ready_has_every_field_of_the_seed(anyone: httpx.Client) -> None:
    answer = anyone.get("/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"ready", "critical_ready", "checks"}
    assert body["ready"] is True
    assert body["critical_ready"] is True
    checks = body["checks"]
    assert set(checks) == {"database", "cache", "openai_api", "memory"}
    assert checks["database"]["healthy"] is True
    assert checks["database"]["response_time_ms"] >= 0
    assert checks["cache"] == {"healthy": True, "type": "memory"}
    assert checks["openai_api"] == {
        "healthy": True,
        "configured": False,
        "breakers": {"openai": {"state": "closed", "success_rate": 100.0}},
    }
    assert checks["memory"]["healthy"] is True
    assert checks["memory"]["status"] == "ok"
    assert checks["memory"]["rss_mb"] > 0


def test_m15_monitoring_is_neither_counted_nor_enveloped(anyone: httpx.Client) -> None:
    for path in ("/health", "/ready"):
        answer = anyone.get(path)
        assert "success" not in answer.json()
        assert "x-ratelimit-limit" not in answer.headers


def test_m23_documentation_is_there_in_development(anyone: httpx.Client) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert anyone.get(path).status_code == 200


def test_m23_documentation_is_not_there_in_production(tmp_path: Path) -> None:
    settings = Settings(
        environment="production",
        secret_key="x" * 40,
        data_dir=tmp_path,
        _env_file=None,
    )
    paths = {getattr(route, "path", "") for route in create_app(settings).routes}
    assert not paths & {"/docs", "/redoc", "/openapi.json"}


@pytest.mark.anyio
async def test_m15_production_refuses_demo_accounts(tmp_path: Path) -> None:
    settings = Settings(
        environment="production", secret_key="x" * 40, data_dir=tmp_path, _env_file=None
    )
    reuse_models(tmp_path)
    await migrate(settings.database)
    database = open_database(settings.database)
    demo = NewUser("demo@example.com", "no hash", "Demo", is_demo=True)
    async with database.transaction(None) as transaction:
        await create_user(transaction, demo, utc_now())
    await database.close()
    app = create_app(settings)
    with pytest.raises(RuntimeError, match="demo accounts"):
        async with app.router.lifespan_context(app):
            pass


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings(_env_file=None)).openapi()


def test_m23_every_operation_is_described(document: dict[str, Any]) -> None:
    assert document["info"]["version"] == VERSION
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation.get("summary"), where
            assert operation.get("description"), where
            assert operation["tags"], where
            assert any(status.startswith("2") for status in operation["responses"]), where


def test_m23_no_operation_promises_the_frameworks_errors(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("422" in operation["responses"]) == path.startswith("/api/v1")


def test_m23_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    def references(node: Any) -> set[str]:
        children = node.values() if isinstance(node, dict) else node
        if not isinstance(node, dict | list):
            return set()
        own = {node["$ref"]} if isinstance(node, dict) and "$ref" in node else set()
        return own.union(*(references(child) for child in children))

    assert references(document) <= known
