"""Every speech engine behind its port: what holds for all, and what becomes of their failures."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import SpeechBusy, SpeechUnavailable, VoiceUnavailable
from core.providers.breaker import CircuitBreaker
from core.providers.speech import (
    Sound,
    SpeechToText,
    TextToSpeech,
    engines,
    whisper_embedded,
)
from core.providers.speech.engines import EngineKind, EnginePool, EngineRefused
from core.providers.speech.fallback import FallbackSpeechToText, FallbackTextToSpeech
from core.providers.speech.google import GoogleTextToSpeech
from core.providers.speech.listening import Listening
from core.providers.speech.opening import open_speech_to_text, open_text_to_speech
from core.providers.speech.pico import EmbeddedTextToSpeech
from core.providers.speech.whisper_embedded import EmbeddedSpeechToText
from core.settings import Settings
from tests.google_voice import Asked, GoogleStep, GoogleVoice, google_voice
from tests.openai_server import (
    BrokenJson,
    Hang,
    HttpFault,
    OpenAIServer,
    WrongContentType,
    openai_server,
)
from tests.recordings import said
from tests.speech_suite import (  # noqa: F401  collected here with this module's fixtures
    SENTENCES,
    spoken,
    test_that_a_language_is_found,
    test_that_a_long_sentence_is_spoken_whole,
    test_that_every_name_speaks,
    test_that_recognisers_stay_out_of_this_process,
    test_that_sentences_are_spoken_one_by_one,
    test_that_silence_and_music_are_no_words,
    test_that_speech_becomes_words,
    test_that_voices_stay_out_of_this_process,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def audio_server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(audio_server: OpenAIServer) -> OpenAIServer:
    audio_server.reset()
    return audio_server


def settings(server: OpenAIServer, kind: str, **more: Any) -> Settings:
    named = kind if kind != "openai" else f"openai-compatible:{server.base_url}#whisper-test"
    return Settings(speech_to_text=named, text_to_speech=named, data_dir=Path("unused"), **more)


def fell_back(engine: object) -> bool:
    """Whether the embedded engine has been asked in place of another."""
    if not isinstance(engine, FallbackSpeechToText | FallbackTextToSpeech):
        return False
    assert isinstance(engine.second, EmbeddedSpeechToText | EmbeddedTextToSpeech)
    return engine.second.pool.processes[0].process_id is not None


@pytest.fixture(params=["embedded", "openai"])
async def recogniser(
    request: pytest.FixtureRequest, server: OpenAIServer
) -> AsyncIterator[SpeechToText]:
    engine = open_speech_to_text(settings(server, request.param), CircuitBreaker("speech"))
    yield engine
    assert isinstance(engine, Listening)
    assert not fell_back(engine.recogniser)
    await engine.close()


@pytest.fixture(scope="module")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleVoice]:
    with google_voice(tmp_path_factory.mktemp("google")) as google:
        yield google


@pytest.fixture
def google(google_server: GoogleVoice, monkeypatch: pytest.MonkeyPatch) -> GoogleVoice:
    google_server.reset()
    for name, value in google_server.environment.items():
        monkeypatch.setenv(name, value)
    return google_server


@pytest.fixture(params=["embedded", "openai", "gtts"])
async def voice(
    request: pytest.FixtureRequest, server: OpenAIServer, google: GoogleVoice
) -> AsyncIterator[TextToSpeech]:
    engine = open_text_to_speech(settings(server, request.param), CircuitBreaker("speech"))
    yield engine
    assert not fell_back(engine)
    await engine.close()


async def test_that_an_unused_engine_costs_nothing(server: OpenAIServer) -> None:
    recogniser, voice = EmbeddedSpeechToText(), EmbeddedTextToSpeech()
    assert recogniser.pool.processes[0].process_id is None
    assert voice.pool.processes[0].process_id is None
    await recogniser.close()
    await voice.close()


@pytest.fixture
async def idle_recogniser() -> AsyncIterator[EmbeddedSpeechToText]:
    engine = EmbeddedSpeechToText()
    yield engine
    await engine.close()


async def test_that_only_an_idle_recogniser_guesses(
    idle_recogniser: EmbeddedSpeechToText, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = idle_recogniser
    # Heard alike by the arithmetic of every kind of processor.
    sound = Sound(said("Bonjour, où est ma commande ?"))
    assert await engine.guess(sound, language="fr") is None, "it would be opened for a guess"
    await engine.warm()
    monkeypatch.setattr(engine, "_guesses_again_at", 0.0)
    guessed = await engine.guess(sound, language="fr")
    assert guessed is not None
    assert "commande" in guessed.text
    assert await engine.guess(Sound(sound.samples * 8), language="fr") is None
    heard = asyncio.create_task(engine.transcribe(sound, language="fr"))
    await asyncio.sleep(0)
    assert await engine.guess(sound, language="fr") is None
    await heard
    monkeypatch.setattr(engine, "_guesses_again_at", 0.0)
    monkeypatch.setattr(whisper_embedded, "SLOWEST_GUESS_SECONDS", 0.0)
    assert await engine.guess(sound, language="fr") is not None
    assert await engine.guess(sound, language="fr") is None
    monkeypatch.setattr(engine, "_guesses_again_at", 0.0)
    monkeypatch.setattr(whisper_embedded, "SLOWEST_TRANSCRIPT_SECONDS", 0.0)
    await engine.transcribe(sound, language="fr")
    assert await engine.guess(sound, language="fr") is None


async def test_that_nobody_pays_for_a_guess(server: OpenAIServer) -> None:
    engine = open_speech_to_text(settings(server, "openai"), CircuitBreaker("speech"))
    assert await engine.guess(Sound(said("Bonjour.")), language="fr") is None
    assert server.requests == []
    await engine.close()


async def test_that_a_dead_engine_is_replaced_and_asked_again() -> None:
    engine = EmbeddedTextToSpeech()
    await engine.warm()
    first = engine.pool.processes[0].process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert (await spoken(engine, "Bonjour."))[0].duration_seconds > 0.3
    assert engine.pool.processes[0].process_id != first
    await engine.close()


async def test_that_a_hanging_engine_is_ended(tmp_path: Path) -> None:
    pool = EnginePool(EngineKind("core.providers.speech.pico_engine"))
    await pool.ask({"text": "Oui.", "voice": "fr-FR", "pitch": 1, "speed": 1}, timeout_seconds=5)
    process = pool.processes[0].process_id
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    request = {"text": "Oui.", "voice": "fr-FR", "pitch": 1, "speed": 1}
    reply = await pool.ask(request, timeout_seconds=1.5)
    assert len(reply.payload) > 1_000
    assert pool.processes[0].process_id != process
    await pool.close()


async def test_that_a_full_line_is_refused_with_a_delay() -> None:
    pool = EnginePool(EngineKind("core.providers.speech.pico_engine"), waiting=2)
    request = {"text": "Oui. " * 40, "voice": "fr-FR", "pitch": 1, "speed": 1}
    asked = [pool.ask(request, timeout_seconds=20) for _ in range(12)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, SpeechBusy)]
    assert refused
    assert refused[0].retry_after_seconds > 0
    assert len(refused) < len(answers)
    await pool.close()


async def test_that_a_cancelled_question_leaves_no_answer_behind() -> None:
    engine = EmbeddedTextToSpeech()
    await engine.warm()
    asked = asyncio.create_task(spoken(engine, "Une phrase qui dure assez longtemps. " * 6))
    await asyncio.sleep(0.02)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (await spoken(engine, "Oui."))[0].duration_seconds < 2
    await engine.close()


async def test_that_a_missing_package_says_what_to_install() -> None:
    pool = EnginePool(EngineKind("core.providers.speech.kokoro_engine", {"folder": "nowhere"}))
    with pytest.raises(EngineRefused):
        await pool.ask({}, timeout_seconds=5)
    await pool.close()


async def test_that_an_engine_which_does_not_open_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openings = tmp_path / "openings"
    kind = EngineKind("tests.unopened_engine", {"file": str(openings)})
    pool = EnginePool(kind)
    for _ in range(3):
        with pytest.raises(EngineRefused, match="the weights are torn"):
            await pool.ask({}, timeout_seconds=30)
    assert openings.read_text() == "opened\n"
    monkeypatch.setattr(engines, "REOPEN_SECONDS", 0.0)
    hasty = EnginePool(kind)
    for _ in range(2):
        with pytest.raises(EngineRefused):
            await hasty.ask({}, timeout_seconds=30)
    assert openings.read_text() == "opened\n" * 3


async def test_that_pico_speaks_no_dutch() -> None:
    engine = EmbeddedTextToSpeech()
    with pytest.raises(VoiceUnavailable, match="TEXT_TO_SPEECH"):
        await spoken(engine, "Goedendag.", language="nl")
    await engine.close()


@pytest.mark.parametrize(
    "fault", [HttpFault(500), HttpFault(429), HttpFault(401), BrokenJson(), WrongContentType()]
)
async def test_that_the_embedded_recogniser_answers_for_a_failing_one(
    server: OpenAIServer, fault: Any
) -> None:
    server.script(fault, fault, endpoint="audio/transcriptions")
    engine = open_speech_to_text(settings(server, "openai"), CircuitBreaker("speech"))
    heard = await engine.transcribe(Sound(said("Merci beaucoup.")), language="fr")
    assert "merci" in heard.text.lower()
    await engine.close()


@pytest.mark.parametrize("fault", [HttpFault(500), BrokenJson(), WrongContentType()])
async def test_that_the_embedded_voice_goes_on_where_another_fails(
    server: OpenAIServer, fault: Any
) -> None:
    engine = open_text_to_speech(settings(server, "openai"), CircuitBreaker("speech"))
    first = await spoken(engine, "Bonjour.")
    server.script(fault, fault, endpoint="audio/speech")
    sounds = await spoken(engine, SENTENCES)
    assert len(sounds) == 2
    assert sounds[0] != first[0]
    await engine.close()


@pytest.mark.parametrize(
    "fault", [HttpFault(500), HttpFault(429), WrongContentType(), BrokenJson(), Hang(60)]
)
async def test_that_the_embedded_voice_goes_on_where_google_fails(
    google: GoogleVoice, fault: GoogleStep
) -> None:
    patient = GoogleTextToSpeech(CircuitBreaker("speech"), timeout_seconds=5)
    hasty = GoogleTextToSpeech(CircuitBreaker("speech"), timeout_seconds=0.3)
    first = hasty if isinstance(fault, Hang) else patient
    engine = FallbackTextToSpeech(first, EmbeddedTextToSpeech())
    google.script(fault, fault)
    assert len(await spoken(engine, SENTENCES)) == 2
    # The rest of a text that has begun in one voice is said in the same.
    assert {asked.text for asked in google.asked} == {"Bonjour."}
    assert len(google.asked) == (1 if isinstance(fault, BrokenJson) else 2)
    for one in (patient, hasty, engine.second):
        await one.close()


async def test_that_google_is_left_alone_while_it_keeps_failing(google: GoogleVoice) -> None:
    breaker = CircuitBreaker("speech", failure_threshold=2)
    engine = open_text_to_speech(Settings(text_to_speech="gtts"), breaker)
    google.script(HttpFault(429), HttpFault(429))
    assert len(await spoken(engine, SENTENCES)) == 2
    assert breaker.state == "open"
    await spoken(engine, SENTENCES)
    assert len(google.asked) == 2
    await engine.close()


async def test_that_google_is_asked_in_its_own_words(google: GoogleVoice) -> None:
    engine = open_text_to_speech(Settings(text_to_speech="gtts"), CircuitBreaker("speech"))
    await spoken(engine, 'Café « crème » & 50 % de "remise".')
    assert google.asked == [
        Asked("translate.google.fr", 'Café « crème » & 50 % de "remise".', "fr")
    ]
    await spoken(engine, "Bonjour.", voice="echo")
    await spoken(engine, "Hello.", voice="fable", language="en")
    hosts = [asked.host for asked in google.asked[1:]]
    assert hosts == ["translate.google.ca", "translate.google.com.au"]
    await engine.close()


async def test_that_nobody_passes_for_google(
    google: GoogleVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    engine = open_text_to_speech(Settings(text_to_speech="gtts"), CircuitBreaker("speech"))
    assert len(await spoken(engine, SENTENCES)) == 2
    assert google.asked == []
    assert google.refused_handshakes > 0
    await engine.close()


async def test_that_a_provider_that_keeps_failing_is_left_alone(server: OpenAIServer) -> None:
    breaker = CircuitBreaker("speech", failure_threshold=2)
    server.script(*[HttpFault(500)] * 2, endpoint="audio/transcriptions")
    engine = open_speech_to_text(settings(server, "openai"), breaker)
    await engine.transcribe(Sound(said("Oui.")), language="fr")
    assert breaker.state == "open"
    asked = len(server.requests)
    await engine.transcribe(Sound(said("Oui.")), language="fr")
    assert len(server.requests) == asked
    await engine.close()


async def test_that_names_and_languages_reach_the_provider(server: OpenAIServer) -> None:
    opened = settings(server, "openai", openai_api_key="a-key")
    voice = open_text_to_speech(opened, CircuitBreaker("speech"))
    await spoken(voice, "Bonjour.", voice="nova")
    assert server.requests[-1].body["voice"] == "nova"
    assert server.requests[-1].headers["authorization"] == "Bearer a-key"
    recogniser = open_speech_to_text(opened, CircuitBreaker("speech"))
    await recogniser.transcribe(Sound(said("Oui.")), language="fr")
    assert server.requests[-1].body["language"] == "fr"
    assert server.requests[-1].body["file"][:4] == b"RIFF"
    await voice.close()
    await recogniser.close()


@pytest.mark.parametrize("value", ["", "openai", "whisper:", "openai-compatible:x", "other:1"])
def test_that_an_unknown_engine_is_refused(value: str) -> None:
    chosen = Settings(speech_to_text=value or "?", text_to_speech=value or "?")
    with pytest.raises(ValueError, match="SPEECH_TO_TEXT"):
        open_speech_to_text(chosen, CircuitBreaker("speech"))
    with pytest.raises(ValueError, match="TEXT_TO_SPEECH"):
        open_text_to_speech(chosen, CircuitBreaker("speech"))


async def test_that_an_engine_which_is_not_installed_is_replaced_by_the_embedded_one() -> None:
    chosen = Settings(speech_to_text="whisper:/no/such.pt", text_to_speech="kokoro:/no/such")
    recogniser = open_speech_to_text(chosen, CircuitBreaker("speech"))
    assert isinstance(recogniser, Listening)
    assert isinstance(recogniser.recogniser, FallbackSpeechToText)
    heard = await recogniser.transcribe(Sound(said("Merci beaucoup.")), language="fr")
    assert "merci" in heard.text.lower()
    voice = open_text_to_speech(chosen, CircuitBreaker("speech"))
    assert isinstance(voice, FallbackTextToSpeech)
    assert len(await spoken(voice, SENTENCES)) == 2
    await recogniser.close()
    await voice.close()


async def test_that_no_engine_at_all_is_a_503() -> None:
    pool = EnginePool(EngineKind("core.providers.speech.nothing_here"))
    with pytest.raises((EngineRefused, SpeechUnavailable)):
        await pool.ask({}, timeout_seconds=5)
    await pool.close()
