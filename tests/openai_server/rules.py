"""What does the test server's small rule-based model answer when no step is scripted?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.openai_server.steps import Reply, ToolCall

Rule = Callable[[Mapping[str, Any]], Reply]
"""From the body of a chat request to an answer."""

LONGEST_ECHO = 200

# Checked in this order; a group of the pattern is the value of the named argument, and without
# one the whole message is.
_TOOL_CUES: tuple[tuple[str, str, str], ...] = (
    ("ticket_status", "ticket_number", r"\b(TKT-\d{4}-\d+)\b"),
    ("order_status", "order_number", r"\b((?:CMD|ORD)-[\d-]*\d)\b"),
    ("handoff", "reason", r"\b(?:humain|conseillère?|human|agent)\b"),
    (
        "create_ticket",
        "description",
        r"cass|ray[ée]|abîm|défaut|manquant|il manque|bancal|déchir|problème|broken|damaged",
    ),
    (
        "knowledge_search",
        "question",
        r"retour|rembours|garantie|délai|livraison|horaire|paiement|rétract|warranty|return",
    ),
    (
        "product_search",
        "query",
        r"canapé|fauteuil|table|chaise|\blit\b|armoire|commode|buffet|matelas|sofa|chair",
    ),
)
_LIKELY = {"problem_category": "casse_transport", "problem_severity": "moyen", "limit": 3}
_EMPTY_VALUES: dict[str, Any] = {
    "integer": 1,
    "number": 1,
    "boolean": False,
    "array": [],
    "object": {},
}


def default_rule(request: Mapping[str, Any]) -> Reply:
    """Call the tool that the last user message speaks of, or say what a tool found, or echo."""
    messages = request["messages"]
    if messages[-1]["role"] == "tool":
        return Reply(text=_from_tool(text_of(messages[-1])))
    said = last_user_text(messages)
    call = _matching_call(request, said)
    if call is not None:
        return Reply(tool_calls=(call,))
    return Reply(text=f"J'ai bien lu votre message : « {said[:LONGEST_ECHO]} ».")


def last_user_text(messages: list[Mapping[str, Any]]) -> str:
    """What the person said last; empty when nobody spoke."""
    spoken = [text_of(message) for message in messages if message["role"] == "user"]
    return spoken[-1] if spoken else ""


def text_of(message: Mapping[str, Any]) -> str:
    """A message's text, whether it is written as text or as a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content)


def arguments_for(
    parameters: Mapping[str, Any], known: Mapping[str, Any], text: str
) -> dict[str, Any]:
    """Arguments that a JSON schema accepts: what is known, and the text where one is required."""
    properties: Mapping[str, Any] = parameters.get("properties", {})
    required = parameters.get("required", [])
    found = {name: value for name, value in known.items() if name in properties}
    for name in required:
        if name not in found:
            found[name] = _value_for(properties.get(name, {}), _LIKELY.get(name, text))
    return found


def _value_for(schema: Mapping[str, Any], likely: Any) -> Any:
    if "enum" in schema:
        return likely if likely in schema["enum"] else schema["enum"][0]
    return _EMPTY_VALUES.get(schema.get("type", "string"), likely)


def _matching_call(request: Mapping[str, Any], text: str) -> ToolCall | None:
    choice = request.get("tool_choice")
    offered = {tool["function"]["name"]: tool["function"] for tool in request.get("tools") or []}
    if choice == "none":
        return None
    if isinstance(choice, Mapping):
        forced = choice["function"]["name"]
        return ToolCall(forced, arguments_for(offered[forced].get("parameters", {}), {}, text))
    for name, argument, pattern in _TOOL_CUES:
        match = re.search(pattern, text, re.IGNORECASE)
        if name in offered and match:
            value = match.group(1) if match.groups() else text
            parameters = offered[name].get("parameters", {})
            return ToolCall(name, arguments_for(parameters, {argument: value}, text))
    return None


def _from_tool(content: str) -> str:
    """A sentence that holds the first facts of a tool's result, and nothing else."""
    try:
        result = json.loads(content)
    except ValueError:
        return f"Voici ce que j'ai trouvé : {content[:LONGEST_ECHO]}"
    facts = _facts(result)[:4]
    if not facts:
        return "Je n'ai rien trouvé."
    return f"Voici ce que j'ai trouvé : {', '.join(facts)}."


def _facts(value: Any, name: str = "") -> list[str]:
    if isinstance(value, Mapping):
        return [fact for key, part in value.items() for fact in _facts(part, str(key))]
    if isinstance(value, list):
        return [fact for part in value for fact in _facts(part, name)]
    if value is None or value == "":
        return []
    return [f"{name} {value}".strip()]
