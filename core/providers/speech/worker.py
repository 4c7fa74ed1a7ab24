"""The process that one speech engine runs in: reads requests, writes replies, until input ends.

Started by `engines.py` with the name of a module and its options as JSON. The module's
`open_engine(options)` loads the engine once and returns a function from (request, payload) to
(facts, payload). The first message out says that the engine is open.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from core.providers.speech.engines import FRAME_HEAD, EngineRefused

LONGEST_REASON = 200

Engine = Callable[[Mapping[str, Any], bytes], tuple[Mapping[str, Any], bytes]]


def main() -> None:
    """Serve one engine over standard input and output."""
    module, options = sys.argv[1], json.loads(sys.argv[2])
    replies = _private_output()
    try:
        engine: Engine = importlib.import_module(module).open_engine(options)
    except ImportError as error:
        _write(replies, {"refused": "not_installed", "message": f"{error.name} is not installed"})
        return
    except EngineRefused as refusal:
        _write(replies, {"refused": refusal.reason, "message": refusal.message})
        return
    except Exception as error:
        # Weights that are missing, torn or of another kind: each library fails in its own way.
        reason = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
        _write(replies, {"refused": "unopened", "message": f"The engine did not open. {reason}"})
        return
    _write(replies, {"open": True})
    while (request := _read(sys.stdin.buffer)) is not None:
        _write(replies, *_answer(engine, *request))


def _private_output() -> BinaryIO:
    """Standard output for replies alone: what a library prints goes to standard error."""
    private = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return private


def _answer(
    engine: Engine, request: Mapping[str, Any], payload: bytes
) -> tuple[Mapping[str, Any], bytes]:
    try:
        return engine(request, payload)
    except EngineRefused as refusal:
        return {"refused": refusal.reason, "message": refusal.message}, b""


def _read(stream: BinaryIO) -> tuple[Mapping[str, Any], bytes] | None:
    head = stream.read(FRAME_HEAD.size)
    if len(head) < FRAME_HEAD.size:
        return None
    request_length, payload_length = FRAME_HEAD.unpack(head)
    return json.loads(stream.read(request_length)), stream.read(payload_length)


def _write(stream: BinaryIO, facts: Mapping[str, Any], payload: bytes = b"") -> None:
    head = json.dumps(facts, ensure_ascii=False).encode()
    stream.write(FRAME_HEAD.pack(len(head), len(payload)) + head + payload)
    stream.flush()
