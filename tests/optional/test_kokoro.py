"""Kokoro behind the port: the suite of every voice, on its real weights.

    scripts/test_voice_extra

RUN_KOKORO names the folder that `scripts/kokoro_voice` makes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from core.errors import VoiceUnavailable
from core.providers.breaker import CircuitBreaker
from core.providers.speech import Sound
from core.providers.speech.kokoro import KokoroTextToSpeech
from core.providers.speech.opening import open_text_to_speech
from core.providers.speech.whisper_embedded import EmbeddedSpeechToText
from core.settings import Settings
from tests.speech_suite import (  # noqa: F401  collected here with this module's fixture
    spoken,
    test_that_a_long_sentence_is_spoken_whole,
    test_that_every_name_speaks,
    test_that_sentences_are_spoken_one_by_one,
    test_that_voices_stay_out_of_this_process,
)

pytestmark = pytest.mark.anyio
FOLDER = os.environ["RUN_KOKORO"]
SAID = {
    "fr": ("Votre commande arrive mardi matin.", {"commande", "mardi", "matin"}),
    "en": ("Your order arrives on Tuesday morning.", {"order", "tuesday", "morning"}),
}


@pytest.fixture(scope="module")
async def voice() -> AsyncIterator[KokoroTextToSpeech]:
    """Without the embedded voice behind it, which would speak in its place."""
    engine = KokoroTextToSpeech(FOLDER)
    yield engine
    await engine.close()


@pytest.mark.parametrize("language", SAID)
async def test_that_it_is_understood(voice: KokoroTextToSpeech, language: str) -> None:
    text, words = SAID[language]
    [sound] = await spoken(voice, text, language=language)
    recogniser = EmbeddedSpeechToText()
    heard = await recogniser.transcribe(Sound(sound.samples), language=language)
    await recogniser.close()
    assert words <= set(heard.text.lower().strip(" .").split()), heard


async def test_that_what_it_cannot_say_costs_no_process(voice: KokoroTextToSpeech) -> None:
    await voice.warm()
    process = voice.pool.processes[0].process_id
    with pytest.raises(VoiceUnavailable, match="'nl'"):
        await spoken(voice, "Goedendag.", language="nl")
    with pytest.raises(VoiceUnavailable):
        # Numerals of a script that French has no sounds for.
        await spoken(voice, "𐒠𐒡", language="fr")
    assert voice.pool.processes[0].process_id == process


async def test_that_a_setting_names_it() -> None:
    engine = open_text_to_speech(
        Settings(text_to_speech=f"kokoro:{FOLDER}"), CircuitBreaker("speech")
    )
    assert engine.name == "kokoro"
    await engine.close()
