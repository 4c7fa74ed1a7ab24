"""Who has the floor? Listens to the caller, also while the voice speaks; tells when they end.

What a caller says is decoded at every short pause already: when the pause turns out to be the end
of the turn, the words are there. Speech over the voice silences it at once; a mere "oui" or "hum"
lets it go on from the word where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channels.voice.guessing import Guess, Guessing
from channels.voice.hearing import WINDOW_BYTES, WINDOW_MILLISECONDS, Ear
from channels.voice.speaking import Voice
from channels.voice.turns import SYLLABLE_MILLISECONDS, ends_turn, is_plausible, only_agrees
from core.errors import ServiceUnavailable, SupportError
from core.providers.speech import Sound, Transcript
from core.providers.voice_activity import VoiceActivity
from core.telemetry import logger

# Voice over the voice: from this long on it falls silent, and then for good.
INTERRUPTING_MILLISECONDS = 128
LONG_INTERRUPTION_MILLISECONDS = 700
# Noise that the recogniser finds no word in, but that may have been one.
WORD_MILLISECONDS = 600
# Windows that are taken in at once at most, so that a burst does not hold up other calls.
WINDOWS_AT_ONCE = 12
MAXIMUM_WAITING_BYTES = 16_000 * 2 * 12
BUSY_RETRY_SECONDS = 0.3
MAXIMUM_FAILURES = 3

_log = logger("channels.voice")

Transcribe = Callable[[Sound, str | None], Awaitable[Transcript]]


class TooMuchSound(SupportError):
    """Sound comes faster than time passes."""

    status = 400
    code = "too_much_sound"


class NotHeard(ServiceUnavailable):
    """No engine can tell what the caller says."""


@dataclass(frozen=True)
class Utterance:
    """What a caller said in one turn; `ended_at` is the monotonic second of their last word.

    `text` is empty where something was said that nobody could understand.
    """

    text: str
    language: str
    speech_ms: int
    ended_at: float


@dataclass(frozen=True)
class Interruption:
    """The voice was stopped; `heard` is what the caller had heard of it by then.

    `barge_in_ms` is the time from the beginning of their speech to silence; None for other causes.
    """

    heard: str
    barge_in_ms: int | None = None


class Floor:
    """One caller's side of a call."""

    def __init__(
        self,
        activity: VoiceActivity,
        transcribe: Transcribe,
        voice: Voice,
        on_window: Callable[[bytes], None],
        longest_gap_seconds: float,
        guess: Guess,
    ) -> None:
        self._activity = activity
        self._transcribe = transcribe
        self._voice = voice
        self._on_window = on_window
        self._longest_gap_seconds = longest_gap_seconds
        self.ear = Ear()
        self._guessing = Guessing(guess)
        self.language: str | None = None
        self.on_interruption: Callable[[Interruption], None] = lambda interruption: None
        self.partial = ""
        self._waiting = bytearray()
        self._heard_seconds = 0.0
        self._started = time.monotonic()
        self._decoding: asyncio.Task[Transcript | None] | None = None
        self._decoding_pause = 0
        # What was heard up to a pause, while the caller has not gone on.
        self._found: Transcript | None = None
        self._failures = 0
        self._silenced_ms: int | None = None
        self._may_agree = False

    @property
    def is_quiet(self) -> bool:
        """Whether the caller says nothing, nor has just said it."""
        return not self.ear.is_open

    def put(self, samples: bytes) -> None:
        """Take in sound of any length; raises TooMuchSound."""
        if len(self._waiting) + len(samples) > MAXIMUM_WAITING_BYTES:
            raise TooMuchSound("Send sound at the pace at which it is spoken.")
        self._waiting += samples

    async def step(self) -> Utterance | None:
        """Listen to what has come in; returns what was said once the caller has finished.

        Raises NotHeard when the engine keeps failing.
        """
        self._fill_gap()
        for _ in range(WINDOWS_AT_ONCE):
            if len(self._waiting) < WINDOW_BYTES:
                break
            window = bytes(self._waiting[:WINDOW_BYTES])
            del self._waiting[:WINDOW_BYTES]
            self._listen(window)
        if not self.ear.is_open:
            return None
        await self._yield_floor()
        self._look_at_decoding()
        self._look_at_guesses()
        return await self._judge()

    def _listen(self, window: bytes) -> None:
        self._heard_seconds += WINDOW_MILLISECONDS / 1_000
        self._on_window(window)
        moment = self.ear.listen(window, self._activity.probability(window))
        if moment == "began":
            self._found, self._silenced_ms, self._may_agree = None, None, False
            self.partial = ""
            self._guessing.forget()
        elif moment == "went_on":
            self._found = None

    def _fill_gap(self) -> None:
        """A muted or stopped microphone sends nothing: that is silence too."""
        passed = time.monotonic() - self._started
        if len(self._waiting) >= WINDOW_BYTES:
            return
        missing = passed - self._heard_seconds - len(self._waiting) / 32_000
        if missing > self._longest_gap_seconds:
            windows = int((missing - self._longest_gap_seconds) * 1_000 / WINDOW_MILLISECONDS) + 1
            self._waiting += bytes(WINDOW_BYTES * min(windows, WINDOWS_AT_ONCE))

    async def _yield_floor(self) -> None:
        """Let the voice fall silent for who speaks over it, and go on for who only agrees."""
        ear, voice = self.ear, self._voice
        if voice.is_paused:
            if ear.voice_milliseconds >= LONG_INTERRUPTION_MILLISECONDS:
                await self._interrupt()
            elif ear.is_paused and not self._may_agree:
                if voice.asks():
                    await self._interrupt()
                elif ear.voice_milliseconds < SYLLABLE_MILLISECONDS:
                    # Short, and over: perhaps a mere yes. The words will tell.
                    self._may_agree = True
                    voice.go_on()
        elif voice.is_audible and not ear.is_paused:
            if ear.voice_milliseconds >= INTERRUPTING_MILLISECONDS and not self._may_agree:
                await voice.pause()
                self._silenced_ms = ear.voice_milliseconds + ear.silence_milliseconds
            elif ear.voice_milliseconds >= LONG_INTERRUPTION_MILLISECONDS:
                await self._interrupt()

    async def _interrupt(self) -> None:
        silenced = self._silenced_ms
        if silenced is None:
            silenced = self.ear.voice_milliseconds + self.ear.silence_milliseconds
        heard = await self._voice.stop()
        self.on_interruption(Interruption(heard, silenced))

    def _look_at_decoding(self) -> None:
        """Begin to decode at a pause, and take what was decoded if the caller has not gone on."""
        ear, task = self.ear, self._decoding
        if task is not None and task.done():
            self._decoding = None
            found = task.result()
            if found is not None:
                self.partial = found.text
                if self._decoding_pause == ear.pause and (ear.is_paused or ear.is_full):
                    self._found = found
        wanted = ear.is_paused or ear.is_full
        if self._decoding is None and wanted and self._found is None:
            self._decoding_pause = ear.pause
            self._guessing.know(ear.voice_milliseconds)
            self._decoding = asyncio.create_task(self._decode(ear.said()), name="decoding")

    def _look_at_guesses(self) -> None:
        """Tell what is being said while nothing is decoded in earnest, nor the voice heard."""
        is_free = self._decoding is None and self._found is None
        if is_free and not (self._voice.is_audible or self._voice.is_paused):
            self.partial = self._guessing.look(self.ear, self.language) or self.partial

    async def _decode(self, sound: Sound) -> Transcript | None:
        """What was said; None where the engine is busy or failing, and it is asked again."""
        try:
            found = await self._transcribe(sound, self.language)
        except SupportError as error:
            self._failures += 1
            _log.warning("not_heard", error=error.code, failures=self._failures)
            await asyncio.sleep(BUSY_RETRY_SECONDS)
            return None
        self._failures = 0
        return found

    async def _judge(self) -> Utterance | None:
        """Whether the caller has finished, or only agreed."""
        if self._failures >= MAXIMUM_FAILURES:
            self._failures = 0
            self.ear.close()
            raise NotHeard("What the caller says cannot be understood at the moment.")
        found, ear = self._found, self.ear
        if found is None or not (ear.is_paused or ear.is_full):
            return None
        text = found.text.strip()
        if not is_plausible(text, ear.voice_milliseconds):
            text = ""
        language = self.language or found.language
        if self._voice.is_audible or self._voice.is_paused:
            if self._is_no_turn(text, language):
                self._forget()
                self._voice.go_on()
                return None
            await self._interrupt()
        if not ear.is_full and not ends_turn(text, ear.silence_milliseconds, language):
            return None
        return self._finish(text, found.language)

    def _is_no_turn(self, text: str, language: str) -> bool:
        agrees = only_agrees(text, language, self.ear.voice_milliseconds)
        return not text or (agrees and not self._voice.asks())

    def _finish(self, text: str, language: str) -> Utterance | None:
        speech, ended = self.ear.voice_milliseconds, time.monotonic()
        ended -= self.ear.silence_milliseconds / 1_000
        self._forget()
        if not text and speech < WORD_MILLISECONDS:
            return None
        return Utterance(text, language, speech, ended)

    def _forget(self) -> None:
        self._found, self._silenced_ms, self._may_agree = None, None, False
        self.partial = ""
        self._guessing.forget()
        self.ear.close()

    async def close(self) -> None:
        """Stop listening; an engine that is decoding is let finish, or it would start anew."""
        if self._decoding is not None:
            await asyncio.gather(self._decoding, return_exceptions=True)
        await self._guessing.close()
