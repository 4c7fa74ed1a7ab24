"""The calls of this process: how many there may be at once, and their common parts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from channels.voice.call import Call, EndReason, Opening
from channels.voice.heard import guess, listen
from channels.voice.line import Line
from channels.voice.spoken import as_spoken
from core.errors import ServiceUnavailable, SupportError
from core.providers.speech import Sound, Transcript
from core.providers.voice_activity import open_voice_activity
from core.runtime import Runtime
from core.telemetry import VOICE_CALLS

BUSY = "All lines are busy; call again in a moment, or write to us."


class LinesBusy(ServiceUnavailable):
    """As many calls are held as this process may hold."""

    code = "lines_busy"

    def __init__(self) -> None:
        super().__init__(BUSY)


class OpenCalls:
    """The calls that are held now."""

    def __init__(self) -> None:
        self._held = 0
        self._warming: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, runtime: Runtime) -> OpenCalls:
        """Those of this process."""
        found: OpenCalls = runtime.parts.setdefault(cls, cls())
        return found

    def __len__(self) -> int:
        return self._held

    def is_full(self, runtime: Runtime) -> bool:
        """Whether no line is free."""
        return self._held >= runtime.settings.voice_calls_at_once

    @contextmanager
    def line(self, runtime: Runtime) -> Iterator[None]:
        """Hold one line; raises LinesBusy where none is free."""
        if self.is_full(runtime):
            raise LinesBusy
        self._held += 1
        VOICE_CALLS.inc()
        try:
            yield
        finally:
            self._held -= 1
            VOICE_CALLS.dec()

    async def hold(self, call: Call, runtime: Runtime) -> EndReason:
        """Hold a call until it ends."""
        if self._warming is None:
            # The recogniser is loaded while the first caller hears who answers.
            self._warming = asyncio.create_task(_warm(runtime), name="warm speech")
        return await call.run(runtime.settings.voice_call_minutes * 60)


async def _warm(runtime: Runtime) -> None:
    with suppress(SupportError):
        await runtime.speech_to_text.warm()


def new_call(runtime: Runtime, line: Line, opening: Opening) -> Call:
    """A call with the engines of this product; raises ServiceUnavailable without them."""
    return Call(
        runtime,
        line,
        open_voice_activity(),
        opening,
        partial(_transcribe, runtime, opening),
        as_spoken,
        partial(_guess, runtime, opening),
    )


async def _transcribe(
    runtime: Runtime, opening: Opening, sound: Sound, language: str | None
) -> Transcript:
    return await listen(runtime, opening.caller.principal.organization_id, sound, language)


async def _guess(
    runtime: Runtime, opening: Opening, sound: Sound, language: str | None
) -> Transcript | None:
    return await guess(runtime, opening.caller.principal.organization_id, sound, language)
