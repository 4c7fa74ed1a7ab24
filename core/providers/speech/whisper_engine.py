"""The embedded recogniser inside its process: Whisper by CTranslate2, on as little as it needs.

Whisper was taught on windows of 30 seconds, and its encoder's cost grows with the window. A
customer's sentence lasts three: the window is as long as the sound and a margin, which costs a
fifth of the time and hears as well (docs/voice.md has the figures).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from core.providers.speech import SAMPLE_RATE_HERTZ
from core.providers.speech.whisper_limits import BEAM_SIZE, LANGUAGES, most_tokens
from core.providers.speech.whisper_weights import MODEL_NAME, packaged_files
from core.providers.speech.worker import Engine

FRAMES_A_SECOND = 100
WINDOW_SECONDS = 30
# Below this the model invents repetitions.
SHORTEST_WINDOW_SECONDS = 10
MARGIN_SECONDS = 2
# More than this is text that repeats itself (the limit of Whisper's own authors).
LARGEST_COMPRESSION = 2.4

Samples = numpy.ndarray[Any, numpy.dtype[numpy.float32]]


@dataclass(frozen=True)
class Heard:
    """One hypothesis: its words and their mean probability."""

    text: str
    confidence: float
    no_speech: float


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Load the packaged model once; each request is one sound of at most 30 seconds."""
    model = WhisperModel(
        MODEL_NAME,
        device="cpu",
        compute_type="int8",
        cpu_threads=int(options.get("threads", 1)),
        files=packaged_files(),
    )

    def answer(request: Mapping[str, Any], payload: bytes) -> tuple[Mapping[str, Any], bytes]:
        samples = numpy.frombuffer(payload, "<i2").astype(numpy.float32) / 32768.0
        beams = request.get("beams", BEAM_SIZE)
        language, heard = _transcribe(model, samples, request.get("language"), beams)
        return {"text": heard.text, "language": language, "confidence": heard.confidence}, b""

    return answer


def _transcribe(
    model: WhisperModel, samples: Samples, language: str | None, beams: int
) -> tuple[str, Heard]:
    seconds = len(samples) / SAMPLE_RATE_HERTZ
    window = max(SHORTEST_WINDOW_SECONDS, math.ceil(seconds) + MARGIN_SECONDS)
    encoded = _encode(model, samples, window)
    if language is None:
        language = _detect(model, encoded)
    heard = _decode(model, encoded, language, seconds, beams)
    if _repeats_itself(heard.text) and window < WINDOW_SECONDS:
        encoded = _encode(model, samples, WINDOW_SECONDS)
        heard = _decode(model, encoded, language, seconds, beams)
    return language, heard


def _encode(model: WhisperModel, samples: Samples, window_seconds: int) -> Any:
    features = model.feature_extractor(samples, padding=160)
    frames = min(window_seconds, WINDOW_SECONDS) * FRAMES_A_SECOND
    features = features[:, :frames]
    missing = frames - features.shape[1]
    return model.encode(numpy.pad(features, ((0, 0), (0, missing))))


def _detect(model: WhisperModel, encoded: Any) -> str:
    """The likeliest of the languages that the product speaks."""
    found = dict(model.model.detect_language(encoded)[0])
    return max(LANGUAGES, key=lambda language: found.get(f"<|{language}|>", 0.0))


def _decode(model: WhisperModel, encoded: Any, language: str, seconds: float, beams: int) -> Heard:
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language=language)
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    result = model.model.generate(
        encoded,
        [prompt],
        beam_size=beams,
        max_length=len(prompt) + most_tokens(seconds),
        return_scores=True,
        return_no_speech_prob=True,
    )[0]
    text = tokenizer.decode(result.sequences_ids[0]).strip()
    return Heard(text, math.exp(result.scores[0]), result.no_speech_prob)


def _repeats_itself(text: str) -> bool:
    data = text.encode()
    return len(data) / len(zlib.compress(data)) > LARGEST_COMPRESSION if data else False
