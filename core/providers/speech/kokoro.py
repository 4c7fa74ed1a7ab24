"""Text to speech by Kokoro, a neural voice whose weights lie in a folder of the operator's."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core.errors import VoiceUnavailable
from core.providers.speech import Sound
from core.providers.speech.engines import EngineKind, EnginePool, EngineRefused
from core.providers.speech.sentences import sentences

ENGINE = "core.providers.speech.kokoro_engine"
TIMEOUT_SECONDS = 30.0
THREADS = 2
# Kokoro has one French voice: the names differ in speed there.
_VOICES = {
    "en": {
        "alloy": "af_alloy",
        "echo": "am_echo",
        "fable": "bm_fable",
        "onyx": "am_onyx",
        "nova": "af_nova",
        "shimmer": "bf_emma",
    },
    "fr": {"alloy": "ff_siwis"},
    "es": {"alloy": "ef_dora", "echo": "em_alex", "onyx": "em_santa"},
    "it": {"alloy": "if_sara", "echo": "im_nicola"},
}
_LANGUAGES = {"en": "en-us", "fr": "fr-fr", "es": "es", "it": "it"}
_SPEEDS = {"echo": 0.96, "fable": 0.92, "onyx": 0.88, "nova": 1.08, "shimmer": 1.04}


class KokoroTextToSpeech:
    """Kokoro's voices in a process of their own."""

    def __init__(self, folder: str) -> None:
        options = {"folder": folder, "threads": THREADS}
        self.pool = EnginePool(EngineKind(ENGINE, options, THREADS))

    @property
    def name(self) -> str:
        return "kokoro"

    async def speak(self, text: str, *, voice: str, language: str) -> AsyncIterator[Sound]:
        if language not in _VOICES:
            raise VoiceUnavailable(f"Kokoro does not speak {language!r}.")
        names = _VOICES[language]
        for sentence in sentences(text):
            request = {
                "text": sentence,
                "voice": names.get(voice, names["alloy"]),
                "language": _LANGUAGES[language],
                "speed": 1.0 if voice in names else _SPEEDS.get(voice, 1.0),
            }
            try:
                reply = await self.pool.ask(request, timeout_seconds=TIMEOUT_SECONDS)
            except EngineRefused as refusal:
                raise VoiceUnavailable(
                    f"{refusal.message}; TEXT_TO_SPEECH=kokoro:<folder> needs kokoro-onnx and its "
                    "weights."
                ) from refusal
            yield Sound(reply.payload)

    async def warm(self) -> None:
        """Load the weights before somebody waits for them."""
        async for _ in self.speak("Bonjour.", voice="alloy", language="fr"):
            return

    async def close(self) -> None:
        await self.pool.close()
