"""OpenAI's own Whisper behind the port: the suite of every recogniser, on real weights.

    scripts/test_voice_extra

RUN_WHISPER names the `.pt` file: the packaged whisper-base, written in openai-whisper's own form.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from core.errors import SpeechUnavailable
from core.providers.breaker import CircuitBreaker
from core.providers.speech import Sound
from core.providers.speech.listening import Listening
from core.providers.speech.opening import open_speech_to_text
from core.providers.speech.whisper_embedded import EmbeddedSpeechToText, TorchSpeechToText
from core.settings import Settings
from tests.recordings import said
from tests.speech_suite import (  # noqa: F401  collected here with this module's fixture
    test_that_a_language_is_found,
    test_that_recognisers_stay_out_of_this_process,
    test_that_silence_and_music_are_no_words,
    test_that_speech_becomes_words,
)

pytestmark = pytest.mark.anyio
MODEL = os.environ["RUN_WHISPER"]
QUESTIONS = (
    "Quels sont les délais de livraison pour la Corse ?",
    "Mon canapé est arrivé avec un pied cassé.",
)


@pytest.fixture(scope="module")
async def recogniser() -> AsyncIterator[Listening]:
    """Without the embedded recogniser behind it, which would answer for its failures."""
    engine = Listening(TorchSpeechToText(MODEL))
    yield engine
    await engine.close()


async def test_that_it_hears_what_the_embedded_one_hears(recogniser: Listening) -> None:
    embedded = Listening(EmbeddedSpeechToText())
    for question in QUESTIONS:
        sound = Sound(said(question))
        heard = await recogniser.transcribe(sound, language="fr")
        same = await embedded.transcribe(sound, language="fr")
        words, others = (one.text.lower().strip(" .?").split() for one in (heard, same))
        assert len(set(words) & set(others)) >= 0.7 * len(set(others)), (heard, same)
    await embedded.close()


async def test_that_a_setting_names_it() -> None:
    engine = open_speech_to_text(
        Settings(speech_to_text=f"whisper:{MODEL}"), CircuitBreaker("speech")
    )
    assert engine.name == f"whisper:{MODEL}"
    await engine.close()


async def test_that_another_file_is_refused_with_what_to_do() -> None:
    engine = TorchSpeechToText(__file__)
    with pytest.raises(SpeechUnavailable, match="did not open"):
        await engine.transcribe(Sound(said("Oui.")), language="fr")
    await engine.close()
