"""The process in which a stranger's recording is decoded: little memory, little time, no secrets.

Reads the file from standard input; writes one line of JSON, then what was heard as 16 kHz samples.
The argument is the announced type. The container is opened as the one format that its first bytes
show: no playlist, no other file and no address is ever followed.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import av
from av.container import InputContainer

from core.providers.isolation import limit_resources
from core.providers.media.refusal import Refused
from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ

MAXIMUM_SECONDS = 180
SHORTEST_SECONDS = 0.1
MAXIMUM_RATE_HERTZ = 192_000
MAXIMUM_CHANNELS = 8
MAXIMUM_BROKEN_PACKETS = 50
MAXIMUM_MEMORY_BYTES = 1024**3
MAXIMUM_CPU_SECONDS = 8
ACCEPTED = "Send MP3, WAV, WebM, M4A or Ogg."
UNREADABLE = "The recording is damaged and cannot be read; record it again."

# Where a signature stands, the signature, and FFmpeg's name of the container.
_SIGNATURES = (
    (8, b"WAVE", "wav"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
)
# What each container may be announced as; programs name the same files in many ways.
_ANNOUNCED = {
    "wav": {"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"},
    "matroska": {"audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska"},
    "mov": {"audio/mp4", "audio/m4a", "audio/x-m4a", "video/mp4", "audio/aac", "video/quicktime"},
    "ogg": {"audio/ogg", "application/ogg", "audio/opus", "audio/vorbis", "video/ogg"},
    "mp3": {"audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mp3", "audio/x-mpeg"},
}
_CODECS = ("mp3", "aac", "opus", "vorbis", "flac", "alac", "pcm_", "adpcm_")
_ANY_TYPE = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def main() -> None:
    """Decode one file and report."""
    limit_resources(MAXIMUM_MEMORY_BYTES, MAXIMUM_CPU_SECONDS)
    file = io.BytesIO(sys.stdin.buffer.read())
    try:
        samples = _decode(file, sys.argv[1])
        report: Mapping[str, Any] = {"bytes": len(samples)}
    except Refused as refusal:
        samples, report = b"", {"refused": refusal.reason, "message": refusal.message}
    except MemoryError:
        samples, report = b"", {"refused": "unreadable", "message": UNREADABLE}
    sys.stdout.buffer.write(json.dumps(report).encode() + b"\n" + samples)


def _decode(file: io.BytesIO, announced: str) -> bytes:
    container = _container_of(file.getvalue()[:16])
    name = announced.partition(";")[0].strip().lower()
    if name not in _ANY_TYPE and name not in _ANNOUNCED[container]:
        raise Refused(
            "unsupported", f"The recording was announced as {name[:60]}, but it is not. {ACCEPTED}"
        )
    options = {"protocol_whitelist": "none", "enable_drefs": "0"}
    try:
        with av.open(
            file, "r", format=container, options=options, metadata_errors="replace"
        ) as source:
            samples = b"".join(_samples(source))
    except (av.FFmpegError, ValueError, EOFError) as error:
        raise Refused("unreadable", UNREADABLE) from error
    if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE_HERTZ * BYTES_A_SAMPLE:
        raise Refused("unreadable", "The recording holds no sound; record it again.")
    return samples


def _container_of(head: bytes) -> str:
    for offset, signature, container in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return container
    # The head of an MPEG audio frame of layer III, in any version.
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:
        return "mp3"
    raise Refused("unsupported", f"This is no recording of a kind that is accepted. {ACCEPTED}")


def _samples(source: InputContainer) -> Iterator[bytes]:
    """The sound as 16 kHz mono, a piece at a time; refuses what lasts too long."""
    stream = _checked_stream(source)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HERTZ)
    seconds, broken = 0.0, 0
    for packet in source.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            broken += 1
            if broken > MAXIMUM_BROKEN_PACKETS:
                raise
            continue
        for frame in frames:
            _check(frame.sample_rate, len(frame.layout.channels))
            seconds += frame.samples / frame.sample_rate
            if seconds > MAXIMUM_SECONDS:
                raise _too_long()
            yield from _resampled(resampler, frame)
    yield from _resampled(resampler, None)


def _resampled(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[bytes]:
    for piece in resampler.resample(frame):
        # A plane is padded for the processor; the sound is its beginning.
        yield bytes(piece.planes[0])[: piece.samples * BYTES_A_SAMPLE]


def _checked_stream(source: InputContainer) -> av.AudioStream:
    if not source.streams.audio:
        raise Refused("unsupported", f"The file holds no sound. {ACCEPTED}")
    stream = source.streams.audio[0]
    stream.codec_context.thread_count = 1
    name = stream.codec_context.name
    if not name.startswith(_CODECS):
        raise Refused("unsupported", f"Sound encoded as {name[:40]} is not accepted. {ACCEPTED}")
    if source.duration is not None and source.duration / av.time_base > 2 * MAXIMUM_SECONDS:
        raise _too_long()
    return stream


def _check(rate_hertz: int, channels: int) -> None:
    if not 0 < rate_hertz <= MAXIMUM_RATE_HERTZ or not 0 < channels <= MAXIMUM_CHANNELS:
        raise Refused("unsupported", "The recording has too many channels or samples a second.")


def _too_long() -> Refused:
    return Refused("too_large", f"The recording is longer than {MAXIMUM_SECONDS // 60} minutes.")


if __name__ == "__main__":
    main()
