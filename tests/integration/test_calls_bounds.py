"""What a call may take: lines, time, patience; and what a dead worker does to it: nothing."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from contextlib import suppress

import av
import numpy
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.calling import PATIENCE_SECONDS, SECOND, calling
from tests.product import reuse_models
from tests.serving import Server, serving

pytestmark = pytest.mark.anyio
PACKET_SECONDS = 0.02


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one line and little time."""
    data_dir = tmp_path_factory.mktemp("small") / "data"
    reuse_models(data_dir)
    with serving(data_dir, VOICE_CALLS_AT_ONCE="1", VOICE_CALL_MINUTES="0.7") as server:
        yield server


def kill_worker(server: Server, module: str) -> None:
    """Kill the child process that runs a module."""
    found = [
        child
        for child in psutil.Process(server.process_id).children(recursive=True)
        if any(module in part for part in child.cmdline())
    ]
    assert found, f"no process runs {module}"
    for child in found:
        child.kill()


def encoded(samples: bytes, container: str) -> list[tuple[float, bytes]]:
    """A sound as Opus: the pieces of a WebM stream, or single packets, with their seconds."""
    target = io.BytesIO()
    pieces: list[tuple[float, bytes]] = []
    options = {"live": "1", "flush_packets": "1", "cluster_time_limit": "200"}
    with av.open(target, "w", format="webm", options=options) as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            numpy.frombuffer(samples, "<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        sent = 0
        for number, packet in enumerate((*stream.encode(frame), *stream.encode(None))):
            content = bytes(packet)
            output.mux(packet)
            if container == "webm":
                content, sent = target.getvalue()[sent:], target.tell()
            pieces += [(number * PACKET_SECONDS, content)] if content else []
    return pieces


@pytest.mark.parametrize("format", ["webm", "opus"])
async def test_that_compressed_sound_is_understood(
    server: Server, voices: dict[str, bytes], format: str
) -> None:
    silence = bytes(SECOND)
    pieces = encoded(silence * 3 + voices["delivery"] + silence * 3, format)
    async with calling(server.base_url, language="fr", recording=False, format=format) as caller:
        await caller.until("ready")
        await caller.until_sound(0)
        await caller.until_silent()
        began = time.monotonic()
        for number, (at, piece) in enumerate(pieces):
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            await caller.connection.send(piece)
            if format == "opus" and number == len(pieces) // 6:
                # The decoder dies before the caller speaks: another takes over.
                kill_worker(server, "live_sound")
        text = (await caller.until("transcript"))[1]["text"]
    assert "délais" in text


async def test_that_noise_instead_of_webm_ends_the_call(server: Server) -> None:
    async with calling(server.base_url, recording=False, format="webm") as caller:
        await caller.until("ready")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while caller.closed is None:
                with suppress(ConnectionClosed):
                    await caller.connection.send(bytes(range(256)) * 8)
                await asyncio.sleep(0.1)
        assert caller.connection.close_code == 1007


async def test_that_a_dead_recogniser_does_not_end_a_call(
    server: Server, voices: dict[str, bytes]
) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await caller.until_sound(0)
        await caller.until_silent()
        kill_worker(server, "whisper_engine")
        await caller.say(voices["delivery"])
        text = (await caller.until("transcript"))[1]["text"]
        assert "délais" in text
        await caller.until("replied")


async def test_that_a_second_call_finds_the_line_busy_and_the_first_ends_in_time(
    small: Server,
) -> None:
    async with calling(small.base_url, language="fr", recording=False) as caller:
        await caller.until("ready")
        address = small.base_url.replace("http", "ws", 1) + "/api/voice/call"
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, proxy=None)
        response = refused.value.response
        assert response.status_code == 503
        assert b"lines_busy" in (response.body or b"")
        ended = (await caller.until("ended", seconds=80))[1]
        await caller.connection.wait_closed()
    assert ended["reason"] in {"length", "silence"}
    assert "Êtes-vous toujours là ?" in caller.said()
    async with calling(small.base_url, language="fr", recording=False) as caller:
        await caller.until("ready")
