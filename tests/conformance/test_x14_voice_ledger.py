"""Row X14: per-turn timings with p50 and p95, and turn-taking in French."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.calling import VoiceCaller, calling
from tests.serving import Server

pytestmark = pytest.mark.anyio

STEPS = ("transcript", "first_token", "first_audio", "barge_in")


async def answer_to(caller: VoiceCaller, samples: bytes) -> None:
    """Ask, and return while the answer is being spoken."""
    before = len(caller.frames)
    await caller.say(samples)
    at, _ = await caller.until("transcript", before)
    await caller.until_sound(at)
    await asyncio.sleep(1.0)


async def test_x14_agreement_does_not_interrupt_and_a_word_does(
    server: Server, admin: httpx.Client, voices: dict[str, bytes]
) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await caller.until("ready")
        await caller.until_sound(0)
        await caller.until_silent()
        await answer_to(caller, voices["delivery"])
        before, heard = len(caller.frames), len(caller.heard)
        await caller.say(voices["agree"])
        await asyncio.sleep(2.0)
        assert {"transcript", "timings"}.isdisjoint(caller.types()[before:])
        assert len(caller.heard) > heard
        before = len(caller.frames)
        await caller.say(voices["wait"])
        timings = (await caller.until("timings", before))[1]
        assert timings["interrupted"] is True
        assert (await caller.until("transcript", before))[1]["text"].startswith("Attendez")
        await caller.until("replied", before)
        await caller.send(type="hang_up")
        await caller.until("ended")
        assert caller.was_starved or caller.gaps_ms() == []

    ledger = (await asyncio.to_thread(admin.get, "/api/voice/ledger")).json()
    assert ledger["success"] is True
    assert ledger["turns"] >= 2
    assert set(ledger["steps"]) == set(STEPS)
    for step in STEPS:
        figures = ledger["steps"][step]
        assert figures["count"] >= 1
        assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert caller.was_starved or ledger["steps"]["barge_in"]["p95_ms"] <= 300
    metrics = await asyncio.to_thread(admin.get, "/metrics")
    for step in STEPS:
        assert f'mdf_voice_seconds_count{{step="{step}"}}' in metrics.text


@pytest.mark.parametrize("path", ["/api/voice/ledger", "/api/voice/ledger?days=30"])
def test_x14_the_ledger_is_for_managers(server: Server, path: str) -> None:
    with server.client() as anyone, server.client("agent@example.com") as agent:
        assert anyone.get(path).status_code == 401
        assert agent.get(path).status_code == 403
    with server.client("admin@example.com") as admin:
        assert admin.get(path).status_code == 200
        assert admin.get("/api/voice/ledger", params={"days": 0}).status_code == 400
