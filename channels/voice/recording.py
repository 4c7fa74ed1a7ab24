"""What was said in a call by both sides, kept as one sound file while the call lasts."""

from __future__ import annotations

import asyncio
import tempfile
import time
import wave
from pathlib import Path
from uuid import UUID

import numpy

from core.database import new_id
from core.errors import SupportError
from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ
from core.runtime import Runtime
from core.security import Principal
from core.telemetry import logger
from services.conversations.calls import forget_recording, keep_recording

MEDIA_TYPE = "audio/wav"

_log = logger("channels.voice")


class Recorder:
    """Mixes the caller's sound with the voice as it is played; nothing is kept before `start`."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._file: wave.Wave_write | None = None
        self._voice = bytearray()
        self._written = 0

    @property
    def is_on(self) -> bool:
        return self._file is not None

    @property
    def duration_seconds(self) -> float:
        return self._written / (SAMPLE_RATE_HERTZ * BYTES_A_SAMPLE)

    def place_of(self, ended_at: float, speech_ms: int) -> int | None:
        """Where speech that ended at a monotonic second begins in the recording, in milliseconds.

        None where none of it was recorded.
        """
        behind = self.duration_seconds - (time.monotonic() - ended_at)
        if self._file is None or behind <= 0:
            return None
        return max(0, round(behind * 1_000) - speech_ms)

    def start(self) -> None:
        """Keep what is said from now on; the caller has agreed."""
        if self._file is not None:
            return
        self._folder = tempfile.TemporaryDirectory(prefix="mdf-call-")
        self._file = wave.open(str(Path(self._folder.name, "call.wav")), "wb")
        self._file.setnchannels(1)
        self._file.setsampwidth(BYTES_A_SAMPLE)
        self._file.setframerate(SAMPLE_RATE_HERTZ)

    def voice(self, samples: bytes) -> None:
        """The voice says this behind what it said before."""
        if self._file is not None:
            self._voice += samples

    def clear(self) -> None:
        """The voice fell silent: what it had not said was not heard."""
        self._voice.clear()

    def caller(self, window: bytes) -> None:
        """The caller's next sound; the voice says as much meanwhile."""
        if self._file is None:
            return
        other = bytes(self._voice[: len(window)])
        del self._voice[: len(window)]
        mixed = numpy.frombuffer(window, "<i2").astype(numpy.int32)
        mixed[: len(other) // BYTES_A_SAMPLE] += numpy.frombuffer(other, "<i2")
        self._file.writeframes(numpy.clip(mixed, -32_768, 32_767).astype("<i2").tobytes())
        self._written += len(window)

    def finish(self) -> Path | None:
        """The file, None where nothing was kept; it lies there until `discard`."""
        if self._file is None or self._folder is None:
            return None
        self._file.close()
        self._file = None
        return Path(self._folder.name, "call.wav") if self._written else None

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


async def keep(runtime: Runtime, principal: Principal, call_id: UUID, recorder: Recorder) -> None:
    """Store the recording of a call that is over; one that cannot be stored is given up."""
    try:
        path = recorder.finish()
        if path is None:
            return
        now = runtime.clock()
        key = f"{principal.organization_id.hex}/{now:%Y/%m}/call_{new_id().hex}.wav"
        size = (await asyncio.to_thread(path.stat)).st_size
        values = {
            "storage_key": key,
            "media_type": MEDIA_TYPE,
            "size_bytes": size,
            "duration_seconds": round(recorder.duration_seconds, 2),
        }
        # The row stands before its file: no file is left that nobody knows of.
        async with runtime.database.transaction(principal.organization_id) as transaction:
            id = await keep_recording(transaction, call_id, principal.actor, values, now)
        try:
            await runtime.storage.write_file(key, path)
        except SupportError as error:
            _log.warning("recording_not_kept", error=error.code)
            async with runtime.database.transaction(principal.organization_id) as transaction:
                await forget_recording(transaction, id)
    finally:
        recorder.discard()
