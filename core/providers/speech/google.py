"""Text to speech by Google Translate's voice (gTTS): no key, but a network, and no promise."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

from core.errors import InvalidRequest, SpeechUnavailable
from core.providers.breaker import CircuitBreaker, CircuitOpen, ask
from core.providers.speech import Sound
from core.providers.speech.decoding import Decoders
from core.providers.speech.sentences import sentences

TIMEOUT_SECONDS = 15.0
ATTEMPTS = 2
# Google's domains pronounce differently: that tells the names apart where a language has them.
_DOMAINS = {
    "fr": ("fr", "ca"),
    "en": ("co.uk", "com", "com.au", "ca", "co.in", "ie"),
    "es": ("es", "com.mx"),
}
_NAMES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")


class GoogleTextToSpeech:
    """One voice a language; names differ in accent where Google has several."""

    def __init__(self, breaker: CircuitBreaker, domain: str = "") -> None:
        """`domain` is the end of `translate.google.<domain>`; empty: by language and name."""
        self._breaker = breaker
        self._domain = domain
        self._decoders = Decoders()

    @property
    def name(self) -> str:
        return "gtts"

    async def speak(self, text: str, *, voice: str, language: str) -> AsyncIterator[Sound]:
        domains = _DOMAINS.get(language, ("com",))
        number = _NAMES.index(voice) if voice in _NAMES else 0
        domain = self._domain or domains[number % len(domains)]
        for sentence in sentences(text):
            yield await self._say(sentence, language, domain)

    async def _say(self, sentence: str, language: str, domain: str) -> Sound:
        async def once() -> bytes:
            return await asyncio.to_thread(_ask_google, sentence, language, domain)

        try:
            content = await ask(
                self._breaker, once, timeout_seconds=TIMEOUT_SECONDS, attempts=ATTEMPTS
            )
            return await self._decoders.decode(content, "audio/mpeg")
        except ImportError as error:
            raise SpeechUnavailable("TEXT_TO_SPEECH=gtts needs the package gTTS.") from error
        except (OSError, CircuitOpen, InvalidRequest) as error:
            raise SpeechUnavailable("Google's voice did not answer; try again later.") from error

    async def warm(self) -> None:
        """Nothing is loaded here."""

    async def close(self) -> None:
        """Nothing is held open."""


def _ask_google(sentence: str, language: str, domain: str) -> bytes:
    """MP3 of a sentence; raises OSError where Google does not give one."""
    from gtts import gTTS, gTTSError

    file = io.BytesIO()
    try:
        gTTS(sentence, lang=language, tld=domain, lang_check=False).write_to_fp(file)
    except (gTTSError, AssertionError) as error:
        raise OSError(str(error)) from error
    return file.getvalue()
