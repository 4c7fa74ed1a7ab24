"""Which real bytes does the test server give for vectors, images and speech?

Everything is a function of the request: the same input gives the same bytes.
"""

from __future__ import annotations

import base64
import io
import math
import struct
import wave
import zlib
from typing import Any

DEFAULT_DIMENSIONS = 64
IMAGE_SIDE_PIXELS = 8
SAMPLES_PER_SECOND = 24_000
LONGEST_TONE_SECONDS = 20.0

# One second of silence: MPEG-1 layer III frames of 128 kbit/s at 44.1 kHz, all zero after the head.
_SILENT_FRAME = bytes([0xFF, 0xFB, 0x90, 0xC4]) + bytes(413)
SILENT_MP3 = _SILENT_FRAME * 38


def vector(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """A vector of length 1 in which texts that share words are close."""
    found = [0.0] * dimensions
    for word in text.casefold().split() or [text]:
        code = zlib.crc32(word.encode())
        found[code % dimensions] += 1.0 if code & 0x10000 else -1.0
    length = math.hypot(*found)
    if length == 0.0:
        found[0], length = 1.0, 1.0
    return [value / length for value in found]


def encoded(values: list[float]) -> str:
    """A vector as base64 of little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def png(prompt: str) -> bytes:
    """A small opaque image in a colour of the prompt's own."""
    colour = zlib.crc32(prompt.encode()).to_bytes(4, "big")[:3]
    side = IMAGE_SIDE_PIXELS
    rows = (b"\x00" + colour * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_part(kind, data) for kind, data in parts)


def speech(text: str, response_format: str) -> tuple[bytes, str]:
    """Audio and its media type: silent MP3, or a tone as WAV or PCM, longer with the text."""
    if response_format == "mp3":
        return SILENT_MP3, "audio/mpeg"
    samples = _tone(min(LONGEST_TONE_SECONDS, 0.05 * len(text)))
    if response_format == "pcm":
        return samples, "audio/pcm"
    output = io.BytesIO()
    with wave.open(output, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLES_PER_SECOND)
        file.writeframes(samples)
    return output.getvalue(), "audio/wav"


def embedding_input(value: Any) -> list[str]:
    """The texts of an embeddings request; lists of token numbers count as texts of their own.

    Raises ValueError for what the provider refuses: nothing, or an empty text.
    """
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list) and texts and all(isinstance(part, int) for part in texts):
        texts = [texts]
    if not isinstance(texts, list) or not texts:
        raise ValueError("'$.input' is invalid.")
    found = [part if isinstance(part, str) else " ".join(map(str, part)) for part in texts]
    if not all(found):
        raise ValueError("'$.input' is invalid.")
    return found


def _tone(seconds: float) -> bytes:
    count = int(seconds * SAMPLES_PER_SECOND)
    step = 2 * math.pi * 440 / SAMPLES_PER_SECOND
    return struct.pack(f"<{count}h", *(int(8_000 * math.sin(step * at)) for at in range(count)))


def _png_part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
