"""What is the caller saying? Guesses while they speak, for captions alone.

A guess may be made when the recogniser has nothing else to do; what the caller is answered to is
always decoded anew at a pause (`floor.py`), and no guess is begun in the silence before one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from channels.voice.hearing import Ear
from channels.voice.turns import is_plausible
from core.errors import SupportError
from core.providers.speech import Sound, Transcript

# So much more must have been said since the words that are known.
NEW_MILLISECONDS = 1_000

Guess = Callable[[Sound, str | None], Awaitable[Transcript | None]]


class Guessing:
    """The guesses at one caller's words, one at a time."""

    def __init__(self, guess: Guess) -> None:
        self._guess = guess
        self._asked: asyncio.Task[str] | None = None
        # Counts what is guessed at, from one decoding in earnest to the next.
        self._stretch = 0
        self._asked_in_stretch = 0
        self._known_milliseconds = 0

    def look(self, ear: Ear, language: str | None) -> str:
        """A new guess at what is being said, or nothing; begins the next where one is due."""
        found = self._take()
        is_speaking = ear.is_open and ear.silence_milliseconds == 0
        new = ear.voice_milliseconds - self._known_milliseconds
        if self._asked is None and is_speaking and new >= NEW_MILLISECONDS:
            self._known_milliseconds = ear.voice_milliseconds
            self._asked_in_stretch = self._stretch
            self._asked = asyncio.create_task(
                self._ask(ear.said(), language, ear.voice_milliseconds), name="guess"
            )
        return found

    def know(self, voice_milliseconds: int) -> None:
        """What was said up to here is being decoded in earnest: no guess at it is wanted."""
        self._stretch += 1
        self._known_milliseconds = voice_milliseconds

    def forget(self) -> None:
        """Another turn begins: what is still being guessed belongs to the one before."""
        self._stretch += 1
        self._known_milliseconds = 0

    def _take(self) -> str:
        if self._asked is None or not self._asked.done():
            return ""
        asked, self._asked = self._asked, None
        return asked.result() if self._asked_in_stretch == self._stretch else ""

    async def _ask(self, sound: Sound, language: str | None, voice_milliseconds: int) -> str:
        try:
            found = await self._guess(sound, language)
        except SupportError:
            # Captions are no need: whatever fails here is told when the turn is decoded.
            return ""
        if found is None or not is_plausible(found.text, voice_milliseconds):
            return ""
        return found.text

    async def close(self) -> None:
        """An engine that is asked is let finish, or it would start anew."""
        if self._asked is not None:
            await asyncio.gather(self._asked, return_exceptions=True)
