"""Row M13: a text read aloud."""

from __future__ import annotations

import io
from itertools import combinations

import av
import httpx
import numpy
import pytest

from core.providers.speech.voices import VOICES
from tests.conformance.shapes import assert_failure
from tests.conformance.test_m12_transcription import send, words

SENTENCE = "Votre ticket a été créé avec succès"


def speak(client: httpx.Client, text: str = SENTENCE, **fields: str) -> bytes:
    answer = client.post("/api/voice/tts", json={"text": text, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/mpeg"
    return answer.content


def samples_of(content: bytes) -> numpy.ndarray:
    with av.open(io.BytesIO(content), "r", format="mp3") as source:
        return numpy.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)])


def test_m13_the_seeds_request_is_answered_with_mp3(customer: httpx.Client) -> None:
    content = speak(customer, language="fr", voice="alloy")
    assert content[0] == 0xFF
    assert content[1] & 0xE6 == 0xE2
    with av.open(io.BytesIO(content), format="mp3") as source:
        assert source.streams.audio[0].codec_context.name in {"mp3", "mp3float"}
    assert 1.5 < len(samples_of(content)) / 16_000 < 5


def test_m13_what_is_read_aloud_is_heard_again(customer: httpx.Client) -> None:
    heard = send(customer, speak(customer), "audio/mpeg", language="fr").json()["text"]
    assert {"votre", "ticket", "succès"} <= set(words(heard))


def test_m13_every_name_is_a_voice_of_its_own(customer: httpx.Client) -> None:
    spoken = {voice: samples_of(speak(customer, voice=voice)) for voice in VOICES}
    for one, other in combinations(VOICES, 2):
        length = min(len(spoken[one]), len(spoken[other]))
        likeness = numpy.corrcoef(spoken[one][:length], spoken[other][:length])[0, 1]
        assert abs(likeness) < 0.5, (one, other)


@pytest.mark.parametrize("language", ["fr", "en", "de", "es", "it"])
def test_m13_five_languages_are_spoken(customer: httpx.Client, language: str) -> None:
    assert len(samples_of(speak(customer, "Canapé Oslo", language=language))) > 8_000


def test_m13_dutch_is_not_spoken(customer: httpx.Client) -> None:
    answer = customer.post("/api/voice/tts", json={"text": "Goedendag", "language": "nl"})
    body = assert_failure(answer, 503, "voice_unavailable")
    assert "TEXT_TO_SPEECH" in body["detail"]


def test_m13_figures_are_read_out(customer: httpx.Client) -> None:
    short = samples_of(speak(customer, "Le prix est de"))
    long = samples_of(speak(customer, "Le prix est de 1 290 €"))
    heard = send(customer, speak(customer, "Le prix est de 1 290 €"), language="fr").json()["text"]
    assert len(long) > len(short) + 8_000
    assert "290" in heard


def test_m13_a_repeated_text_is_not_made_again(customer: httpx.Client) -> None:
    """Pico never says a sentence twice in the same way: equal bytes were kept."""
    text = "Cette phrase est dite deux fois. Elle est assez longue pour que cela s'entende."
    assert speak(customer, text) == speak(customer, text)
    assert speak(customer, text) != speak(customer, text + " ")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "a" * 4_001},
        {"text": "Bonjour", "voice": "nobody"},
        {"text": "Bonjour", "language": "xx"},
        {"text": "Bonjour", "speed": 2},
    ],
)
def test_m13_a_request_that_does_not_fit_is_refused(
    customer: httpx.Client, body: dict[str, object]
) -> None:
    assert_failure(customer.post("/api/voice/tts", json=body), 400, "invalid_request")


@pytest.mark.parametrize("text", ["!!!", "日本語", "😀", "<speak>", "a" * 3_000, "</s>" * 500])
def test_m13_no_text_stops_the_voice(customer: httpx.Client, text: str) -> None:
    """What cannot be said is refused or left out within ten seconds, and the next text is read."""
    answer = customer.post("/api/voice/tts", json={"text": text}, timeout=10)
    assert answer.status_code in {200, 400}
    assert len(speak(customer)) > 5_000
