"""A caller's compressed sound: what is none is refused, however busy the machine is."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import InvalidRequest
from core.providers.live_sound import MAXIMUM_HEAD_BYTES, LiveDecoder

pytestmark = pytest.mark.anyio

NOISE = bytes(range(256)) * 8


async def send(decoder: LiveDecoder, pieces: int, seconds_between: float) -> None:
    for _ in range(pieces):
        await decoder.put(NOISE)
        await asyncio.sleep(seconds_between)


# The decoder fails at once, or has not looked at anything yet when the last piece comes.
@pytest.mark.parametrize("seconds_between", [0.0, 0.2])
async def test_that_noise_is_no_webm(seconds_between: float) -> None:
    heard = bytearray()
    decoder = LiveDecoder("webm", heard.extend)
    try:
        with pytest.raises(InvalidRequest, match="cannot be decoded"):
            await send(decoder, MAXIMUM_HEAD_BYTES // len(NOISE) + 1, seconds_between)
    finally:
        await decoder.close()
    assert not heard
    assert decoder.process_id is None
