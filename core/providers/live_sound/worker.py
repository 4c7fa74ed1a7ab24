"""The process that decodes one caller's sound as it comes: little memory, little time, no secrets.

Reads Opus packets (each behind its length) or a WebM stream from standard input, as the argument
says, and writes 16 kHz samples to standard output as soon as they are decoded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import av

from core.providers.isolation import limit_resources
from core.providers.live_sound import PIECE_HEAD
from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ

MAXIMUM_MEMORY_BYTES = 1024**3
MAXIMUM_CPU_SECONDS = 600
MAXIMUM_PACKET_BYTES = 8 * 1024
MAXIMUM_BROKEN_PACKETS = 50
OPUS_RATE_HERTZ = 48_000
# Enough for the head of a stream: no waiting for seconds of sound to look at.
_OPTIONS = {
    "probesize": "2048",
    "analyzeduration": "0",
    "fflags": "nobuffer",
    "protocol_whitelist": "none",
    "enable_drefs": "0",
}
BUFFER_BYTES = 4_096


class _Pipe:
    """Standard input as a file: reading gives what is there, not as much as was asked for."""

    def read(self, size: int) -> bytes:
        return os.read(0, size)


def main() -> None:
    """Decode until the input ends."""
    limit_resources(MAXIMUM_MEMORY_BYTES, MAXIMUM_CPU_SECONDS)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HERTZ)
    for frame in _opus() if sys.argv[1] == "opus" else _webm():
        for piece in resampler.resample(frame):
            samples = bytes(piece.planes[0])[: piece.samples * BYTES_A_SAMPLE]
            sys.stdout.buffer.write(samples)
        sys.stdout.buffer.flush()


def _opus() -> Iterator[av.AudioFrame]:
    codec = av.CodecContext.create("opus", "r")
    codec.sample_rate = OPUS_RATE_HERTZ
    codec.layout = "mono"
    broken = 0
    while head := sys.stdin.buffer.read(PIECE_HEAD.size):
        size = PIECE_HEAD.unpack(head)[0]
        packet = sys.stdin.buffer.read(size)
        try:
            if size > MAXIMUM_PACKET_BYTES:
                raise ValueError("no packet is so large")
            yield from codec.decode(av.Packet(packet))
        except (av.FFmpegError, ValueError):
            broken += 1
            if broken > MAXIMUM_BROKEN_PACKETS:
                raise


def _webm() -> Iterator[av.AudioFrame]:
    broken = 0
    with av.open(
        _Pipe(), "r", format="matroska", options=_OPTIONS, buffer_size=BUFFER_BYTES
    ) as source:
        stream = source.streams.audio[0]
        stream.codec_context.thread_count = 1
        if stream.codec_context.name not in {"opus", "libopus", "vorbis"}:
            raise ValueError("not a codec of browsers")
        for packet in source.demux(stream):
            try:
                yield from packet.decode()
            except av.FFmpegError:
                broken += 1
                if broken > MAXIMUM_BROKEN_PACKETS:
                    raise


if __name__ == "__main__":
    main()
