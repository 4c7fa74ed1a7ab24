"""When does the caller speak, pause and go on? Probabilities of voice in, moments out.

Time is counted in windows of sound, so that it is the same for a recording and a live call.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ, Sound

WINDOW_SAMPLES = 512
WINDOW_BYTES = WINDOW_SAMPLES * BYTES_A_SAMPLE
WINDOW_MILLISECONDS = WINDOW_SAMPLES * 1_000 // SAMPLE_RATE_HERTZ

# Voice begins above the one and lasts above the other: breath between them changes nothing.
VOICE_BEGINS = 0.5
VOICE_LASTS = 0.35
WINDOWS_TO_BEGIN = 3
WINDOWS_TO_GO_ON = 2
PAUSE_MILLISECONDS = 200
# What precedes the first window that is surely voice: soft consonants.
KEPT_BEFORE = 10
LONGEST_MILLISECONDS = 27_000

Moment = Literal["began", "paused", "went_on"]


@dataclass
class Ear:
    """What one caller says, from the moment when they begin until it is taken."""

    voice_milliseconds: int = 0
    silence_milliseconds: int = 0
    is_open: bool = False
    # Counts pauses: what was heard up to one is worth nothing once the caller goes on.
    pause: int = 0
    _said: bytearray = field(default_factory=bytearray, repr=False)
    _before: deque[bytes] = field(default_factory=lambda: deque(maxlen=KEPT_BEFORE), repr=False)
    _voiced_in_a_row: int = 0
    _is_paused: bool = False

    def listen(self, window: bytes, probability: float) -> Moment | None:
        """Take in one window of `WINDOW_BYTES`; tells what it changes."""
        threshold = VOICE_LASTS if self.is_open and not self._is_paused else VOICE_BEGINS
        is_voice = probability >= threshold
        self._voiced_in_a_row = self._voiced_in_a_row + 1 if is_voice else 0
        if not self.is_open:
            return self._wait(window)
        self._said += window
        return self._go_on() if is_voice else self._fall_silent()

    def _wait(self, window: bytes) -> Moment | None:
        self._before.append(window)
        if self._voiced_in_a_row < WINDOWS_TO_BEGIN:
            return None
        self.is_open = True
        self.voice_milliseconds = self._voiced_in_a_row * WINDOW_MILLISECONDS
        self._said += b"".join(self._before)
        self._before.clear()
        return "began"

    def _go_on(self) -> Moment | None:
        if self._is_paused and self._voiced_in_a_row < WINDOWS_TO_GO_ON:
            # A click is no word.
            self.silence_milliseconds += WINDOW_MILLISECONDS
            return None
        self.voice_milliseconds += WINDOW_MILLISECONDS
        self.silence_milliseconds = 0
        if not self._is_paused:
            return None
        self._is_paused = False
        return "went_on"

    def _fall_silent(self) -> Moment | None:
        self.silence_milliseconds += WINDOW_MILLISECONDS
        if self._is_paused or self.silence_milliseconds < PAUSE_MILLISECONDS:
            return None
        self._is_paused = True
        self.pause += 1
        return "paused"

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @property
    def is_full(self) -> bool:
        """Whether so much was said in one breath that it must be dealt with now."""
        return len(self._said) >= LONGEST_MILLISECONDS * SAMPLE_RATE_HERTZ * 2 // 1_000

    def said(self) -> Sound:
        """The sound of what was said so far."""
        return Sound(bytes(self._said))

    def close(self) -> None:
        """Forget what was said and wait for the next words; the last windows may begin them."""
        kept = self._said[-KEPT_BEFORE * WINDOW_BYTES :]
        self._before.clear()
        self._before.extend(
            bytes(kept[at : at + WINDOW_BYTES]) for at in range(0, len(kept), WINDOW_BYTES)
        )
        self._said.clear()
        self.is_open = self._is_paused = False
        self.voice_milliseconds = self.silence_milliseconds = self._voiced_in_a_row = 0
