"""Sound as MP3, a piece at a time."""

from __future__ import annotations

from typing import Any

from core.providers.speech import SAMPLE_RATE_HERTZ, Sound

BITRATE_KBPS = 48
QUALITY = 5


class Mp3Encoder:
    """One MP3 file in the making; the pieces that `encode` returns are its bytes in order."""

    def __init__(self) -> None:
        """Raises ImportError where the extra `speech` is not installed."""
        import lameenc

        self._encoder: Any = lameenc.Encoder()
        self._encoder.silence()
        self._encoder.set_bit_rate(BITRATE_KBPS)
        self._encoder.set_in_sample_rate(SAMPLE_RATE_HERTZ)
        self._encoder.set_channels(1)
        self._encoder.set_quality(QUALITY)

    def encode(self, sound: Sound) -> bytes:
        """Takes two milliseconds a second of sound: call it in a thread."""
        return bytes(self._encoder.encode(sound.samples))

    def end(self) -> bytes:
        """The last bytes of the file."""
        return bytes(self._encoder.flush())
