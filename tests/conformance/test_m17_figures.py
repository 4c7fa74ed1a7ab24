"""Rows M17 to M20 and the metrics: every field, real figures, and who may see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.limits import body_limit_bytes, group_of, time_limit_seconds
from core.settings import Settings
from tests.conformance.shapes import assert_failure, moment
from tests.edge import SECRET, Edge, open_edge

pytestmark = pytest.mark.anyio
INSIDE = ("/query-stats", "/memory", "/circuit-breakers", "/env-status", "/metrics")


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with open_edge(tmp_path) as opened:
        yield opened


@pytest.fixture
async def production(tmp_path: Path) -> AsyncIterator[Edge]:
    async with open_edge(tmp_path, environment="production") as opened:
        yield opened


async def test_m17_query_stats_have_every_field_of_the_seed(edge: Edge) -> None:
    async with edge.client() as client:
        body = (await client.get("/query-stats")).json()
        assert set(body) == {"performance_status", "stats", "timestamp"}
        assert set(body["stats"]) == {
            "total_queries",
            "slow_queries",
            "slow_query_percentage",
            "average_query_time_ms",
            "threshold_ms",
        }
        moment(body["timestamp"])
        assert body["performance_status"] == "good"
        assert body["stats"]["threshold_ms"] == 1000
        assert body["stats"]["average_query_time_ms"] > 0
        before = body["stats"]["total_queries"]
        await client.get("/ready")
        after = (await client.get("/query-stats")).json()["stats"]
        assert after["total_queries"] > before
        slowest = (await client.get("/query-stats?slowest=3")).json()["slowest"]
        assert len(slowest) == 3
        assert slowest[0]["count"] >= 1


async def test_m17_slow_statements_are_counted_and_judged(tmp_path: Path) -> None:
    async with open_edge(tmp_path, slow_query_ms=0.000001) as edge, edge.client() as client:
        body = (await client.get("/query-stats")).json()
    assert body["stats"]["slow_query_percentage"] == 100
    assert body["stats"]["slow_queries"] == body["stats"]["total_queries"] > 0
    assert body["performance_status"] == "poor"


async def test_m18_memory_has_every_field_of_the_seed(edge: Edge) -> None:
    async with edge.client() as client:
        body = (await client.get("/memory")).json()
    assert set(body) == {"status", "alert_level", "messages", "usage"}
    assert set(body["usage"]) == {"process", "system"}
    process, system = body["usage"]["process"], body["usage"]["system"]
    assert set(process) == {"rss_mb", "vms_mb", "percent_of_system"}
    assert set(system) == {"total_mb", "available_mb", "used_percent"}
    assert 0 < process["rss_mb"] < process["vms_mb"]
    assert process["rss_mb"] < system["total_mb"]
    if process["rss_mb"] < 800 and system["used_percent"] < 90:
        assert (body["status"], body["alert_level"], body["messages"]) == ("ok", None, [])


@pytest.mark.parametrize(
    ("warning_mb", "critical_mb", "level"), [(1, 10**6, "warning"), (1, 2, "critical")]
)
async def test_m18_the_levels_can_be_set(
    tmp_path: Path, warning_mb: float, critical_mb: float, level: str
) -> None:
    levels = {"memory_warning_mb": warning_mb, "memory_critical_mb": critical_mb}
    async with open_edge(tmp_path, **levels) as edge, edge.client() as client:
        body = (await client.get("/memory")).json()
        assert body["status"] == body["alert_level"] == level
        assert "The process uses" in body["messages"][0]
        assert (await client.get("/health")).json()["memory_status"] == level
        ready = await client.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"]["memory"]["status"] == level
    assert ready.json()["ready"] is (level != "critical")
    assert ready.json()["critical_ready"] is True


async def test_m19_five_breakers_have_every_field_of_the_seed(edge: Edge) -> None:
    async with edge.client() as client:
        body = (await client.get("/circuit-breakers")).json()
    assert set(body) == {"healthy", "breakers", "summary"}
    assert set(body["breakers"]) == {"openai", "cloudinary", "speech", "webhooks", "email"}
    for figures in body["breakers"].values():
        assert figures == {
            "state": "closed",
            "failure_count": 0,
            "success_rate": 100.0,
            "total_calls": 0,
        }
    assert body["healthy"] is True
    assert body["summary"] == {"total": 5, "closed": 5, "open": 0, "half_open": 0}


async def test_m19_states_change_with_what_happens(edge: Edge) -> None:
    now = [100.0]
    breaker = edge.runtime.breakers["webhooks"]
    breaker.clock = lambda: now[0]
    for _ in range(15):
        breaker.record_success()
    for _ in range(5):
        breaker.record_failure()
    async with edge.client() as client:
        body = (await client.get("/circuit-breakers")).json()
        assert body["healthy"] is False
        assert body["breakers"]["webhooks"] == {
            "state": "open",
            "failure_count": 5,
            "success_rate": 75.0,
            "total_calls": 20,
        }
        assert body["summary"] == {"total": 5, "closed": 4, "open": 1, "half_open": 0}
        now[0] += 31
        body = (await client.get("/circuit-breakers")).json()
        assert body["healthy"] is True
        assert body["breakers"]["webhooks"]["state"] == "half_open"
        assert body["summary"]["half_open"] == 1


async def test_m16_an_open_breaker_of_the_model_is_told_and_is_not_critical(
    tmp_path: Path,
) -> None:
    model = "openai-compatible:http://127.0.0.1:9/v1#small"
    async with open_edge(tmp_path, llm=model) as edge, edge.client() as client:
        for _ in range(5):
            edge.runtime.breakers["openai"].record_failure()
        answer = await client.get("/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["ready"], body["critical_ready"]) == (False, True)
    assert body["checks"]["openai_api"] == {
        "healthy": False,
        "configured": True,
        "breakers": {"openai": {"state": "open", "success_rate": 0.0}},
    }


async def test_m20_env_status_tells_states_and_never_values(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.get("/env-status")
    body = answer.json()
    assert set(body["variables"]) == {name.upper() for name in Settings.model_fields}
    assert {one["status"] for one in body["variables"].values()} <= {"set", "default", "missing"}
    assert body["variables"]["SECRET_KEY"] == {"status": "set", "required": False, "secret": True}
    assert body["variables"]["PORT"]["status"] == "default"
    assert body["valid"] is True
    assert sum(body["summary"][one] for one in ("set", "default", "missing")) == len(
        body["variables"]
    )
    assert SECRET not in answer.text
    assert str(edge.runtime.settings.data_dir) not in answer.text


async def test_m20_what_must_be_set_and_is_not_is_named(tmp_path: Path) -> None:
    model = "openai:big"
    async with open_edge(tmp_path, llm=model) as edge, edge.client() as client:
        body = (await client.get("/env-status")).json()
    assert body["valid"] is False
    assert body["missing"] == ["OPENAI_API_KEY"]
    assert body["summary"]["missing"] == 1


async def test_m17_metrics_are_in_the_form_that_prometheus_reads(edge: Edge) -> None:
    async with edge.client() as client:
        await client.get("/api/nothing")
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}
    assert families["mdf_database_up"].samples[0].value == 1
    counted = {
        (sample.labels["method"], sample.labels["status"])
        for sample in families["mdf_http_requests"].samples
    }
    assert ("GET", "404") in counted


@pytest.mark.parametrize("path", INSIDE)
async def test_m17_in_production_only_administrators_look_inside(
    production: Edge, path: str
) -> None:
    async with production.client() as client:
        assert_failure(await client.get(path), 401, "unauthorized")
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).status_code == 200
    for role in ("customer", "agent"):
        async with production.client(production.tokens[role]) as client:
            assert_failure(await client.get(path), 403, "forbidden")
    async with production.client(production.tokens["admin"]) as client:
        assert (await client.get(path)).status_code == 200


async def test_m17_an_api_key_may_look_inside_with_the_permission_alone(production: Edge) -> None:
    for path in INSIDE:
        async with production.client() as client:
            headers = {"X-API-Key": production.keys["monitoring"]}
            assert (await client.get(path, headers=headers)).status_code == 200
            headers = {"X-API-Key": production.keys["default"]}
            assert_failure(await client.get(path, headers=headers), 403, "forbidden")
        async with production.client(production.keys["monitoring"]) as client:
            assert (await client.get(path)).status_code == 200


async def test_m23_documentation_is_hidden_in_production(production: Edge) -> None:
    async with production.client(production.tokens["admin"]) as client:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert_failure(await client.get(path), 404, "not_found")


async def test_m21_an_unforeseen_error_is_500_and_says_what_is_left(edge: Edge) -> None:
    object.__setattr__(edge.runtime, "database", None)
    async with edge.client(edge.tokens["customer"]) as client:
        answer = await client.get("/api/tickets")
    assert_failure(answer, 500, "internal_error")
    assert answer.headers["x-ratelimit-limit"] == "100"
    assert "Traceback" not in answer.text


async def test_m23_every_route_documents_its_limits(edge: Edge) -> None:
    async with edge.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    for path, operations in paths.items():
        if group_of(path) is None:
            continue
        for method, operation in operations.items():
            missing = {"413", "429", "500", "503", "504"} - set(operation["responses"])
            assert not missing, f"{method} {path}"


@pytest.mark.parametrize(
    ("path", "seconds", "megabytes"),
    [("/api/upload", 60, 10), ("/api/chat", 30, 5), ("/api/voice/transcribe", 30, 5)],
)
def test_m21_uploads_have_more_time_and_room(path: str, seconds: int, megabytes: int) -> None:
    assert time_limit_seconds(path) == seconds
    assert body_limit_bytes(path, "")[1] == megabytes * 1024 * 1024
