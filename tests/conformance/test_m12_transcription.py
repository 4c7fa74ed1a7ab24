"""Row M12: a recording written down."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.conformance.shapes import assert_failure
from tests.recordings import FORMATS, music, recording, said, silence

SENTENCE = "Bonjour, j'ai un problème avec mon canapé."
MEBIBYTE = 1024 * 1024


def send(
    client: httpx.Client, content: bytes, media_type: str = "audio/mpeg", **fields: str
) -> httpx.Response:
    files = {"audio_file": ("audio.bin", content, media_type)}
    return client.post("/api/voice/transcribe", files=files, data=fields)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_m12_a_transcript_answers_exactly_the_seeds_fields(customer: httpx.Client) -> None:
    samples = said(SENTENCE)
    answer = send(customer, recording(samples, "mp3"), language="fr")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"success", "text", "language", "duration"}
    assert body["success"] is True
    assert words(body["text"]) == words(SENTENCE)
    assert body["language"] == "fr"
    assert body["duration"] == pytest.approx(len(samples) / 32_000, abs=0.15)


@pytest.mark.parametrize("kind", FORMATS)
def test_m12_every_kind_of_recording_is_heard(customer: httpx.Client, kind: str) -> None:
    answer = send(customer, recording(said(SENTENCE), kind), FORMATS[kind][2], language="fr")
    assert answer.status_code == 200, answer.text
    assert {"problème", "canapé"} <= set(words(answer.json()["text"]))
    assert 2 < answer.json()["duration"] < 4


@pytest.mark.parametrize("announced", ["", "application/octet-stream", "audio/webm;codecs=opus"])
def test_m12_a_recorder_may_announce_its_codec_or_nothing(
    customer: httpx.Client, announced: str
) -> None:
    answer = send(customer, recording(said(SENTENCE), "webm"), announced, language="fr")
    assert answer.status_code == 200, answer.text


def test_m12_the_language_is_detected(customer: httpx.Client) -> None:
    french = send(customer, recording(said("Je voudrais savoir où est ma commande."), "wav"), "")
    assert french.json()["language"] == "fr"
    english = said("Hello, I would like to know when my order arrives.", "en-GB")
    heard = send(customer, recording(english, "wav"), "").json()
    assert heard["language"] == "en"
    assert "order" in heard["text"]


def test_m12_stereo_at_96_khz_is_heard(customer: httpx.Client) -> None:
    answer = send(customer, recording(said(SENTENCE), "wav", 96_000, 2), "audio/wav", language="fr")
    assert answer.status_code == 200, answer.text
    assert "canapé" in answer.json()["text"]


def test_m12_a_long_message_is_heard_to_its_end(customer: httpx.Client) -> None:
    sentences = [
        "Bonjour, j'ai acheté un canapé chez vous le mois dernier.",
        "Il est arrivé avec une déchirure sur le côté gauche.",
        "J'ai appelé le magasin, mais personne ne m'a répondu.",
        "Ensuite, j'ai envoyé deux messages et une photo.",
        "Le livreur m'a dit que la commande était complète.",
        "Pourtant il manque encore les quatre pieds et les vis.",
        "Je voudrais savoir quand vous pouvez passer chez moi.",
        "Je suis disponible le mardi matin et le jeudi soir.",
        "Si ce n'est pas possible, je demande le remboursement.",
        "Vous pouvez me rappeler demain après dix heures.",
        "Merci beaucoup et au revoir.",
    ]
    samples = b"".join(said(sentence) + silence(0.4) for sentence in sentences)
    body = send(customer, recording(samples, "webm"), "audio/webm", language="fr").json()
    assert body["duration"] > 30
    heard = set(words(body["text"]))
    for word in ("canapé", "gauche", "photo", "livreur", "commande", "mardi", "remboursement"):
        assert word in heard
    assert "revoir" in body["text"]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "error"),
    [
        (b"", "audio/mpeg", 400, "invalid_request"),
        (silence(0.01), "audio/wav", 415, "unsupported_media_type"),
        (b"this is no recording at all" * 20, "audio/mpeg", 415, "unsupported_media_type"),
        (recording(said(SENTENCE), "mp3"), "audio/wav", 415, "unsupported_media_type"),
        (recording(said(SENTENCE), "wav"), "image/png", 415, "unsupported_media_type"),
        (recording(silence(3), "wav"), "audio/wav", 400, "invalid_request"),
        (recording(music(4), "wav"), "audio/wav", 400, "invalid_request"),
        (b"\0" * (6 * MEBIBYTE), "audio/wav", 413, "payload_too_large"),
    ],
    ids=["empty", "raw", "text", "wrong label", "picture", "silence", "music", "6 MB"],
)
def test_m12_what_holds_no_speech_is_refused(
    customer: httpx.Client, content: bytes, media_type: str, status: int, error: str
) -> None:
    assert_failure(send(customer, content, media_type), status, error)


def test_m12_the_form_is_read_strictly(customer: httpx.Client, anyone: httpx.Client) -> None:
    content = recording(said(SENTENCE), "mp3")
    assert_failure(send(customer, content, language="xx"), 400, "invalid_request")
    assert_failure(send(customer, content, organization="other"), 400, "invalid_request")
    named = customer.post("/api/voice/transcribe", files={"file": ("a.mp3", content)})
    assert_failure(named, 400, "invalid_request")
    bare = customer.post("/api/voice/transcribe", content=content)
    assert_failure(bare, 400, "invalid_request")
    assert_failure(send(anyone, content), 401, "unauthorized")
