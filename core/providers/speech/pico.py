"""Text to speech without a network: SVOX Pico in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core.errors import VoiceUnavailable
from core.providers.speech import Sound
from core.providers.speech.engines import EngineKind, EnginePool, EngineRefused
from core.providers.speech.listening import NOT_INSTALLED
from core.providers.speech.sentences import sentences
from core.providers.speech.voices import DEFAULT_VOICE, MANNERS

ENGINE = "core.providers.speech.pico_engine"
TIMEOUT_SECONDS = 5.0
_VOICES = {"fr": "fr-FR", "en": "en-GB", "de": "de-DE", "es": "es-ES", "it": "it-IT"}


class EmbeddedTextToSpeech:
    """Pico's voice of each language; the names differ in pitch and speed."""

    def __init__(self) -> None:
        self.pool = EnginePool(EngineKind(ENGINE))

    @property
    def name(self) -> str:
        return "embedded:pico"

    async def speak(self, text: str, *, voice: str, language: str) -> AsyncIterator[Sound]:
        if language not in _VOICES:
            raise VoiceUnavailable(
                f"The embedded voice does not speak {language!r}; it speaks "
                f"{', '.join(_VOICES)}. Set TEXT_TO_SPEECH to another engine."
            )
        for sentence in sentences(text):
            yield await self._say(sentence, voice, language)

    async def _say(self, sentence: str, voice: str, language: str) -> Sound:
        manner = MANNERS.get(voice, MANNERS[DEFAULT_VOICE])
        request = {
            "text": sentence,
            "voice": _VOICES[language],
            "pitch": manner.pitch,
            "speed": manner.speed,
        }
        try:
            reply = await self.pool.ask(request, timeout_seconds=TIMEOUT_SECONDS)
        except EngineRefused as refusal:
            message = NOT_INSTALLED if refusal.reason == "not_installed" else refusal.message
            raise VoiceUnavailable(message) from refusal
        return Sound(reply.payload)

    async def warm(self) -> None:
        """Start the engine before somebody waits for it."""
        await self._say("Bonjour.", DEFAULT_VOICE, "fr")

    async def close(self) -> None:
        await self.pool.close()
