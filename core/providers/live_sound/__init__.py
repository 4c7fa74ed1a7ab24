"""A caller's compressed sound as 16 kHz samples, piece by piece, decoded in a process of its own.

What a stranger sends is opened by decoders with a long history of faults: a child process opens
it, with limits on memory and time, an empty environment and no secret. One that dies is replaced
and the sound goes on with the next piece that can be decoded by itself.
"""

from __future__ import annotations

import asyncio
import struct
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from core.errors import InvalidRequest
from core.providers.isolation import start_isolated
from core.telemetry import logger

LiveFormat = Literal["opus", "webm"]

PIECE_HEAD = struct.Struct("<I")
# How often a decoder may die in one call before the sound is called unreadable.
MAXIMUM_DEATHS = 3
# A decoder that takes in nothing for so long hangs.
STUCK_SECONDS = 3.0
READ_BYTES = 64 * 1024
MAXIMUM_HEAD_BYTES = 64 * 1024
UNREADABLE = "The sound cannot be decoded; send 16 kHz samples instead."
# EBML id of a cluster: what stands before the first one describes the stream.
_CLUSTER = b"\x1f\x43\xb6\x75"

_log = logger("core.live_sound")


class LiveDecoder:
    """One call's decoder. Close it when the call ends."""

    def __init__(self, format: LiveFormat, hear: Callable[[bytes], None]) -> None:
        self._format = format
        self._hear = hear
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._deaths = 0
        self._head = bytearray()
        self._has_head = False
        # After a death a stream goes on at its next cluster only.
        self._seeks = False

    @property
    def process_id(self) -> int | None:
        """The running decoder, None where none runs."""
        return self._process.pid if self._process is not None else None

    async def put(self, piece: bytes) -> None:
        """Decode the next piece: an Opus packet, or any part of a WebM stream.

        Raises InvalidRequest where the sound cannot be decoded, and whatever `hear` raises.
        """
        if self._failure is not None:
            raise self._failure
        if self._format == "webm":
            piece = self._from_cluster(piece)
        if not piece:
            return
        head = PIECE_HEAD.pack(len(piece)) if self._format == "opus" else b""
        try:
            await self._write(head + piece)
        except (OSError, TimeoutError):
            await self._died()

    def _from_cluster(self, piece: bytes) -> bytes:
        """Remember what describes the stream; after a death skip to the next cluster."""
        if not self._has_head:
            self._head += piece
            found = self._head.find(_CLUSTER)
            if found < 0 and len(self._head) > MAXIMUM_HEAD_BYTES:
                raise InvalidRequest(UNREADABLE)
            self._has_head = found >= 0
            if self._has_head:
                del self._head[found:]
        elif self._seeks:
            found = piece.find(_CLUSTER)
            if found < 0:
                return b""
            self._seeks = False
            return bytes(self._head) + piece[found:]
        return piece

    async def _write(self, content: bytes) -> None:
        process = await self._running()
        assert process.stdin is not None  # noqa: S101  a pipe was asked for
        process.stdin.write(content)
        async with asyncio.timeout(STUCK_SECONDS):
            await process.stdin.drain()

    async def _running(self) -> Process:
        if self._process is not None and self._process.returncode is not None:
            await self._died()
        if self._process is None:
            self._process = await start_isolated(
                "core.providers.live_sound.worker",
                self._format,
            )
            self._reading = asyncio.create_task(self._read(self._process), name="live sound")
        return self._process

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101  a pipe was asked for
        rest = b""
        while samples := rest + await process.stdout.read(READ_BYTES):
            whole = len(samples) & ~1
            if not whole:
                return
            rest = samples[whole:]
            try:
                self._hear(samples[:whole])
            except Exception as error:
                self._failure = error
                return

    async def _died(self) -> None:
        """Let go of a decoder that is gone; raises InvalidRequest after too many."""
        self._deaths += 1
        _log.warning("decoder_died", deaths=self._deaths)
        await self.close()
        self._seeks = self._format == "webm"
        if self._deaths >= MAXIMUM_DEATHS:
            raise InvalidRequest(UNREADABLE)

    async def close(self) -> None:
        """End the decoder."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None
