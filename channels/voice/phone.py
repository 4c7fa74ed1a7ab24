"""A telephone line as a call's line: the carrier's sound, and marks that tell what was played."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.voice import mulaw, twilio
from channels.voice.call import Call

FRAME_MILLISECONDS = 20
# A mark after so many frames; more would only be noise on the wire.
FRAMES_A_MARK = 5


class PhoneLine:
    """One media stream. `send` and `close` belong to the socket that carries it."""

    frame_milliseconds = FRAME_MILLISECONDS
    longest_gap_seconds = 0.4

    def __init__(
        self,
        stream_id: str,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[str], Awaitable[None]],
    ) -> None:
        self._stream_id = stream_id
        self._send = send
        self._close = close
        self._up = mulaw.Doubler()
        self._down = mulaw.Halver()
        self._unmarked = 0

    async def send_sound(self, sequence: int, samples: bytes) -> None:
        codes = mulaw.encode(self._down.convert(samples))
        if codes:
            await self._send(twilio.media(self._stream_id, codes))
        self._unmarked += 1
        is_short = len(samples) < FRAME_MILLISECONDS * 32
        if self._unmarked >= FRAMES_A_MARK or is_short:
            self._unmarked = 0
            await self._send(twilio.mark(self._stream_id, str(sequence)))

    async def clear(self) -> None:
        self._unmarked = 0
        await self._send(twilio.clear(self._stream_id))

    async def tell(self, type: str, **body: Any) -> None:
        """A telephone shows nothing."""

    async def end(self, reason: str) -> None:
        await self._close(reason)

    def take(self, message: twilio.Message, call: Call) -> bool:
        """Hand what the carrier sends to the call; False where the stream is over.

        Raises TooMuchSound.
        """
        match message:
            case twilio.Media():
                call.hear(self._up.convert(mulaw.decode(message.codes)))
            case twilio.Mark() if message.name.isdecimal():
                call.played(int(message.name[:10]))
            case twilio.Digit():
                call.press(message.key)
            case twilio.Stopped():
                return False
        return True
