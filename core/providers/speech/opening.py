"""Which speech engines do the settings name?"""

from __future__ import annotations

import httpx

from core.providers.breaker import CircuitBreaker
from core.providers.speech import SpeechToText, TextToSpeech
from core.providers.speech.fallback import FallbackSpeechToText, FallbackTextToSpeech
from core.providers.speech.google import GoogleTextToSpeech
from core.providers.speech.kokoro import KokoroTextToSpeech
from core.providers.speech.listening import Listening
from core.providers.speech.openai_speech import (
    AudioServer,
    OpenAISpeechToText,
    OpenAITextToSpeech,
)
from core.providers.speech.pico import EmbeddedTextToSpeech
from core.providers.speech.whisper_embedded import EmbeddedSpeechToText, TorchSpeechToText
from core.settings import Settings

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_FORMS = "openai:<model> or openai-compatible:<base url>#<model>"


def open_speech_to_text(settings: Settings, breaker: CircuitBreaker) -> SpeechToText:
    """Open what SPEECH_TO_TEXT names; nothing is loaded or connected to before its first use.

    Where another engine than the embedded one fails, that answers. Raises ValueError for a value
    of another form.
    """
    kind, _, rest = settings.speech_to_text.partition(":")
    embedded = EmbeddedSpeechToText()
    if settings.speech_to_text == "embedded":
        return Listening(embedded)
    if kind == "whisper" and rest:
        return Listening(FallbackSpeechToText(TorchSpeechToText(rest), embedded))
    server = _audio_server(settings.speech_to_text, settings, breaker)
    if server is not None:
        return Listening(FallbackSpeechToText(OpenAISpeechToText(server), embedded))
    raise ValueError(
        f"SPEECH_TO_TEXT: unknown value {settings.speech_to_text!r}; use embedded, "
        f"whisper:<size or .pt file>, {OPENAI_FORMS}"
    )


def open_text_to_speech(settings: Settings, breaker: CircuitBreaker) -> TextToSpeech:
    """Open what TEXT_TO_SPEECH names; nothing is loaded or connected to before its first use.

    Where another engine than the embedded one fails, that goes on. Raises ValueError for a value
    of another form.
    """
    kind, _, rest = settings.text_to_speech.partition(":")
    embedded = EmbeddedTextToSpeech()
    if settings.text_to_speech == "embedded":
        return embedded
    if kind == "kokoro" and rest:
        return FallbackTextToSpeech(KokoroTextToSpeech(rest), embedded)
    if kind == "gtts":
        return FallbackTextToSpeech(GoogleTextToSpeech(breaker, rest), embedded)
    server = _audio_server(settings.text_to_speech, settings, breaker)
    if server is not None:
        return FallbackTextToSpeech(OpenAITextToSpeech(server), embedded)
    raise ValueError(
        f"TEXT_TO_SPEECH: unknown value {settings.text_to_speech!r}; use embedded, "
        f"kokoro:<folder>, gtts, {OPENAI_FORMS}"
    )


def _audio_server(value: str, settings: Settings, breaker: CircuitBreaker) -> AudioServer | None:
    """The server that a setting names; None for another form."""
    kind, _, rest = value.partition(":")
    base_url, _, model = rest.rpartition("#")
    if kind == "openai" and rest:
        base_url, model = OPENAI_URL, rest
    elif kind != "openai-compatible" or not model or not base_url.startswith("http"):
        return None
    # The key is OpenAI's, and goes nowhere else unless it is the only address that is set.
    key = settings.openai_api_key.get_secret_value()
    is_owner = base_url == OPENAI_URL or not settings.llm.startswith("openai:")
    client = httpx.AsyncClient(trust_env=False, timeout=None)  # noqa: S113  `ask` limits the time
    return AudioServer(base_url.rstrip("/"), model, key if is_owner else "", breaker, client)
