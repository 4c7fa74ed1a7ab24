"""Recordings for tests: spoken by the embedded voice, in the files that customers send."""

from __future__ import annotations

import io
import math
import struct
from functools import cache

import av
import numpy
from py_nanotts import NanoTTS

RATE_HERTZ = 16_000
FORMATS = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "wav": ("wav", "pcm_s16le", "audio/wav"),
    "webm": ("webm", "libopus", "audio/webm"),
    "m4a": ("mp4", "aac", "audio/mp4"),
    "ogg": ("ogg", "libopus", "audio/ogg"),
}


@cache
def said(text: str, language: str = "fr-FR", pitch: float = 1.0, speed: float = 1.0) -> bytes:
    """What Pico says: 16 kHz mono samples."""
    return bytes(NanoTTS().speak(text, voice=language, pitch=pitch, speed=speed))


@cache
def recording(samples: bytes, kind: str, rate_hertz: int = RATE_HERTZ, channels: int = 1) -> bytes:
    """Samples as a file; a WebM is written as a browser's recorder writes it, without its end."""
    container, codec, _ = FORMATS[kind]
    options = {"live": "1"} if kind == "webm" else {}
    file = io.BytesIO()
    layout = "mono" if channels == 1 else "stereo"
    with av.open(file, "w", format=container, options=options) as target:
        encoding_rate = 48_000 if codec == "libopus" else rate_hertz
        stream = target.add_stream(codec, rate=encoding_rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(stream.codec_context.format, layout, encoding_rate)
        for frame in [_frame(samples), None]:
            for piece in resampler.resample(frame):
                piece.pts = None
                for packet in stream.encode(piece):
                    target.mux(packet)
        for packet in stream.encode(None):
            target.mux(packet)
    return file.getvalue()


def _frame(samples: bytes) -> av.AudioFrame:
    array = numpy.frombuffer(samples, "<i2").reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(array, format="s16", layout="mono")
    frame.sample_rate = RATE_HERTZ
    return frame


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE_HERTZ))


def music(seconds: float) -> bytes:
    """Chords that change twice a second."""
    roots = (220.0, 261.6, 329.6, 392.0)
    found = []
    for at in range(int(seconds * RATE_HERTZ)):
        root = roots[int(at / RATE_HERTZ * 2) % len(roots)]
        angle = 2 * math.pi * root * at / RATE_HERTZ
        found.append(int(6_000 * sum(math.sin(angle * part) for part in (1, 1.26, 1.5))))
    return struct.pack(f"<{len(found)}h", *found)
