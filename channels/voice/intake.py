"""How a caller's sound comes in: plain samples, or compressed pieces that are decoded first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal, Protocol

from core.errors import InvalidRequest
from core.providers.live_sound import LiveDecoder
from core.providers.speech import BYTES_A_SAMPLE

Format = Literal["pcm", "opus", "webm"]
Hear = Callable[[bytes], None]


class Intake(Protocol):
    """Takes a caller's frames as they come."""

    async def put(self, frame: bytes) -> None:
        """Take one frame; raises InvalidRequest for what is no sound of its format."""
        ...


class PlainIntake:
    """Frames are 16 kHz samples already."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    async def put(self, frame: bytes) -> None:
        if len(frame) % BYTES_A_SAMPLE:
            raise InvalidRequest("Send whole samples of 16 bits.")
        self._hear(frame)


@asynccontextmanager
async def open_intake(format: Format, hear: Hear) -> AsyncIterator[Intake]:
    """Open what decodes a format, for as long as the call lasts."""
    if format == "pcm":
        yield PlainIntake(hear)
        return
    decoder = LiveDecoder(format, hear)
    try:
        yield decoder
    finally:
        await decoder.close()
