"""What does one request get: which bytes, for which step, on which endpoint?"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from tests.openai_server import media, wire
from tests.openai_server.rules import Rule
from tests.openai_server.steps import (
    BrokenJson,
    HalfAnswer,
    Hang,
    HttpFault,
    NoChoices,
    Reply,
    Step,
    WrongContentType,
)
from tests.openai_server.transmission import Transmission

Endpoint = Literal[
    "chat/completions",
    "embeddings",
    "images/generations",
    "audio/transcriptions",
    "audio/speech",
    "models",
]
MODELS = ("gpt-test", "gpt-test-mini", "text-embedding-test", "image-test", "whisper-test")
TRANSCRIPT = "Bonjour, où en est ma commande CMD-2026-000101 ?"
HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to this network.</p>"
BROKEN = b'{"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"ind'
EVENT_STREAM = "text/event-stream; charset=utf-8"


class Refused(ValueError):
    """The request is one that the provider itself would answer with status 400."""


def answer(
    endpoint: Endpoint, request: Mapping[str, Any], step: Step | None, rule: Rule, number: int
) -> Transmission:
    """The transmission for a request; without a step the endpoint answers by its own rule."""
    match step:
        case HttpFault():
            return _error(step)
        case WrongContentType():
            return Transmission((HTML,), media_type="text/html; charset=utf-8")
        case BrokenJson():
            return _broken(request)
        case Hang():
            later = answer(endpoint, request, None, rule, number)
            return replace(later, wait_seconds=step.seconds)
    try:
        return _good_answer(endpoint, request, step, rule, number)
    except Refused as refusal:
        return _error(HttpFault(400, message=str(refusal), error_type="invalid_request_error"))


def _good_answer(
    endpoint: Endpoint,
    request: Mapping[str, Any],
    step: Reply | HalfAnswer | NoChoices | None,
    rule: Rule,
    number: int,
) -> Transmission:
    match endpoint:
        case "chat/completions":
            check_chat(request)
            return _chat(request, step or rule(request), number)
        case "audio/transcriptions":
            return _transcription(request, step.text if isinstance(step, Reply) else TRANSCRIPT)
        case "embeddings":
            return _embeddings(request)
        case "images/generations":
            return _images(request)
        case "audio/speech":
            return _speech(request)
        case "models":
            return _models()


def check_chat(request: Mapping[str, Any]) -> None:
    """Refuse what the provider refuses: a tool call left unanswered, an answer nobody asked for."""
    if not request.get("messages"):
        raise Refused("Invalid 'messages': empty array.")
    for tool in request.get("tools") or []:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["function"]["name"]):
            raise Refused("Invalid 'tools[0].function.name': string does not match pattern.")
    waiting: set[str] = set()
    for message in request["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise Refused("messages with role 'tool' must follow a message with 'tool_calls'.")
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            break
        waiting = {call["id"] for call in message.get("tool_calls") or []}
    if waiting:
        raise Refused("An assistant message with 'tool_calls' must be followed by tool messages.")


def _chat(
    request: Mapping[str, Any], step: Reply | HalfAnswer | NoChoices, number: int
) -> Transmission:
    reply = step.reply if isinstance(step, HalfAnswer) else step
    pieces = _chat_pieces(request, reply, number)
    sent = Transmission(
        pieces, media_type=EVENT_STREAM if request.get("stream") else "application/json"
    )
    if isinstance(reply, Reply):
        sent = replace(sent, piece_delay_seconds=reply.piece_delay_seconds)
    return _halved(sent, step) if isinstance(step, HalfAnswer) else sent


def _chat_pieces(
    request: Mapping[str, Any], reply: Reply | NoChoices, number: int
) -> tuple[bytes, ...]:
    said = reply if isinstance(reply, Reply) else Reply()
    if request.get("stream"):
        chunks = wire.chunks(said, request, number)
        if isinstance(reply, NoChoices):
            chunks = [{**chunks[0], "choices": []}]
        return (*(wire.event(chunk) for chunk in chunks), wire.DONE)
    whole = wire.completion(said, request, number)
    if isinstance(reply, NoChoices):
        whole["choices"] = []
    return (_json(whole),)


def _halved(sent: Transmission, step: HalfAnswer) -> Transmission:
    """The first pieces of a stream, or half of the only piece."""
    pieces = sent.pieces[: step.pieces]
    if len(sent.pieces) == 1:
        pieces = (sent.pieces[0][: len(sent.pieces[0]) // 2],)
    return replace(sent, pieces=pieces, ending=step.ending, hang_seconds=step.hang_seconds)


def _embeddings(request: Mapping[str, Any]) -> Transmission:
    try:
        texts = media.embedding_input(request.get("input"))
    except ValueError as problem:
        raise Refused(str(problem)) from problem
    dimensions = request.get("dimensions") or media.DEFAULT_DIMENSIONS
    vectors = [media.vector(text, dimensions) for text in texts]
    as_text = request.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": media.encoded(values) if as_text else values,
        }
        for index, values in enumerate(vectors)
    ]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _whole({"object": "list", "data": data, "model": request["model"], "usage": usage})


def _images(request: Mapping[str, Any]) -> Transmission:
    if not request.get("prompt"):
        raise Refused("Missing required parameter: 'prompt'.")
    picture = base64.b64encode(media.png(request["prompt"])).decode()
    data = [{"b64_json": picture} for _ in range(request.get("n") or 1)]
    return _whole({"created": wire.CREATED, "data": data})


def _transcription(request: Mapping[str, Any], text: str) -> Transmission:
    if not isinstance(request.get("file"), bytes) or not request["file"]:
        raise Refused("Missing required parameter: 'file'.")
    match request.get("response_format", "json"):
        case "text":
            return Transmission((f"{text}\n".encode(),), media_type="text/plain; charset=utf-8")
        case "verbose_json":
            segment = {"id": 0, "start": 0.0, "end": 2.0, "text": text}
            return _whole(
                {"text": text, "language": "french", "duration": 2.0, "segments": [segment]}
            )
    return _whole({"text": text, "usage": {"type": "duration", "seconds": 2}})


def _speech(request: Mapping[str, Any]) -> Transmission:
    if not request.get("input"):
        raise Refused("Invalid 'input': string too short.")
    audio, media_type = media.speech(request["input"], request.get("response_format", "mp3"))
    half = len(audio) // 2
    return Transmission((audio[:half], audio[half:]), media_type=media_type)


def _models() -> Transmission:
    data = [
        {"id": name, "object": "model", "created": wire.CREATED, "owned_by": "test"}
        for name in MODELS
    ]
    return _whole({"object": "list", "data": data})


def _broken(request: Mapping[str, Any]) -> Transmission:
    if request.get("stream"):
        return Transmission((b"data: " + BROKEN + b"\n\n", wire.DONE), media_type=EVENT_STREAM)
    return Transmission((BROKEN,))


def _error(fault: HttpFault) -> Transmission:
    headers = {}
    if fault.retry_after_seconds is not None:
        headers["retry-after"] = f"{fault.retry_after_seconds:g}"
    error = {"message": fault.message, "type": fault.error_type, "param": None, "code": None}
    return Transmission((_json({"error": error}),), status=fault.status, headers=headers)


def _whole(body: Mapping[str, Any]) -> Transmission:
    return Transmission((_json(body),))


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
