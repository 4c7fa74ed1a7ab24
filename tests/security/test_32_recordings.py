"""Hostile line 32: corrupt, empty and endless recordings, false labels, playlists that fetch."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import av
import pytest

from core.errors import SupportError
from core.providers.speech import Sound
from core.providers.speech.decoding import Decoders
from tests.recordings import FORMATS, recording, said

LIMIT_SECONDS = 10
SENTENCE = "Bonjour, où est ma commande ?"


def decode(content: bytes, announced: str = "") -> Sound:
    return asyncio.run(Decoders().decode(content, announced))


def seconds_or_refusal(content: bytes) -> float:
    """How long a recording is; 0 where it is refused with a 4xx."""
    try:
        return decode(content).duration_seconds
    except SupportError as refusal:
        if not 400 <= refusal.status < 500:
            raise
        return 0.0


def refuse(content: bytes, announced: str = "") -> SupportError:
    began = time.monotonic()
    with pytest.raises(SupportError) as refused:
        decode(content, announced)
    assert time.monotonic() - began < LIMIT_SECONDS
    assert 400 <= refused.value.status < 500
    return refused.value


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what came to it."""
    came: list[bytes] = []
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        door.settimeout(0.2)
        stop = threading.Event()

        def wait() -> None:
            while not stop.is_set():
                try:
                    came.append(door.accept()[0].recv(100))
                except TimeoutError:
                    continue

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield door.getsockname()[1], came
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("kind", FORMATS)
def test_32_half_a_recording_is_heard_or_refused(kind: str) -> None:
    content = recording(said(SENTENCE), kind)
    for size in (20, 60, len(content) // 2):
        assert seconds_or_refusal(content[:size]) < 4


@pytest.mark.parametrize("kind", FORMATS)
def test_32_garbage_behind_a_good_beginning_is_4xx_or_short(kind: str) -> None:
    content = recording(said(SENTENCE), kind)[:300] + os.urandom(200_000)
    began = time.monotonic()
    assert seconds_or_refusal(content) <= 180
    assert time.monotonic() - began < LIMIT_SECONDS


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfb", os.urandom(4_000), b"RIFF" * 500])
def test_32_what_is_no_recording_is_4xx(content: bytes) -> None:
    refuse(content)


@pytest.mark.parametrize(
    ("kind", "announced"),
    [("mp3", "audio/wav"), ("wav", "audio/webm"), ("ogg", "text/html"), ("m4a", "image/png")],
)
def test_32_a_false_label_is_415(kind: str, announced: str) -> None:
    assert refuse(recording(said(SENTENCE), kind), announced).status == 415


def test_32_three_hours_are_413() -> None:
    """Silence in Opus is small: what counts is how long it lasts when it is played."""
    output = io.BytesIO()
    with av.open(output, "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 6_000
        assert isinstance(stream, av.AudioStream)
        for number in range(400):
            frame = av.AudioFrame(format="s16", layout="mono", samples=48_000)
            frame.planes[0].update(bytes(96_000))
            frame.sample_rate, frame.pts = 48_000, number * 48_000
            for packet in stream.encode(frame):
                target.mux(packet)
    assert refuse(output.getvalue()).status == 413


def test_32_a_wav_that_lies_about_its_length_is_measured() -> None:
    content = bytearray(recording(said(SENTENCE), "wav"))
    struct.pack_into("<I", content, 4, 0xFFFFFFFF)
    at = content.index(b"data") + 4
    struct.pack_into("<I", content, at, 0xFFFFFFF0)
    assert seconds_or_refusal(bytes(content)) < 4


@pytest.mark.parametrize("rate", [1, 400_000_000])
def test_32_a_wav_of_an_impossible_rate_is_4xx(rate: int) -> None:
    content = bytearray(recording(said(SENTENCE), "wav"))
    struct.pack_into("<I", content, 24, rate)
    refuse(bytes(content))


def test_32_no_playlist_reaches_the_network() -> None:
    with listener() as (port, came):
        address = f"http://127.0.0.1:{port}/sound.mp3"
        for content in (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{address}'\n",
            f"[playlist]\nFile1={address}\nNumberOfEntries=1\n",
            f"<ASX><ENTRY><REF HREF='{address}'/></ENTRY></ASX>",
            "#EXTM3U\nfile:///etc/passwd\n",
        ):
            assert refuse(content.encode()).status == 415
            assert refuse(content.encode(), "audio/mpeg").status == 415
    assert came == []


def test_32_many_recordings_at_once_are_all_decoded() -> None:
    content = recording(said(SENTENCE), "webm")

    async def all_of_them() -> list[Sound]:
        decoders = Decoders()
        return await asyncio.gather(*[decoders.decode(content, "audio/webm") for _ in range(8)])

    sounds = asyncio.run(all_of_them())
    assert len({sound.samples for sound in sounds}) == 1
