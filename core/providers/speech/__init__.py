"""Speech to text and text to speech: what every adapter offers, whatever engine is behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

# What speech engines and calls exchange: one channel of signed 16-bit samples, little-endian.
SAMPLE_RATE_HERTZ = 16_000
BYTES_A_SAMPLE = 2


@dataclass(frozen=True)
class Sound:
    """Mono PCM: `samples` are signed 16-bit little-endian at `SAMPLE_RATE_HERTZ`."""

    samples: bytes

    @property
    def duration_seconds(self) -> float:
        """How long it lasts when played."""
        return len(self.samples) / (SAMPLE_RATE_HERTZ * BYTES_A_SAMPLE)


@dataclass(frozen=True)
class Transcript:
    """What was heard: the words, the language (ISO 639-1) and how sure the engine is (0 to 1)."""

    text: str
    language: str
    confidence: float


class SpeechToText(Protocol):
    """Turns a sound into words."""

    @property
    def name(self) -> str:
        """Names the engine and its weights, for logs and the ledger."""
        ...

    async def transcribe(self, sound: Sound, *, language: str | None = None) -> Transcript:
        """Return the words of `sound`; the language is detected where none is given.

        Raises `SpeechBusy` (503 with a delay) when the queue is full, `SpeechUnavailable` (503)
        when no engine can answer. Silence gives an empty text.
        """
        ...

    async def guess(self, sound: Sound, *, language: str | None = None) -> Transcript | None:
        """What is probably said in a sound that is not over, at once; None where that costs.

        Only an engine of this machine that has nothing else to do guesses: whoever asks
        `transcribe` meanwhile waits for no more than a part of a second. Raises as that does.
        """
        ...

    async def warm(self) -> None:
        """Load the engine before somebody waits for it; raises as `transcribe` does."""
        ...

    async def close(self) -> None:
        """Let go of processes and connections."""
        ...


class TextToSpeech(Protocol):
    """Turns words into a sound."""

    @property
    def name(self) -> str:
        """Names the engine and its voices."""
        ...

    def speak(self, text: str, *, voice: str, language: str) -> AsyncIterator[Sound]:
        """Yield the sound of `text` a sentence at a time, the first as soon as it is made.

        `text` is already written as it is said. Raises `VoiceUnavailable` (503) where the engine
        has no such language.
        """
        ...

    async def warm(self) -> None:
        """Load the engine before somebody waits for it; raises as `speak` does."""
        ...

    async def close(self) -> None:
        """Let go of processes and connections."""
        ...
