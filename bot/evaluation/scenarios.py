"""Conversation tests written in YAML, played on the running product.

A file holds a list of scenarios: who speaks, what they say, and what must be so after each turn
and in the database at the end.

    - name: un pied cassé devient un ticket
      speaker: visitor                 # or the e-mail address of an account
      turns:
        - say: "le pied de mon canapé Oslo 3 places s'est cassé"
          expect:
            intent: support_request
            slots: {product_sku: CANAPÉ-OSLO-3P}
        - say: "claire@example.org"
          expect: {says: [Je récapitule]}
        - say: "oui"
          expect: {tools: [create_ticket]}
      effects:
        tickets: [{problem_category: défaut_fabrication}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, Reply
from core.database import Transaction
from core.errors import NotFound
from core.runtime import Runtime
from core.security import Principal, random_token
from services.accounts.sessions import issue_visitor_token
from services.accounts.users import find_account, find_user
from services.conversations.tables import conversations
from services.tickets.tables import tickets

VISITOR = "visitor"
TICKET = "{ticket}"
SHOWN_CHARACTERS = 400


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expectation(Strict):
    """What must be so after a turn; what is left out may be anything.

    `sources` are titles of which each must be among the answer's sources, `no_sources` says that
    there must be none; `products` are skus that must be among the cards, `not_products` must not;
    `says` and `never` are parts of the text, compared without case.
    """

    intent: str | None = None
    language: str | None = None
    slots: Mapping[str, Any] = Field(default_factory=dict)
    says: Sequence[str] = ()
    never: Sequence[str] = ()
    sources: Sequence[str] = ()
    no_sources: bool = False
    products: Sequence[str] = ()
    not_products: Sequence[str] = ()
    tools: Sequence[str] = ()
    no_tools: bool = False
    owner: str | None = None


class TurnScript(Strict):
    """What is said, and what must come of it.

    `say` and the texts expected may hold `{ticket}`, the number of the last ticket opened.
    `repeat` says the text so many times in one message. With `speaker`, someone else goes on in a
    conversation of their own.
    """

    say: str
    repeat: int = Field(1, ge=1)
    speaker: str | None = None
    expect: Expectation = Expectation()


class Effects(Strict):
    """Rows that the conversation must have left, no more and no fewer."""

    tickets: Sequence[Mapping[str, Any]] | None = None
    owner: str | None = None


class Scenario(Strict):
    name: str
    speaker: str = VISITOR
    turns: Sequence[TurnScript] = Field(min_length=1)
    effects: Effects = Effects()


@dataclass
class ScenarioResult:
    """What came of a scenario: each failure says the turn, what was expected and what came."""

    scenario: str
    file: str
    failures: list[str] = field(default_factory=list)
    transcript: list[tuple[str, str]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class _Conversation:
    principal: Principal
    session_id: str


def load_scenarios(path: Path) -> list[Scenario]:
    """Read a file; raises ValueError with the place of a mistake."""
    with path.open(encoding="utf-8") as file:
        return [Scenario.model_validate(item) for item in yaml.safe_load(file)]


async def run_file(runtime: Runtime, organization_id: UUID, path: Path) -> list[ScenarioResult]:
    """Play every scenario of a file, each in a conversation of its own."""
    return [
        await run_scenario(runtime, organization_id, scenario, path.name)
        for scenario in load_scenarios(path)
    ]


async def run_scenario(
    runtime: Runtime, organization_id: UUID, scenario: Scenario, file: str = ""
) -> ScenarioResult:
    """Play one scenario and compare; effects are those of the first conversation."""
    principal = await _speaker(runtime, organization_id, scenario.speaker)
    first = current = _Conversation(principal, random_token("scenario_"))
    result = ScenarioResult(scenario.name, file)
    ticket = ""
    for number, turn in enumerate(scenario.turns, 1):
        if turn.speaker is not None:
            principal = await _speaker(runtime, organization_id, turn.speaker)
            current = _Conversation(principal, random_token("scenario_"))
        text = turn.say.replace(TICKET, ticket) * turn.repeat
        reply = await _say(runtime, current, text)
        ticket = _ticket_opened(reply) or ticket
        result.transcript += [("user", text[:SHOWN_CHARACTERS]), ("assistant", reply.text)]
        slots = await _stored(runtime, current)
        for failure in _compare(turn.expect, reply, slots, ticket):
            result.failures.append(f"turn {number} («{text[:SHOWN_CHARACTERS]}»): {failure}")
    async with runtime.database.reading(organization_id) as transaction:
        result.failures += await _effects(transaction, scenario.effects, first)
    return result


async def _say(runtime: Runtime, conversation: _Conversation, text: str) -> Reply:
    message = IncomingMessage(
        conversation.principal, conversation.session_id, text, channel="evaluation"
    )
    reply = Reply()
    async for event in handle(message, runtime.part(Assistant), runtime):
        reply.add(event)
    return reply


def _ticket_opened(reply: Reply) -> str | None:
    for done in reply.tool_results:
        if done["tool"] == "create_ticket":
            return str(done["result"]["ticket_id"])
    return None


async def _speaker(runtime: Runtime, organization_id: UUID, speaker: str) -> Principal:
    if speaker == VISITOR:
        return issue_visitor_token(runtime, organization_id)[1]
    async with runtime.database.reading(organization_id) as transaction:
        user = await find_user(transaction, speaker)
        account = await find_account(transaction, user.id) if user is not None else None
    if account is None:
        raise NotFound(f"There is no account {speaker}; scenarios speak as a visitor or a user.")
    return account.principal()


async def _stored(runtime: Runtime, conversation: _Conversation) -> Mapping[str, Any]:
    """The slots of the form that the conversation is in."""
    organization_id = conversation.principal.organization_id
    async with runtime.database.reading(organization_id) as transaction:
        state = await transaction.scalar(
            select(conversations.c.state).where(
                conversations.c.actor == conversation.principal.actor,
                conversations.c.session_id == conversation.session_id,
            )
        )
    slots: Mapping[str, Any] = (state.get("form") or {}).get("slots", {})
    return slots


def _compare(
    expected: Expectation, reply: Reply, slots: Mapping[str, Any], ticket: str
) -> list[str]:
    wanted = [part.replace(TICKET, ticket) for part in expected.says]
    text = reply.text.casefold()
    titles = {source["title"] for source in reply.sources}
    tools = {done["tool"] for done in reply.tool_results}
    skus = {product["sku"] for product in reply.products}
    found = [
        _differs("intent", expected.intent, reply.intent),
        _differs("language", expected.language, reply.language),
        _differs("owner", expected.owner, reply.owner),
        *(
            _differs(f"slot {name}", value, slots.get(name))
            for name, value in expected.slots.items()
        ),
        *(_absent("text", part, part.casefold() in text, reply.text) for part in wanted),
        *(_absent("source", title, title in titles, titles) for title in expected.sources),
        *(_absent("tool", tool, tool in tools, tools) for tool in expected.tools),
        *(_absent("product", sku, sku in skus, skus) for sku in expected.products),
        *(f"shows {sku}" for sku in expected.not_products if sku in skus),
        *(f"says {part!r}" for part in expected.never if part.casefold() in text),
        f"quotes {titles}" if expected.no_sources and titles else None,
        f"ran {tools}" if expected.no_tools and tools else None,
    ]
    return [failure for failure in found if failure is not None]


def _differs(what: str, expected: Any, found: Any) -> str | None:
    if expected is None or expected == found:
        return None
    return f"{what} is {found!r}, expected {expected!r}"


def _absent(what: str, expected: str, present: bool, found: object) -> str | None:
    return None if present else f"{what} {expected!r} is missing from {found!r}"


async def _effects(transaction: Transaction, expected: Effects, played: _Conversation) -> list[str]:
    """Compare the rows that this conversation has left."""
    conversation = await transaction.first(
        select(conversations.c.id, conversations.c.owner).where(
            conversations.c.actor == played.principal.actor,
            conversations.c.session_id == played.session_id,
        )
    )
    if conversation is None:
        return ["the conversation was not stored"]
    failures = [_differs("owner in the database", expected.owner, conversation.owner)]
    if expected.tickets is not None:
        rows = await transaction.all(
            select(tickets)
            .where(tickets.c.conversation_id == conversation.id)
            .order_by(tickets.c.id)
        )
        failures.append(_differs("number of tickets", len(expected.tickets), len(rows)))
        for wanted, row in zip(expected.tickets, rows, strict=False):
            stored = row._mapping
            failures += [
                f"ticket {name} is {stored[name]!r}, expected {value!r}"
                for name, value in wanted.items()
                if stored[name] != value
            ]
    return [failure for failure in failures if failure is not None]
