"""Statements are counted by shape on both databases, cheaply; metrics tell what is there."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.errors import ServiceUnavailable
from core.outbox import MAXIMUM_ATTEMPTS, outbox
from core.providers.breaker import OUTSIDE_SERVICES
from core.runtime import Runtime
from services.accounts.tables import users
from services.monitoring.configuration import configuration_warnings, setting_states
from services.monitoring.metrics import exposition
from services.monitoring.statements import MAXIMUM_SHAPES, StatementStatistics, watch_statements
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio


async def metric_values(runtime: Runtime) -> dict[str, float]:
    """The samples without labels, and those of a breaker by its labels."""
    written = (await exposition(runtime)).decode()
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(written)
        for sample in family.samples
    }


async def test_statements_are_counted_by_shape(runtime: Runtime) -> None:
    statistics = watch_statements(runtime.database, threshold_ms=1_000)
    for email in ("secret@example.com", "other@example.com"):
        async with runtime.database.reading(None) as transaction:
            await transaction.all(select(users.c.id).where(users.c.email == email))
    shapes = [(one, shape) for one, shape in statistics.shapes.items() if "FROM users" in one]
    assert [shape.count for _, shape in shapes] == [2]
    assert "secret" not in str(statistics.shapes)
    assert statistics.total.count >= 2
    assert statistics.total.slow == 0
    assert 0 < statistics.average_ms < 1_000
    assert statistics.slowest(1)[0][1].seconds == max(
        shape.seconds for shape in statistics.shapes.values()
    )


async def test_slow_and_failed_statements_count(runtime: Runtime) -> None:
    statistics = watch_statements(runtime.database, threshold_ms=0.000001)
    with pytest.raises((DBAPIError, ServiceUnavailable)):
        async with runtime.database.reading(None) as transaction:
            await transaction.connection.execute(text("SELECT nothing FROM nowhere"))
    assert any("nowhere" in shape for shape in statistics.shapes)
    assert statistics.total.slow == statistics.total.count > 0
    assert statistics.slow_percentage == 100


def test_counting_a_statement_costs_less_than_a_fiftieth_of_a_millisecond() -> None:
    statistics = StatementStatistics(threshold_ms=1_000)
    statements = [f"statement number {number}" for number in range(50)]
    started = time.process_time()
    for _ in range(400):
        for statement in statements:
            statistics.record(statement, 0.001)
    assert (time.process_time() - started) / 20_000 < 0.02e-3


def test_endless_shapes_do_not_fill_the_memory() -> None:
    statistics = StatementStatistics(threshold_ms=1_000)
    for number in range(MAXIMUM_SHAPES * 3):
        statistics.record(f"statement {number}", 0.001)
    assert len(statistics.shapes) == MAXIMUM_SHAPES
    assert statistics.total.count == MAXIMUM_SHAPES * 3


async def test_the_outbox_is_told(runtime: Runtime, shop: Shop, clock: Clock) -> None:
    before = await metric_values(runtime)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await runtime.outbox.add(transaction, "test", {})
        id = await runtime.outbox.add(transaction, "test", {})
        await transaction.execute(
            outbox.update().where(outbox.c.id == id).values(attempts=MAXIMUM_ATTEMPTS)
        )
    clock.now = clock.now.replace(year=clock.now.year + 1)
    values = await metric_values(runtime)
    assert values["mdf_outbox_pending"] == before["mdf_outbox_pending"] + 1
    assert values["mdf_outbox_given_up"] == before["mdf_outbox_given_up"] + 1
    assert values["mdf_outbox_oldest_seconds"] > 300 * 24 * 3600
    assert values["mdf_database_up"] == values["mdf_cache_up"] == 1


async def test_breakers_are_told(runtime: Runtime) -> None:
    runtime.breakers["speech"].record_failure()
    runtime.breakers["speech"].record_success()
    values = await metric_values(runtime)
    for name in OUTSIDE_SERVICES:
        assert values[f"mdf_breaker_state/{name}/closed"] == 1
        assert values[f"mdf_breaker_state/{name}/open"] == 0
    assert values["mdf_breaker_calls_total/speech/failed"] == 1
    assert values["mdf_breaker_calls_total/speech/ok"] == 1


async def test_a_setting_is_told_by_its_state(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"llm": "openai:big"})
    states = {state.name: state for state in setting_states(settings)}
    assert states["DATABASE_URL"].status == "set"
    assert states["PORT"].status == "default"
    assert states["OPENAI_API_KEY"].status == "missing"
    assert states["SECRET_KEY"].secret
    warnings = configuration_warnings(settings)
    assert any("SECRET_KEY" in one for one in warnings)
    assert settings.secret_key.get_secret_value() not in str(states) + str(warnings)
