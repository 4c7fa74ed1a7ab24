"""What holds for every speech engine, whatever is behind it: tests for modules with fixtures.

A module that imports these has a fixture `recogniser` (SpeechToText) or `voice` (TextToSpeech).
"""

from __future__ import annotations

import sys

import pytest

from core.providers.speech import Sound, SpeechToText, TextToSpeech
from core.providers.speech.voices import VOICES
from tests.recordings import music, said, silence

SENTENCES = "Bonjour. Votre commande est en route."
HEAVY_PACKAGES = {"ctranslate2", "faster_whisper", "kokoro_onnx", "torch", "whisper"}


async def spoken(engine: TextToSpeech, text: str, **more: str) -> list[Sound]:
    """All sounds of a text, in French and as `alloy` where nothing else is said."""
    chosen = {"voice": "alloy", "language": "fr", **more}
    return [sound async for sound in engine.speak(text, **chosen)]


async def test_that_speech_becomes_words(recogniser: SpeechToText) -> None:
    heard = await recogniser.transcribe(Sound(said("Bonjour, où est ma commande ?")), language="fr")
    assert "commande" in heard.text
    assert heard.language == "fr"
    assert 0 < heard.confidence <= 1


async def test_that_a_language_is_found(recogniser: SpeechToText) -> None:
    heard = await recogniser.transcribe(Sound(said("Bonjour, où est ma commande ?")))
    assert heard.language == "fr"


@pytest.mark.parametrize("samples", [b"", bytes(100), silence(2), music(3), silence(20)])
async def test_that_silence_and_music_are_no_words(
    recogniser: SpeechToText, samples: bytes
) -> None:
    heard = await recogniser.transcribe(Sound(samples), language="fr")
    assert heard.text == ""


async def test_that_sentences_are_spoken_one_by_one(voice: TextToSpeech) -> None:
    sounds = await spoken(voice, SENTENCES)
    assert len(sounds) == 2
    assert all(sound.duration_seconds > 0.3 for sound in sounds)
    assert await spoken(voice, " … ! ") == []


async def test_that_every_name_speaks(voice: TextToSpeech) -> None:
    for name in VOICES:
        assert (await spoken(voice, "Oui.", voice=name))[0].duration_seconds > 0.1


async def test_that_a_long_sentence_is_spoken_whole(voice: TextToSpeech) -> None:
    [short] = await spoken(voice, "Votre canapé arrive mardi matin entre huit heures et midi.")
    whole = await spoken(voice, f"{'Votre canapé arrive mardi matin, ' * 6}entre huit et midi.")
    assert sum(sound.duration_seconds for sound in whole) > 3 * short.duration_seconds


async def test_that_recognisers_stay_out_of_this_process(recogniser: SpeechToText) -> None:
    await recogniser.transcribe(Sound(said("Oui.")), language="fr")
    assert not HEAVY_PACKAGES & sys.modules.keys()


async def test_that_voices_stay_out_of_this_process(voice: TextToSpeech) -> None:
    await spoken(voice, "Oui.")
    assert not HEAVY_PACKAGES & sys.modules.keys()
