"""OpenAI's own Whisper inside its process: any of its sizes, or a `.pt` file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy
import whisper

from core.providers.speech import SAMPLE_RATE_HERTZ
from core.providers.speech.whisper_limits import BEAM_SIZE, LANGUAGES, most_tokens
from core.providers.speech.worker import Engine


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Load the model once; each request is one sound of at most 30 seconds."""
    model = whisper.load_model(options["model"], device="cpu")

    def answer(request: Mapping[str, Any], payload: bytes) -> tuple[Mapping[str, Any], bytes]:
        samples = numpy.frombuffer(payload, "<i2").astype(numpy.float32) / 32768.0
        spectrum = whisper.log_mel_spectrogram(
            whisper.pad_or_trim(samples), n_mels=model.dims.n_mels
        )
        language = request.get("language") or _detect(model, spectrum)
        heard = whisper.decode(
            model,
            spectrum,
            whisper.DecodingOptions(
                language=language,
                beam_size=BEAM_SIZE,
                sample_len=most_tokens(len(samples) / SAMPLE_RATE_HERTZ),
                without_timestamps=True,
                fp16=False,
            ),
        )
        confidence = math.exp(heard.avg_logprob)
        return {"text": heard.text.strip(), "language": language, "confidence": confidence}, b""

    return answer


def _detect(model: Any, spectrum: Any) -> str:
    """The likeliest of the languages that the product speaks."""
    if not model.is_multilingual:
        return "en"
    _, found = model.detect_language(spectrum)
    return max(LANGUAGES, key=lambda language: float(found.get(language, 0.0)))
