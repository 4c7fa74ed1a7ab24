"""Speech engines in processes of their own: started at first use, replaced when they die.

An engine holds hundreds of megabytes and the interpreter's lock, and may hang on what strangers
send. It runs in a child process with an empty environment, is asked one thing at a time over its
standard input and output (`worker.py` is the other end), and is killed when it takes too long.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import SpeechBusy, SpeechUnavailable
from core.providers.isolation import start_isolated
from core.telemetry import logger

# Two lengths before every message: of its JSON, and of the bytes behind it.
FRAME_HEAD = struct.Struct("<II")
WAITING_REQUESTS = 16
START_TIMEOUT_SECONDS = 60.0
# An engine that cannot be opened is not tried again at every request: that takes seconds.
REOPEN_SECONDS = 300.0
BUSY_RETRY_SECONDS = 5


class EngineDied(Exception):
    """The process of an engine ended, or was ended for taking too long."""


class EngineRefused(Exception):
    """The engine answered that it cannot do this: asking again cannot mend it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class EngineKind:
    """Which engine a process opens: `module` has an `open_engine(options)`, see `worker.py`."""

    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What an engine answered: facts, and a sound where one was asked for."""

    facts: Mapping[str, Any]
    payload: bytes


class EngineProcess:
    """One process with one engine; it is asked one thing at a time."""

    def __init__(self, kind: EngineKind) -> None:
        self.kind = kind
        self._process: Process | None = None
        self._refusal: EngineRefused | None = None
        self._refused_until = 0.0

    async def ask(
        self, request: Mapping[str, Any], payload: bytes, timeout_seconds: float
    ) -> Reply:
        """Send one request and wait for its reply; starts the process where none runs.

        Raises EngineRefused, or EngineDied after the process ended or took too long.
        """
        try:
            if self._process is None or self._process.returncode is not None:
                await self._start()
            async with asyncio.timeout(timeout_seconds):
                return await self._exchange(request, payload)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            await self.stop()
            raise EngineDied(type(error).__name__) from error
        except asyncio.CancelledError:
            # Its answer to a question that nobody asks any more would be taken for the next one.
            await self.stop()
            raise

    async def _start(self) -> None:
        if self._refusal is not None and time.monotonic() < self._refused_until:
            raise EngineRefused(self._refusal.reason, self._refusal.message)
        threads = str(self.kind.threads)
        self._process = await start_isolated(
            "core.providers.speech.worker",
            self.kind.module,
            json.dumps(self.kind.options),
            environment={
                "OMP_NUM_THREADS": threads,
                "HF_HUB_OFFLINE": "1",
                **self.kind.environment,
            },
        )
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            facts = (await self._receive()).facts
        if "refused" in facts:
            await self.stop()
            self._refusal = EngineRefused(facts["refused"], facts["message"])
            self._refused_until = time.monotonic() + REOPEN_SECONDS
            raise EngineRefused(facts["refused"], facts["message"])
        self._refusal = None

    async def _exchange(self, request: Mapping[str, Any], payload: bytes) -> Reply:
        process = self._running()
        assert process.stdin is not None  # noqa: S101  a pipe was asked for
        head = json.dumps(request, ensure_ascii=False).encode()
        process.stdin.writelines([FRAME_HEAD.pack(len(head), len(payload)), head, payload])
        await process.stdin.drain()
        reply = await self._receive()
        if "refused" in reply.facts:
            raise EngineRefused(reply.facts["refused"], reply.facts["message"])
        return reply

    async def _receive(self) -> Reply:
        process = self._running()
        assert process.stdout is not None  # noqa: S101  a pipe was asked for
        lengths = FRAME_HEAD.unpack(await process.stdout.readexactly(FRAME_HEAD.size))
        head = await process.stdout.readexactly(lengths[0])
        return Reply(json.loads(head), await process.stdout.readexactly(lengths[1]))

    def _running(self) -> Process:
        if self._process is None:
            raise ConnectionResetError("the engine's process was stopped")
        return self._process

    async def stop(self) -> None:
        """End the process; the next request starts another."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    @property
    def process_id(self) -> int | None:
        """The running process, None where none runs."""
        return self._process.pid if self._process is not None else None


class EnginePool:
    """The processes of one kind of engine, and a bounded queue before them.

    A request whose process dies is tried once more on a new one.
    """

    def __init__(
        self, kind: EngineKind, processes: int = 1, waiting: int = WAITING_REQUESTS
    ) -> None:
        self.kind = kind
        self.processes = tuple(EngineProcess(kind) for _ in range(processes))
        self._free = list(self.processes)
        self._places = asyncio.Semaphore(processes)
        self._waiting = 0
        self._longest_line = waiting

    async def ask(
        self, request: Mapping[str, Any], payload: bytes = b"", *, timeout_seconds: float
    ) -> Reply:
        """Ask the first free process.

        Raises SpeechBusy where too many wait, SpeechUnavailable where the engine failed twice,
        EngineRefused for what it cannot do.
        """
        if self._waiting >= self._longest_line:
            raise SpeechBusy(
                "Too many voice requests at the moment; try again in a few seconds.",
                BUSY_RETRY_SECONDS,
            )
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        process = self._free.pop()
        try:
            return await _ask_twice(process, request, payload, timeout_seconds)
        finally:
            self._free.append(process)
            self._places.release()

    @property
    def is_idle(self) -> bool:
        """Whether every process runs and is free, and nobody waits."""
        return (
            not self._waiting
            and len(self._free) == len(self.processes)
            and all(process.process_id is not None for process in self.processes)
        )

    async def close(self) -> None:
        """End every process."""
        for process in self.processes:
            await process.stop()


async def _ask_twice(
    process: EngineProcess, request: Mapping[str, Any], payload: bytes, timeout_seconds: float
) -> Reply:
    try:
        return await process.ask(request, payload, timeout_seconds)
    except EngineDied as death:
        logger("core.speech").warning(
            "speech_engine_died", engine=process.kind.module, reason=str(death)
        )
    try:
        return await process.ask(request, payload, timeout_seconds)
    except EngineDied as error:
        raise SpeechUnavailable(
            "The speech engine failed on this request; try again, or with another text or "
            "recording."
        ) from error
