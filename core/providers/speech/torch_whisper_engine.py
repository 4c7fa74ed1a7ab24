"""OpenAI's own Whisper inside its process: any of its sizes, or a `.pt` file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy
import whisper

from core.providers.speech.worker import Engine


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Load the model once; each request is one sound of at most 30 seconds."""
    model = whisper.load_model(options["model"], device="cpu")

    def answer(request: Mapping[str, Any], payload: bytes) -> tuple[Mapping[str, Any], bytes]:
        samples = numpy.frombuffer(payload, "<i2").astype(numpy.float32) / 32768.0
        found = model.transcribe(samples, language=request.get("language"), fp16=False)
        certainties = [segment["avg_logprob"] for segment in found["segments"]]
        mean = sum(certainties) / len(certainties) if certainties else -10.0
        facts = {
            "text": str(found["text"]).strip(),
            "language": found["language"],
            "confidence": math.exp(mean),
        }
        return facts, b""

    return answer
