"""Does the test server give real vectors, images and sound, and fail on those endpoints too?"""

from __future__ import annotations

import base64
import io
import struct
import time
import wave
import zlib
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.openai_server import Hang, HttpFault, NoChoices, OpenAIServer, Reply, openai_server
from tests.openai_server.client import connected


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture(scope="module")
def client(running: OpenAIServer) -> Iterator[OpenAI]:
    with connected(running, max_retries=0) as client:
        yield client


@pytest.fixture
def server(running: OpenAIServer) -> OpenAIServer:
    running.reset()
    return running


def test_models_are_listed(client: OpenAI) -> None:
    assert "gpt-test" in [model.id for model in client.models.list()]


def test_vectors_are_the_same_as_numbers_and_as_base64(client: OpenAI) -> None:
    texts = ["une table ronde", "une table carrée", "le remboursement"]
    floats = client.embeddings.create(model="e", input=texts, encoding_format="float")
    coded = client.embeddings.create(model="e", input=texts)
    vectors = [item.embedding for item in floats.data]
    for expected, item in zip(vectors, coded.data, strict=True):
        assert item.embedding == pytest.approx(expected, abs=1e-6)
    near, far = (sum(map(lambda a, b: a * b, vectors[0], vectors[i])) for i in (1, 2))
    assert near > far
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)


def test_base64_vectors_are_little_endian_floats(server: OpenAIServer, client: OpenAI) -> None:
    raw = client.embeddings.with_raw_response.create(
        model="e", input="une table", encoding_format="base64", dimensions=16
    )
    coded = raw.http_response.json()["data"][0]["embedding"]
    values = struct.unpack("<16f", base64.b64decode(coded))
    assert sum(value * value for value in values) == pytest.approx(1, abs=1e-5)


def test_empty_texts_have_no_vector(client: OpenAI) -> None:
    for texts in ("", [], ["a", ""]):
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(model="e", input=texts)


def test_images_are_real(client: OpenAI) -> None:
    answer = client.images.generate(model="image-test", prompt="un canapé vert", n=2)
    assert len(answer.data or []) == 2
    picture = base64.b64decode((answer.data or [])[0].b64_json or "")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (8, 8)
    start = picture.index(b"IDAT") + 4
    (size,) = struct.unpack(">I", picture[start - 8 : start - 4])
    assert len(zlib.decompress(picture[start : start + size])) == 8 * (1 + 3 * 8)


def test_a_recording_is_transcribed(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply("Ma chaise est cassée"), endpoint="audio/transcriptions")
    recording = ("call.wav", b"RIFFsound")
    found = client.audio.transcriptions.create(model="w", file=recording, language="fr")
    assert found.text == "Ma chaise est cassée"
    assert server.requests[0].body == {"model": "w", "language": "fr", "file": b"RIFFsound"}
    text = client.audio.transcriptions.create(model="w", file=recording, response_format="text")
    assert "CMD-2026-000101" in text


def test_speech_is_audio_of_the_format_asked_for(client: OpenAI) -> None:
    def spoken(response_format: Any) -> bytes:
        return client.audio.speech.create(
            model="s", voice="alloy", input="Bonjour à tous", response_format=response_format
        ).content

    with wave.open(io.BytesIO(spoken("wav"))) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(0.7, abs=0.01)
    assert spoken("mp3").startswith(b"\xff\xfb")


def test_every_endpoint_can_fail(server: OpenAIServer, client: OpenAI) -> None:
    server.script(HttpFault(429), endpoint="embeddings")
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model="e", input="a")
    server.script(Hang(60), endpoint="audio/speech")
    with pytest.raises(openai.APITimeoutError):
        client.audio.speech.create(model="s", voice="alloy", input="a", timeout=0.2)
    server.script(HttpFault(500), endpoint="images/generations")
    with pytest.raises(openai.InternalServerError):
        client.images.generate(prompt="a")
    deadline = time.monotonic() + 5
    while server.abandoned == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.abandoned == 1


def test_an_endpoint_refuses_steps_without_a_place(server: OpenAIServer) -> None:
    with pytest.raises(ValueError, match="embeddings"):
        server.script(Reply("texte"), endpoint="embeddings")
    with pytest.raises(ValueError, match="audio/transcriptions"):
        server.script(NoChoices(), endpoint="audio/transcriptions")
