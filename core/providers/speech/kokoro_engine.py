"""A neural voice inside its process: Kokoro by ONNX, one sentence a request.

The folder holds `model.onnx` (any name that ends so) and `voices.bin` (any name that ends so).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from kokoro_onnx import Kokoro
from onnxruntime import InferenceSession, SessionOptions

from core.providers.speech.engines import EngineRefused
from core.providers.speech.openai_speech import resampled
from core.providers.speech.worker import Engine


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Load the weights once; each request names `text`, `voice`, `language` and `speed`."""
    folder = Path(options["folder"])
    models, voices = sorted(folder.glob("*.onnx")), sorted(folder.glob("*.bin"))
    if not models or not voices:
        raise EngineRefused("not_installed", f"{folder} holds no Kokoro model (*.onnx, *.bin).")
    session = InferenceSession(
        str(models[0]), _session_options(options), providers=["CPUExecutionProvider"]
    )
    kokoro = Kokoro.from_session(session, str(voices[0]))

    def answer(request: Mapping[str, Any], payload: bytes) -> tuple[Mapping[str, Any], bytes]:
        try:
            samples, rate_hertz = kokoro.create(
                request["text"],
                voice=request["voice"],
                speed=request["speed"],
                lang=request["language"],
            )
        except ValueError as error:
            # No such voice in the file, or a text in a script that the language does not have.
            raise EngineRefused("unspeakable", str(error)[:200]) from error
        whole = (numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        return {}, resampled(whole, rate_hertz).samples

    return answer


def _session_options(options: Mapping[str, Any]) -> SessionOptions:
    """Threads that sleep while they wait: beside other work they are done sooner."""
    chosen = SessionOptions()
    chosen.intra_op_num_threads = int(options.get("threads", 1))
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return chosen
