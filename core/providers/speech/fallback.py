"""The embedded engines answer where another one fails: a voice that stops is worse than another."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core.errors import SpeechUnavailable
from core.providers.speech import Sound, SpeechToText, TextToSpeech, Transcript
from core.providers.speech.sentences import sentences
from core.telemetry import logger


class FallbackSpeechToText:
    """Asks the first recogniser, and the second where that is unavailable."""

    def __init__(self, first: SpeechToText, second: SpeechToText) -> None:
        self.first = first
        self.second = second

    @property
    def name(self) -> str:
        return self.first.name

    async def transcribe(self, sound: Sound, *, language: str | None = None) -> Transcript:
        try:
            return await self.first.transcribe(sound, language=language)
        except SpeechUnavailable as error:
            _report(self.first.name, error)
        return await self.second.transcribe(sound, language=language)

    async def guess(self, sound: Sound, *, language: str | None = None) -> Transcript | None:
        return await self.first.guess(sound, language=language)

    async def warm(self) -> None:
        await self.first.warm()

    async def close(self) -> None:
        await self.first.close()
        await self.second.close()


class FallbackTextToSpeech:
    """Asks the first voice; the second goes on from the sentence at which that fails."""

    def __init__(self, first: TextToSpeech, second: TextToSpeech) -> None:
        self.first = first
        self.second = second

    @property
    def name(self) -> str:
        return self.first.name

    async def speak(self, text: str, *, voice: str, language: str) -> AsyncIterator[Sound]:
        engine = self.first
        for sentence in sentences(text):
            if engine is self.first:
                try:
                    # Whole before it is handed on: half a sentence is not said twice.
                    made = [
                        sound
                        async for sound in engine.speak(sentence, voice=voice, language=language)
                    ]
                except SpeechUnavailable as error:
                    _report(self.first.name, error)
                    engine = self.second
                else:
                    for sound in made:
                        yield sound
                    continue
            async for sound in engine.speak(sentence, voice=voice, language=language):
                yield sound

    async def warm(self) -> None:
        await self.first.warm()

    async def close(self) -> None:
        await self.first.close()
        await self.second.close()


def _report(engine: str, error: SpeechUnavailable) -> None:
    logger("core.speech").warning("speech_fell_back", engine=engine, reason=error.message)
