"""The tools of the registry as a language model may call them: with the customer's rights only.

Every call goes through `run_tool` with the customer's Principal. An e-mail address comes from the
session, never from the model, which does not see any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from langchain_core.tools import StructuredTool
from pydantic import BaseModel

from bot.actions.hand_over import hand_over
from bot.actions.products import note_missed
from bot.agent.attempt import prompts
from bot.agent.privacy import redact
from bot.evidence import Evidence, from_tool
from bot.guardrails import as_data
from bot.messages import Products, ReplyEvent, Suggestions, ToolResult
from bot.phrasing import phrases
from bot.tools.knowledge_search import KnowledgeSearchResult
from bot.tools.product_search import ProductSearchResult
from bot.tools.withdraw_handoff import WithdrawHandoffResult
from bot.turn import Turn
from core.errors import SupportError
from core.tools import Tool
from knowledge.index import Knowledge

# Whose effect is confirmed by the form of the embedded engine.
CONFIRMED_BY_FORM = frozenset({"create_ticket"})
# What everybody may read holds the shop's own addresses and telephone numbers: they stay.
PUBLIC = frozenset({"knowledge_search", "product_search"})
EMAIL_ARGUMENTS = frozenset({"email", "contact_email"})
MOST_PRODUCTS = 6
LONGEST_DOCUMENT_CHARACTERS = 2_000


@dataclass
class Workbench:
    """What the tools of one turn leave behind: evidence, events to show, and whether it is over."""

    turn: Turn
    evidence: list[Evidence]
    email: str | None
    events: dict[str, list[ReplyEvent]] = field(default_factory=dict)
    handed_over: list[ReplyEvent] | None = None


def offered(turn: Turn) -> list[Tool]:
    """The tools that this customer may use, and whose effects can be confirmed where they must."""
    return [
        tool
        for tool in turn.runtime.tools.values()
        if turn.principal.may(tool.permission)
        and (not tool.confirmed or tool.name in CONFIRMED_BY_FORM)
    ]


def langchain_tools(bench: Workbench) -> list[StructuredTool]:
    """The offered tools with their own schemas and descriptions."""
    return [_langchain_tool(bench, tool) for tool in offered(bench.turn)]


def _langchain_tool(bench: Workbench, tool: Tool) -> StructuredTool:
    async def call(**arguments: Any) -> str:
        return await _call(bench, tool, arguments)

    return StructuredTool.from_function(
        coroutine=call, name=tool.name, description=tool.description, args_schema=tool.arguments
    )


async def _call(bench: Workbench, tool: Tool, arguments: Mapping[str, Any]) -> str:
    """Run a tool for the model; what it refuses is told to the model, what breaks ends the try."""
    turn = bench.turn
    if tool.name == "handoff":
        return await _hand_over(bench)
    given = own_arguments(tool, arguments, bench.email)
    key = _effect_key(turn, tool, given) if tool.effect and not tool.confirmed else None
    try:
        result = await turn.run(tool.name, tool.result, given, key)
    except SupportError as error:
        turn.note("tool_refused", tool=tool.name, code=error.code)
        return str(prompts()["refused"]).format(reason=error.message)
    return as_data(tool.name, _learn(bench, tool, result, str(given.get("query", ""))))


def own_arguments(tool: Tool, arguments: Mapping[str, Any], email: str | None) -> dict[str, Any]:
    """The model's arguments, with the customer's own address and within bounds."""
    given = {
        name: value
        for name, value in arguments.items()
        if name not in EMAIL_ARGUMENTS and name != "customer_id" and value is not None
    }
    for name in EMAIL_ARGUMENTS & tool.arguments.model_fields.keys():
        if email is not None:
            given[name] = email
    if tool.name == "product_search":
        given["limit"] = min(int(given.get("limit", MOST_PRODUCTS)), MOST_PRODUCTS)
    return given


def _effect_key(turn: Turn, tool: Tool, given: Mapping[str, Any]) -> str:
    """The same effect asked for twice in a turn happens once."""
    written = json.dumps(given, sort_keys=True, default=str)
    return f"{turn.user_message_id}:{tool.name}:{sha256(written.encode()).hexdigest()[:16]}"


def _learn(bench: Workbench, tool: Tool, result: BaseModel, query: str) -> str:
    """Keep a result as evidence and events; returns what the model is shown of it.

    `query` is what the model has searched for, if it has.
    """
    if isinstance(result, KnowledgeSearchResult):
        return _learn_documents(bench, result)
    if isinstance(result, WithdrawHandoffResult):
        bench.turn.owner = result.owner
    found = result.model_dump(mode="json")
    bench.evidence += from_tool(tool.name, found, bench.turn.language)
    if isinstance(result, ProductSearchResult):
        if not result.products:
            note_missed(bench.turn, query)
        _show_products(bench, result)
    else:
        bench.events[tool.name] = [ToolResult(tool.name, found)]
    shown = json.dumps(found, ensure_ascii=False)
    return shown if tool.name in PUBLIC else redact(shown)


def _show_products(bench: Workbench, result: ProductSearchResult) -> None:
    cards = tuple(product.model_dump(mode="json") for product in result.products)
    skus = [product.sku for product in result.products]
    bench.events["product_search"] = [
        Products(cards),
        ToolResult("product_search", {"skus": skus}),
    ]


def _learn_documents(bench: Workbench, result: KnowledgeSearchResult) -> str:
    """The documents that were found, as far as they are short; each passage is evidence."""
    knowledge = bench.turn.runtime.part(Knowledge)
    corpus = knowledge.corpus(bench.turn.principal.organization_id)
    shown = []
    for view in result.passages:
        document = corpus.documents.get(UUID(view.document_id))
        texts = [passage.text for passage in document.passages] if document else [view.quote]
        length = 0
        shown.append(f"# {view.title}")
        for text in texts:
            length += len(text)
            if length > LONGEST_DOCUMENT_CHARACTERS and text != texts[0]:
                break
            piece = Evidence(
                "document", text, view.language, view.document_id, view.title, view.score
            )
            if piece not in bench.evidence:
                bench.evidence.append(piece)
            shown.append(text)
    return "\n".join(shown)


async def _hand_over(bench: Workbench) -> str:
    """Hand over where the customer has asked for a human; otherwise ask them first."""
    turn = bench.turn
    if turn.read.intent == "human_agent":
        bench.handed_over = [event async for event in hand_over(turn, "requested")]
        return str(prompts()["handed_over"])
    turn.state = turn.state.but(handoff_offered=True)
    bench.handed_over = [
        turn.say("offer_human"),
        Suggestions(phrases(turn.language, "suggestions.yes_no")),
    ]
    return str(prompts()["offered"])
