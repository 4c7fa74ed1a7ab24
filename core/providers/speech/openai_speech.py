"""Speech engines behind OpenAI's audio routes, at OpenAI or at any server that speaks like it."""

from __future__ import annotations

import asyncio
import io
import math
import wave
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from core.errors import SpeechUnavailable
from core.providers.breaker import CircuitBreaker, CircuitOpen, ProviderRefused, ask
from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ, Sound, Transcript
from core.providers.speech.sentences import sentences

# Twice this, and the embedded engine answers: a caller hears nothing meanwhile.
TIMEOUT_SECONDS = 9.0
ATTEMPTS = 2
MAXIMUM_ANSWER_BYTES = 20 * 1024 * 1024
PCM_RATE_HERTZ = 24_000
# What an engine that tells nothing of its certainty is taken for.
USUAL_CONFIDENCE = 0.85
_LANGUAGES = {
    "french": "fr",
    "english": "en",
    "german": "de",
    "spanish": "es",
    "italian": "it",
    "dutch": "nl",
}


class ProviderFailed(OSError):
    """The provider answered with an error of its own, or with something else than was asked for."""


@dataclass(frozen=True)
class AudioServer:
    """Where and with which key to ask, and what stands before it."""

    base_url: str
    model: str
    key: str
    breaker: CircuitBreaker
    client: httpx.AsyncClient
    timeout_seconds: float = TIMEOUT_SECONDS

    async def post(self, route: str, **content: Any) -> httpx.Response:
        """Send a request; raises SpeechUnavailable where no good answer came in time."""

        async def once() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
            answer = await self.client.post(
                f"{self.base_url}/audio/{route}", headers=headers, **content
            )
            _check(answer)
            return answer

        try:
            return await ask(
                self.breaker,
                once,
                timeout_seconds=self.timeout_seconds,
                attempts=ATTEMPTS,
                retry_on=(ProviderFailed, httpx.TransportError),
            )
        except (OSError, httpx.HTTPError, CircuitOpen, ProviderRefused) as error:
            raise SpeechUnavailable(
                "The speech provider did not answer; try again in a moment."
            ) from error


def _check(answer: httpx.Response) -> None:
    if answer.status_code == 429 or answer.status_code >= 500:
        raise ProviderFailed(f"status {answer.status_code}")
    if answer.status_code >= 400:
        raise ProviderRefused(f"status {answer.status_code}")
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html") or len(answer.content) > MAXIMUM_ANSWER_BYTES:
        raise ProviderFailed("the answer is neither words nor sound")


class OpenAISpeechToText:
    """`POST /audio/transcriptions`."""

    def __init__(self, server: AudioServer) -> None:
        self.server = server

    @property
    def name(self) -> str:
        return f"openai:{self.server.model}"

    async def transcribe(self, sound: Sound, *, language: str | None = None) -> Transcript:
        # Only Whisper tells which language it heard, and how sure it was.
        verbose = self.server.model.startswith("whisper")
        fields = {
            "model": self.server.model,
            "response_format": "verbose_json" if verbose else "json",
            **({"language": language} if language else {}),
        }
        files = {"file": ("sound.wav", _as_wav(sound), "audio/wav")}
        answer = await self.server.post("transcriptions", data=fields, files=files)
        try:
            body: Mapping[str, Any] = answer.json()
            text = str(body["text"]).strip()
        except (ValueError, KeyError, TypeError) as error:
            raise SpeechUnavailable("The speech provider's answer could not be read.") from error
        known = _LANGUAGES.get(str(body.get("language", "")).lower())
        return Transcript(text, language or known or "fr", _confidence(body))

    async def guess(self, sound: Sound, *, language: str | None = None) -> None:
        """Each guess would be paid for."""

    async def warm(self) -> None:
        """Nothing is loaded here."""

    async def close(self) -> None:
        await self.server.client.aclose()


def _confidence(body: Mapping[str, Any]) -> float:
    segments = body.get("segments") or []
    found = [one["avg_logprob"] for one in segments if "avg_logprob" in one]
    return math.exp(sum(found) / len(found)) if found else USUAL_CONFIDENCE


def _as_wav(sound: Sound) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(BYTES_A_SAMPLE)
        written.setframerate(SAMPLE_RATE_HERTZ)
        written.writeframes(sound.samples)
    return file.getvalue()


class OpenAITextToSpeech:
    """`POST /audio/speech`, a sentence a request; its voices have the names that ours took."""

    def __init__(self, server: AudioServer) -> None:
        self.server = server

    @property
    def name(self) -> str:
        return f"openai:{self.server.model}"

    async def speak(self, text: str, *, voice: str, language: str) -> AsyncIterator[Sound]:
        for sentence in sentences(text):
            answer = await self.server.post(
                "speech",
                json={
                    "model": self.server.model,
                    "input": sentence,
                    "voice": voice,
                    "response_format": "pcm",
                },
            )
            if len(answer.content) < BYTES_A_SAMPLE or answer.content[:1] == b"{":
                raise SpeechUnavailable("The speech provider's answer holds no sound.")
            yield await asyncio.to_thread(resampled, answer.content, PCM_RATE_HERTZ)

    async def warm(self) -> None:
        """Nothing is loaded here."""

    async def close(self) -> None:
        await self.server.client.aclose()


def resampled(samples: bytes, rate_hertz: int) -> Sound:
    """16-bit mono samples of another rate as `Sound`."""
    import numpy
    from scipy.signal import resample_poly  # type: ignore[import-untyped]

    common = math.gcd(rate_hertz, SAMPLE_RATE_HERTZ)
    whole = samples[: len(samples) // BYTES_A_SAMPLE * BYTES_A_SAMPLE]
    values = numpy.frombuffer(whole, "<i2").astype(numpy.float32)
    changed = resample_poly(values, SAMPLE_RATE_HERTZ // common, rate_hertz // common)
    return Sound(numpy.clip(changed, -32768, 32767).astype("<i2").tobytes())
