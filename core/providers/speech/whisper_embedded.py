"""Speech to text without a network: Whisper in a process of its own, packaged or a file."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from core.errors import SpeechUnavailable
from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ, Sound, Transcript
from core.providers.speech.engines import EngineKind, EnginePool, EngineRefused
from core.providers.speech.listening import NOT_INSTALLED

ENGINE = "core.providers.speech.whisper_engine"
TORCH_ENGINE = "core.providers.speech.torch_whisper_engine"
MOST_THREADS = 2
TIMEOUT_SECONDS = 20.0
TORCH_TIMEOUT_SECONDS = 30.0
# The window that costs least holds so much and a margin.
LONGEST_GUESSED_SECONDS = 8.0
# A turn ends 200 ms or more after its last word: what takes no longer than this delays nobody.
SLOWEST_GUESS_SECONDS = 0.35
SLOWEST_TRANSCRIPT_SECONDS = 0.8
REST_SECONDS = 15.0
# Torch's threads spin while they wait for one another: beside other work that takes four times
# as long as letting them sleep.
PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}


class _WhisperProcess:
    """A recogniser behind a process; a sound of at most 30 seconds is heard, no more."""

    def __init__(self, name: str, kind: EngineKind, timeout_seconds: float, missing: str) -> None:
        self._name = name
        self._timeout_seconds = timeout_seconds
        self._missing = missing
        self.pool = EnginePool(kind)

    @property
    def name(self) -> str:
        return self._name

    async def transcribe(self, sound: Sound, *, language: str | None = None) -> Transcript:
        return await self._ask(sound, {"language": language})

    async def guess(self, sound: Sound, *, language: str | None = None) -> Transcript | None:
        """Nothing: what is heard takes too long."""
        return None

    async def _ask(self, sound: Sound, request: Mapping[str, Any]) -> Transcript:
        try:
            reply = await self.pool.ask(
                request, sound.samples, timeout_seconds=self._timeout_seconds
            )
        except EngineRefused as refusal:
            message = self._missing if refusal.reason == "not_installed" else refusal.message
            raise SpeechUnavailable(message) from refusal
        facts = reply.facts
        return Transcript(facts["text"], facts["language"], facts["confidence"])

    async def warm(self) -> None:
        """Load the model before somebody waits for it."""
        await self._ask(Sound(bytes(SAMPLE_RATE_HERTZ * BYTES_A_SAMPLE)), {"language": "fr"})

    async def close(self) -> None:
        await self.pool.close()


class EmbeddedSpeechToText(_WhisperProcess):
    """The packaged whisper-base."""

    def __init__(self) -> None:
        kind = EngineKind(ENGINE, {"threads": _threads()}, _threads())
        super().__init__("embedded:whisper-base", kind, TIMEOUT_SECONDS, NOT_INSTALLED)
        self._guesses_again_at = 0.0

    async def transcribe(self, sound: Sound, *, language: str | None = None) -> Transcript:
        return await self._timed(sound, {"language": language}, SLOWEST_TRANSCRIPT_SECONDS)

    async def guess(self, sound: Sound, *, language: str | None = None) -> Transcript | None:
        """A first thought, without weighing others; none while this machine has no time for it."""
        is_rested = time.monotonic() >= self._guesses_again_at
        if not (is_rested and self.pool.is_idle and _is_short(sound)):
            return None
        return await self._timed(sound, {"language": language, "beams": 1}, SLOWEST_GUESS_SECONDS)

    async def _timed(
        self, sound: Sound, request: Mapping[str, Any], slowest_seconds: float
    ) -> Transcript:
        """Ask, and rest from guessing where the answer to a short sound takes long."""
        began = time.monotonic()
        heard = await self._ask(sound, request)
        now = time.monotonic()
        if now - began > slowest_seconds and _is_short(sound):
            self._guesses_again_at = now + REST_SECONDS
        return heard


class TorchSpeechToText(_WhisperProcess):
    """OpenAI's own Whisper, by size (`small`) or `.pt` file; a size is downloaded once."""

    def __init__(self, model: str) -> None:
        kind = EngineKind(TORCH_ENGINE, {"model": model}, _threads(), PATIENT_THREADS)
        missing = "SPEECH_TO_TEXT=whisper:… needs more packages: run `scripts/install voice`."
        super().__init__(f"whisper:{model}", kind, TORCH_TIMEOUT_SECONDS, missing)


def _is_short(sound: Sound) -> bool:
    return sound.duration_seconds <= LONGEST_GUESSED_SECONDS


def _threads() -> int:
    return min(MOST_THREADS, os.cpu_count() or 1)
