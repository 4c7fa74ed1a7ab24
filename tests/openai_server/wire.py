"""How does an answer look in OpenAI's chat format, whole and as a stream of pieces?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.openai_server.steps import Reply, ToolCall, Usage

CREATED = 1_760_000_000
ARGUMENT_PIECE_LENGTH = 12
DONE = b"data: [DONE]\n\n"

Json = dict[str, Any]


def event(data: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def completion(reply: Reply, request: Mapping[str, Any], number: int) -> Json:
    """The whole answer; `number` makes its ids unique within the server."""
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.tool_calls:
        message["tool_calls"] = [
            _tool_call(call, number, index) for index, call in enumerate(reply.tool_calls)
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(reply),
    }
    return {
        **_envelope("chat.completion", request, number),
        "choices": [choice],
        "usage": _usage(reply, request),
    }


def chunks(reply: Reply, request: Mapping[str, Any], number: int) -> list[Json]:
    """The same answer in pieces: a role, words or parts of arguments, a reason, the usage."""
    with_usage = bool((request.get("stream_options") or {}).get("include_usage"))
    envelope = _envelope("chat.completion.chunk", request, number)
    if with_usage:
        envelope["usage"] = None
    deltas: list[tuple[Json, str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": word}, None) for word in words(reply.text)]
    for index, call in enumerate(reply.tool_calls):
        deltas += [({"tool_calls": [part]}, None) for part in _call_parts(call, number, index)]
    deltas.append(({}, _finish_reason(reply)))
    found = [
        {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    if with_usage:
        found.append({**envelope, "choices": [], "usage": _usage(reply, request)})
    return found


def words(text: str) -> list[str]:
    """A text in pieces that give it back when joined."""
    return re.findall(r"\s*\S+\s*$|\s*\S+|\s+", text)


def _envelope(kind: str, request: Mapping[str, Any], number: int) -> Json:
    return {
        "id": f"chatcmpl-{number}",
        "object": kind,
        "created": CREATED,
        "model": request["model"],
        "system_fingerprint": None,
    }


def _arguments(call: ToolCall) -> str:
    if isinstance(call.arguments, str):
        return call.arguments
    return json.dumps(call.arguments, ensure_ascii=False)


def _tool_call(call: ToolCall, number: int, index: int) -> Json:
    return {
        "id": call.id or f"call_{number}_{index}",
        "type": "function",
        "function": {"name": call.name, "arguments": _arguments(call)},
    }


def _call_parts(call: ToolCall, number: int, index: int) -> Iterator[Json]:
    """The id and name come first and once; the arguments follow in parts of no meaning."""
    whole = _tool_call(call, number, index)
    arguments = whole["function"]["arguments"]
    yield {**whole, "index": index, "function": {"name": call.name, "arguments": ""}}
    for start in range(0, len(arguments), ARGUMENT_PIECE_LENGTH):
        part = arguments[start : start + ARGUMENT_PIECE_LENGTH]
        yield {"index": index, "function": {"arguments": part}}


def _finish_reason(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def _usage(reply: Reply, request: Mapping[str, Any]) -> Json:
    said = [reply.text, *(f"{call.name} {_arguments(call)}" for call in reply.tool_calls)]
    usage = reply.usage or Usage(
        prompt_tokens=len(json.dumps(request.get("messages", []), ensure_ascii=False).split()),
        completion_tokens=len(" ".join(said).split()),
    )
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
