"""A caller for tests: speaks recorded sound into a call in real time, and hears what comes back."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.providers.speech.pico import EmbeddedTextToSpeech

Frame = dict[str, Any]

SECOND = 16_000 * 2
FRAME_MILLISECONDS = 20
FRAME_BYTES = SECOND * FRAME_MILLISECONDS // 1_000
PATIENCE_SECONDS = 90.0
# A caller that sends its sound so late has had no processor: times say nothing then.
STARVED_SECONDS = 0.06


async def synthesise(*texts: str, voice: str = "onyx", language: str = "fr") -> list[bytes]:
    """What callers say, as samples; another voice than the assistant's."""
    engine = EmbeddedTextToSpeech()
    try:
        return [
            b"".join(
                [
                    sound.samples
                    async for sound in engine.speak(text, voice=voice, language=language)
                ]
            )
            for text in texts
        ]
    finally:
        await engine.close()


def trimmed(samples: bytes, loudness: int = 300) -> bytes:
    """A sound without the silence around it, so that its end is the end of speech."""
    import numpy

    values = numpy.abs(numpy.frombuffer(samples, "<i2").astype(numpy.int32))
    loud = numpy.flatnonzero(values > loudness)
    return samples[int(loud[0]) * 2 : int(loud[-1]) * 2 + 2]


@dataclass
class Heard:
    """A frame of sound: when it came, and when a player would begin to play it."""

    sequence: int
    at: float
    plays_at: float
    samples: bytes


@dataclass
class VoiceCaller:
    """A call as a browser holds it."""

    connection: ClientConnection
    frames: list[tuple[float, Frame]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    ended_speaking: float = 0.0
    began_speaking: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _said: asyncio.Event = field(default_factory=asyncio.Event)
    _mouth: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _played_until: float = 0.0
    _acks: list[tuple[float, int]] = field(default_factory=list)
    acknowledges: bool = True
    # Sends nothing of its own: the test does.
    is_muted: bool = False
    latest_seconds: float = 0.0
    _is_speaking: bool = False

    async def run(self) -> None:
        """Receive, speak and acknowledge until the call ends."""
        tasks = [asyncio.create_task(one) for one in (self._receive(), self._speak(), self._play())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._news.set()
            self._said.set()

    async def _receive(self) -> None:
        try:
            async for message in self.connection:
                now = time.monotonic()
                if isinstance(message, bytes):
                    self._take_sound(message, now)
                else:
                    frame = json.loads(message)
                    if frame["type"] == "clear":
                        self._played_until = now
                        self._acks.clear()
                    self.frames.append((now, frame))
                self._news.set()
        except ConnectionClosed:
            pass
        self.closed = (self.connection.close_code or 0, self.connection.close_reason or "")

    def _take_sound(self, message: bytes, now: float) -> None:
        sequence, samples = struct.unpack(">I", message[:4])[0], message[4:]
        begins = max(now, self._played_until)
        self._played_until = begins + len(samples) / SECOND
        heard = Heard(sequence, now, begins, samples)
        self.heard.append(heard)
        self._acks.append((self._played_until, sequence))

    async def _play(self) -> None:
        """Tell what has been played, as a player would."""
        while True:
            await asyncio.sleep(0.02)
            played = 0
            while self._acks and self._acks[0][0] <= time.monotonic():
                played = self._acks.pop(0)[1]
            if played and self.acknowledges:
                await self.send(type="played", sequence=played)

    async def _speak(self) -> None:
        """Send a frame every 20 ms: speech where there is some, silence else."""
        due, rest = time.monotonic(), b""
        while True:
            if not rest and not self._mouth.empty():
                rest = self._mouth.get_nowait()
                self.began_speaking = time.monotonic()
                self._is_speaking = True
            frame, rest = rest[:FRAME_BYTES], rest[FRAME_BYTES:]
            if self._is_speaking and not rest:
                self._is_speaking = False
                self.ended_speaking = time.monotonic() + len(frame) / SECOND
                self._said.set()
            if not self.is_muted:
                await self.connection.send(frame.ljust(FRAME_BYTES, b"\0"))
            self.latest_seconds = max(self.latest_seconds, time.monotonic() - due)
            due += FRAME_MILLISECONDS / 1_000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def send(self, **body: Any) -> None:
        await self.connection.send(json.dumps(body))

    async def say(self, samples: bytes) -> None:
        """Speak, and return when it is said."""
        if self.closed is not None:
            raise AssertionError(f"the call has ended: {self.closed}")
        self._said.clear()
        self._mouth.put_nowait(samples)
        await self._said.wait()

    async def until(
        self, type: str, after: int = 0, seconds: float = PATIENCE_SECONDS
    ) -> tuple[float, Frame]:
        """The first frame of a type among those from number `after` on, with its time."""
        async with asyncio.timeout(seconds):
            while True:
                for at, frame in self.frames[after:]:
                    if frame["type"] == type:
                        return at, frame
                if self.closed is not None:
                    raise AssertionError(f"the call ended without {type}: {self.said()!r}")
                self._news.clear()
                await self._news.wait()

    async def until_sound(self, after: float, seconds: float = PATIENCE_SECONDS) -> Heard:
        """The first sound that comes after a moment."""
        async with asyncio.timeout(seconds):
            while True:
                for heard in self.heard:
                    if heard.at >= after:
                        return heard
                self._news.clear()
                await self._news.wait()

    async def until_silent(self, quiet_seconds: float = 0.6) -> None:
        """Wait until everything that was sent has been played."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            left = quiet_seconds
            while left > 0:
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), left)
                left = self._played_until + quiet_seconds - time.monotonic()

    @property
    def was_starved(self) -> bool:
        """Whether this machine was too busy for times to tell anything of the product."""
        return self.latest_seconds > STARVED_SECONDS

    def types(self) -> list[str]:
        return [frame["type"] for _, frame in self.frames]

    def said(self) -> str:
        """Everything that the voice has said, as text."""
        return " ".join(frame["text"] for _, frame in self.frames if frame["type"] == "speaking")

    def gaps_ms(self) -> list[int]:
        """How long the player had nothing to play in the middle of speech, in milliseconds."""
        cleared = [at for at, frame in self.frames if frame["type"] == "clear"]
        found = []
        for before, after in pairwise(self.heard):
            silence = after.plays_at - (before.plays_at + len(before.samples) / SECOND)
            was_cleared = any(before.at <= at <= after.at for at in cleared)
            if 0.001 < silence < 0.5 and not was_cleared:
                found.append(round(silence * 1_000))
        return found


@asynccontextmanager
async def calling(
    base_url: str, token: str = "", start: bool = True, **fields: Any
) -> AsyncIterator[VoiceCaller]:
    """Call; the call is hung up when the block ends."""
    address = base_url.replace("http", "ws", 1) + "/api/voice/call"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with connect(
        address, additional_headers=headers, proxy=None, compression=None, max_size=2**20
    ) as connection:
        # Compressed sound is sent by the test itself.
        caller = VoiceCaller(connection, is_muted="format" in fields)
        if start:
            await caller.send(type="start", **fields)
        running = asyncio.create_task(caller.run())
        try:
            yield caller
        finally:
            await connection.close()
            await running
