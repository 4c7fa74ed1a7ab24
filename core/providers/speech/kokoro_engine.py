"""A neural voice inside its process: Kokoro by ONNX, one sentence a request.

The folder holds `model.onnx` (any name that ends so) and `voices.bin` (any name that ends so).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from kokoro_onnx import Kokoro

from core.providers.speech.engines import EngineRefused
from core.providers.speech.openai_speech import resampled
from core.providers.speech.worker import Engine


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Load the weights once; each request names `text`, `voice`, `language` and `speed`."""
    folder = Path(options["folder"])
    models, voices = sorted(folder.glob("*.onnx")), sorted(folder.glob("*.bin"))
    if not models or not voices:
        raise EngineRefused("not_installed", f"{folder} holds no Kokoro model (*.onnx, *.bin).")
    kokoro = Kokoro(str(models[0]), str(voices[0]))

    def answer(request: Mapping[str, Any], payload: bytes) -> tuple[Mapping[str, Any], bytes]:
        samples, rate_hertz = kokoro.create(
            request["text"],
            voice=request["voice"],
            speed=request["speed"],
            lang=request["language"],
        )
        whole = (numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        return {}, resampled(whole, rate_hertz).samples

    return answer
