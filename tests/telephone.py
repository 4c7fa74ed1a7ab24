"""A carrier for tests: speaks the Media Streams protocol as Twilio does, marks and all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import numpy
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

CALL_ID = "CA0123456789abcdef0123456789abcdef"
STREAM_ID = "MZ0123456789abcdef0123456789abcdef"
FRAME_CODES = 160
FRAME_SECONDS = 0.02
PATIENCE_SECONDS = 90.0


def signed(auth_token: str, url: str, form: Mapping[str, str]) -> dict[str, str]:
    """The header that a carrier sends: written here anew from the carrier's documentation."""
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def post(base_url: str, path: str, auth_token: str, **form: str) -> httpx.Response:
    """A request of the carrier."""
    url = base_url + path
    headers = {
        **signed(auth_token, url, form),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return httpx.post(url, content=urlencode(form), headers=headers, timeout=30, trust_env=False)


@dataclass(frozen=True)
class Instructions:
    """What the product answered an incoming call with."""

    stream_url: str
    after_url: str
    parameters: dict[str, str]


def read_instructions(document: str) -> Instructions:
    root = ElementTree.fromstring(document)  # noqa: S314  our own answer
    connection = root.find("Connect")
    assert connection is not None
    stream = connection.find("Stream")
    assert stream is not None
    parameters = {one.attrib["name"]: one.attrib["value"] for one in stream.findall("Parameter")}
    return Instructions(stream.attrib["url"], connection.attrib["action"], parameters)


def to_codes(samples: bytes) -> bytes:
    """16 kHz samples as μ-law at 8 kHz, after the recommendation's own formula."""
    values = numpy.frombuffer(samples, "<i2").astype(float)
    halved = values[: len(values) // 2 * 2].reshape(-1, 2).mean(axis=1)
    magnitudes = numpy.minimum(numpy.abs(halved), 32_635) + 132
    exponents = numpy.floor(numpy.log2(magnitudes)).astype(int) - 7
    mantissas = (magnitudes.astype(int) >> (exponents + 3)) & 15
    codes = ~(numpy.where(halved < 0, 0x80, 0) | (exponents << 4) | mantissas) & 0xFF
    return bytes(codes.astype(numpy.uint8).tobytes())


@dataclass
class PhoneCaller:
    """One stream as a carrier holds it: plays what comes in real time and returns the marks."""

    connection: ClientConnection
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    began_speaking: float = 0.0
    ended_speaking: float = 0.0
    played_seconds: float = 0.0
    played_until: float = 0.0
    _marks: list[tuple[float, str]] = field(default_factory=list)
    _mouth: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _said: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, event: str, **body: Any) -> None:
        await self.connection.send(json.dumps({"event": event, "streamSid": STREAM_ID, **body}))

    async def start(self, parameters: Mapping[str, str], call_id: str = CALL_ID) -> None:
        await self.connection.send(
            json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        )
        format = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        await self.send(
            "start",
            sequenceNumber="1",
            start={
                "streamSid": STREAM_ID,
                "accountSid": "AC0",
                "callSid": call_id,
                "tracks": ["inbound"],
                "customParameters": dict(parameters),
                "mediaFormat": format,
            },
        )

    async def run(self) -> None:
        tasks = [asyncio.create_task(one) for one in (self._receive(), self._speak(), self._play())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._news.set()

    async def _receive(self) -> None:
        try:
            async for message in self.connection:
                now, body = time.monotonic(), json.loads(message)
                if body["event"] == "media":
                    seconds = len(base64.b64decode(body["media"]["payload"])) / 8_000
                    self.played_until = max(now, self.played_until) + seconds
                    self.played_seconds += seconds
                elif body["event"] == "mark":
                    self._marks.append((self.played_until, body["mark"]["name"]))
                elif body["event"] == "clear":
                    # The carrier returns the marks of what it lets go.
                    self.played_until = now
                    self._marks = [(now, name) for _, name in self._marks]
                self.events.append((now, body))
                self._news.set()
        except ConnectionClosed:
            pass

    async def _play(self) -> None:
        while True:
            await asyncio.sleep(FRAME_SECONDS)
            while self._marks and self._marks[0][0] <= time.monotonic():
                await self.send("mark", mark={"name": self._marks.pop(0)[1]})

    async def _speak(self) -> None:
        due, rest, chunk = time.monotonic(), b"", 0
        while True:
            if not rest and not self._mouth.empty():
                rest = self._mouth.get_nowait()
                self.began_speaking = time.monotonic()
            frame, after = rest[:FRAME_CODES], rest[FRAME_CODES:]
            if rest and not after:
                self.ended_speaking = time.monotonic()
                self._said.set()
            rest, chunk = after, chunk + 1
            payload = base64.b64encode(frame.ljust(FRAME_CODES, b"\xff")).decode()
            media = {"track": "inbound", "chunk": str(chunk), "timestamp": str(chunk * 20)}
            await self.send("media", media={**media, "payload": payload})
            due += FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def say(self, codes: bytes) -> None:
        """Speak, and return when it is said."""
        self._said.clear()
        self._mouth.put_nowait(codes)
        await self._said.wait()

    async def until(self, event: str, after: int = 0) -> tuple[float, dict[str, Any]]:
        """The first event of a kind among those from number `after` on, with its time."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for at, body in self.events[after:]:
                    if body["event"] == event:
                        return at, body
                self._news.clear()
                await self._news.wait()

    async def until_silent(self, quiet_seconds: float = 0.7) -> None:
        """Wait until everything that was sent has been played."""
        await self.until("media")
        async with asyncio.timeout(PATIENCE_SECONDS):
            left = quiet_seconds
            while left > 0:
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), left)
                except TimeoutError:
                    pass
                left = self.played_until + quiet_seconds - time.monotonic()


@asynccontextmanager
async def phoning(instructions: Instructions, call_id: str = CALL_ID) -> AsyncIterator[PhoneCaller]:
    """Open the stream that the instructions ask for; it stops when the block ends."""
    async with connect(instructions.stream_url, proxy=None, compression=None) as connection:
        caller = PhoneCaller(connection)
        await caller.start(instructions.parameters, call_id)
        running = asyncio.create_task(caller.run())
        try:
            yield caller
        finally:
            await connection.close()
            await running
