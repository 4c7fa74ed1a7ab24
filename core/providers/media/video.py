"""A video copied into a fresh container: pictures and sound only, with a poster frame.

The container is opened as the one format that its first bytes show and reads from one open file:
no playlist, no reference to another file and no address is ever followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.container import InputContainer, OutputContainer

from core.providers.media.picture import MAXIMUM_SIDE, write_thumbnail
from core.providers.media.refusal import Refused

MAXIMUM_SECONDS = 600
MAXIMUM_PIXELS = 4096 * 2304
# How far a poster frame is looked for: the first picture may be behind broken packets.
POSTER_ATTEMPTS = 50

_DEMUXERS = {"video/mp4": "mov", "video/quicktime": "mov", "video/webm": "matroska"}
_KEPT_AS = {
    "video/mp4": ("video/mp4", "mp4"),
    "video/quicktime": ("video/mp4", "mp4"),
    "video/webm": ("video/webm", "webm"),
}
_CODECS = {
    "video/mp4": frozenset({"h264", "hevc", "mpeg4", "av1", "aac", "mp3", "opus"}),
    "video/webm": frozenset({"vp8", "vp9", "av1", "opus", "vorbis"}),
}


def prepare_video(file: BinaryIO, media_type: str, folder: Path) -> Mapping[str, Any]:
    """Write the video and its poster frame into a folder; returns what is known of it."""
    kept_type, extension = _KEPT_AS[media_type]
    content = f"content.{extension}"
    try:
        with _open(file, media_type) as source:
            facts = _check(source, _CODECS[kept_type])
            _write_poster(source, folder / "thumbnail.jpg")
        file.seek(0)
        with _open(file, media_type) as source:
            with av.open(str(folder / content), "w", format=extension) as target:
                seconds = _copy(source, target, _CODECS[kept_type])
    except (av.FFmpegError, ValueError, EOFError) as error:
        raise Refused(
            "unreadable", "The video is damaged and cannot be read; send it again."
        ) from error
    return {
        "media_type": kept_type,
        "content": content,
        "thumbnail": "thumbnail.jpg",
        **facts,
        "duration_seconds": round(seconds, 1),
    }


def _open(file: BinaryIO, media_type: str) -> InputContainer:
    options = {"protocol_whitelist": "none", "enable_drefs": "0"}
    return av.open(
        file, "r", format=_DEMUXERS[media_type], options=options, metadata_errors="replace"
    )


def _check(source: InputContainer, codecs: frozenset[str]) -> Mapping[str, Any]:
    """Refuse what is no video that browsers play, or one that is too large or too long."""
    if not source.streams.video:
        raise Refused("unsupported", "The file holds no video.")
    stream = source.streams.video[0]
    name = stream.codec_context.name
    if name not in codecs:
        raise Refused("unsupported", f"Videos encoded as {name[:40]} are not accepted; use H.264.")
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 1 or height < 1:
        raise Refused("unreadable", "The video has no pictures.")
    if width * height > MAXIMUM_PIXELS:
        raise Refused("too_large", "The video is larger than 4,096 x 2,304 pixels; reduce it.")
    if source.duration is not None:
        _check_length(source.duration / av.time_base)
    return {"width": width, "height": height}


def _check_length(seconds: float) -> None:
    if seconds > MAXIMUM_SECONDS:
        raise Refused("too_large", f"The video is longer than {MAXIMUM_SECONDS // 60} minutes.")


def _write_poster(source: InputContainer, path: Path) -> None:
    stream = source.streams.video[0]
    stream.codec_context.thread_count = 1
    attempts = 0
    for packet in source.demux(stream):
        attempts += 1
        if attempts > POSTER_ATTEMPTS:
            break
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            # A frame's size is read anew: a stream may announce another.
            if frame.width * frame.height > MAXIMUM_PIXELS:
                raise Refused("too_large", "The video is larger than 4,096 x 2,304 pixels.")
            picture = frame.to_image()  # type: ignore[no-untyped-call]
            picture.thumbnail((MAXIMUM_SIDE, MAXIMUM_SIDE))
            write_thumbnail(picture.rotate(frame.rotation, expand=True), path)
            return
    raise Refused("unreadable", "The video has no picture that can be read.")


def _copy(source: InputContainer, target: OutputContainer, codecs: frozenset[str]) -> float:
    """Copy pictures and sound without decoding; returns how many seconds they last."""
    kept = [source.streams.video[0]]
    kept += [one for one in source.streams.audio[:1] if one.codec_context.name in codecs]  # type: ignore[misc]
    written = {one.index: target.add_stream_from_template(one) for one in kept}
    longest = 0.0
    for packet in source.demux(kept):
        if packet.dts is None:
            continue
        if packet.pts is not None and packet.time_base is not None:
            longest = max(longest, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            _check_length(longest)
        packet.stream = written[packet.stream.index]
        target.mux(packet)
    return longest
