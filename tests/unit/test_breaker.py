"""A breaker opens after failures in a row, lets one call try again, and counts."""

from __future__ import annotations

import asyncio

import pytest

from core.providers.breaker import CircuitBreaker, CircuitOpen
from core.providers.llm import open_llm
from core.settings import Settings

pytestmark = pytest.mark.anyio


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def fail(breaker: CircuitBreaker) -> None:
    with pytest.raises(ValueError, match="broken"):
        async with breaker.call():
            raise ValueError("broken")


async def test_it_opens_refuses_and_closes_again() -> None:
    clock = Time()
    breaker = CircuitBreaker("test", failure_threshold=2, recovery_seconds=30, clock=clock)
    await fail(breaker)
    assert breaker.state == "closed"
    await fail(breaker)
    assert (breaker.state, breaker.allows) == ("open", False)
    with pytest.raises(CircuitOpen):
        async with breaker.call():
            pytest.fail("an open breaker let a call through")
    clock.now = 30
    assert breaker.state == "half_open"
    async with breaker.call():
        assert not breaker.allows, "only one call may try"
    assert breaker.state == "closed"
    assert (breaker.total_calls, breaker.failure_count) == (3, 2)
    assert breaker.success_rate == pytest.approx(1 / 3)


async def test_a_failed_try_opens_it_again() -> None:
    clock = Time()
    breaker = CircuitBreaker("test", failure_threshold=1, recovery_seconds=30, clock=clock)
    await fail(breaker)
    clock.now = 31
    await fail(breaker)
    assert breaker.state == "open"


async def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker("test", failure_threshold=2)
    await fail(breaker)
    async with breaker.call():
        pass
    await fail(breaker)
    assert breaker.state == "closed"


async def test_who_leaves_is_no_failure_and_blocks_nobody() -> None:
    clock = Time()
    breaker = CircuitBreaker("test", failure_threshold=1, clock=clock)
    await fail(breaker)
    clock.now = 31

    async def wait() -> None:
        async with breaker.call():
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert breaker.allows
    assert breaker.failure_count == 1


@pytest.mark.parametrize(
    "setting",
    ["gpt", "openai:", "openai-compatible:http://host/v1", "openai-compatible:#m", "file:x#y"],
)
async def test_an_unknown_model_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="LLM: unknown value"):
        open_llm(Settings(llm=setting))


async def test_the_key_goes_to_its_provider_only() -> None:
    key = "a-key-of-openai"
    settings = Settings(
        llm="openai:big", llm_fallback="openai-compatible:http://127.0.0.1:9/v1#small",
        openai_api_key=key,  # type: ignore[arg-type]
    )  # fmt: skip
    model = open_llm(settings)
    assert model is not None
    assert key not in repr(model)
    first, second = model.chat(), model.fallback()
    assert second is not None
    assert first.openai_api_key.get_secret_value() == key  # type: ignore[union-attr]
    assert second.openai_api_key.get_secret_value() == "none"  # type: ignore[union-attr]
    await model.close()


async def test_embedded_names_no_model() -> None:
    assert open_llm(Settings()) is None
