"""The embedded voice inside its process: SVOX Pico, one sentence a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from py_nanotts import NanoTTS

from core.providers.speech.worker import Engine


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Open Pico; each request names `text`, `voice`, `pitch` and `speed`."""
    pico = NanoTTS()

    def answer(request: Mapping[str, Any], payload: bytes) -> tuple[Mapping[str, Any], bytes]:
        samples = pico.speak(
            _without_markup(request["text"]),
            voice=request["voice"],
            pitch=request["pitch"],
            speed=request["speed"],
        )
        return {}, samples

    return answer


def _without_markup(text: str) -> str:
    """Pico reads tags, and a character outside the BMP ends its text."""
    kept = "".join(sign if sign.isprintable() and ord(sign) < 0x10000 else " " for sign in text)
    return kept.replace("<", " ").replace(">", " ").replace("&", " ")
