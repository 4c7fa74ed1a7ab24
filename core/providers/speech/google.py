"""Text to speech by Google Translate's voice (gTTS): no key, but a network, and no promise.

gTTS splits a text and writes its requests, which are sent here: its own sending takes any
certificate for Google's, knows no time limit, and holds a thread for as long as Google hangs.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx

from core.errors import SpeechUnavailable, SupportError
from core.providers.breaker import CircuitBreaker, CircuitOpen, ProviderRefused, ask
from core.providers.speech import Sound
from core.providers.speech.decoding import Decoders
from core.providers.speech.openai_speech import MAXIMUM_ANSWER_BYTES, ProviderFailed
from core.providers.speech.sentences import sentences

TIMEOUT_SECONDS = 9.0
ATTEMPTS = 2
# Google's domains pronounce differently: that tells the names apart where a language has them.
_DOMAINS = {
    "fr": ("fr", "ca"),
    "en": ("co.uk", "com", "com.au", "ca", "co.in", "ie"),
    "es": ("es", "com.mx"),
}
_NAMES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")
_ROUTE = "/_/TranslateWebserverUi/data/batchexecute"
# The answer is a list in a string in a list, behind a guard against scripts.
_SOUND = re.compile(r'"jQ1olc","\[\\"([A-Za-z0-9+/=]+)\\"')


@dataclass(frozen=True)
class _Asked:
    """What gTTS sends for a sentence: a form for every hundred characters."""

    forms: list[str]
    headers: Mapping[str, str]


class GoogleTextToSpeech:
    """One voice a language; names differ in accent where Google has several.

    The proxy and the certificates that the environment names (`HTTPS_PROXY`, `SSL_CERT_FILE`)
    hold here as for any other program.
    """

    def __init__(
        self,
        breaker: CircuitBreaker,
        domain: str = "",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """`domain` is the end of `translate.google.<domain>`; empty: by language and name."""
        self._breaker = breaker
        self._domain = domain
        self._timeout_seconds = timeout_seconds
        self._decoders = Decoders()
        self._client = httpx.AsyncClient(timeout=None)  # noqa: S113  `ask` limits the time

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
        try:
            asked = await asyncio.to_thread(_asked, sentence, language)

            async def once() -> bytes:
                return b"".join([await self._fetch(form, asked, domain) for form in asked.forms])

            content = await ask(
                self._breaker,
                once,
                timeout_seconds=self._timeout_seconds,
                attempts=ATTEMPTS,
                retry_on=(ProviderFailed, httpx.TransportError),
            )
            return await self._decoders.decode(content, "audio/mpeg")
        except ImportError as error:
            raise SpeechUnavailable("TEXT_TO_SPEECH=gtts needs the package gTTS.") from error
        except (OSError, httpx.HTTPError, CircuitOpen, ProviderRefused, SupportError) as error:
            raise SpeechUnavailable("Google's voice did not answer; try again later.") from error

    async def _fetch(self, form: str, asked: _Asked, domain: str) -> bytes:
        """MP3 of one form; raises ProviderFailed where Google does not give one."""
        address = f"https://translate.google.{domain}{_ROUTE}"
        answer = await self._client.post(address, content=form, headers=asked.headers)
        if answer.status_code != 200 or len(answer.content) > MAXIMUM_ANSWER_BYTES:
            raise ProviderFailed(f"status {answer.status_code}")
        found = _SOUND.search(answer.text)
        if found is None:
            raise ProviderFailed("the answer holds no sound")
        return base64.b64decode(found[1] + "==")

    async def warm(self) -> None:
        """Nothing is loaded here."""

    async def close(self) -> None:
        await self._client.aclose()


def _asked(sentence: str, language: str) -> _Asked:
    """What gTTS would send; raises ImportError without it, ProviderRefused for no words."""
    from gtts import gTTS

    try:
        forms = gTTS(sentence, lang=language, lang_check=False).get_bodies()
    except AssertionError as error:
        raise ProviderRefused("nothing to say") from error
    return _Asked(forms, gTTS.GOOGLE_TTS_HEADERS)
