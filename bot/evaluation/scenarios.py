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

A file that also holds simulated customers names both lists: `scenarios:` and `customers:`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import BaseModel, ConfigDict, Field

from bot.evaluation.playing import (
    VISITOR,
    PlayedTurn,
    Stored,
    new_conversation,
    played,
    say,
    send_photo,
    speaker_of,
    stored,
    with_addresses,
)
from bot.messages import Reply
from core.runtime import Runtime
from services.uploads.attachments import MAXIMUM_ATTACHMENTS

TICKET = "{ticket}"
CUSTOMERS_SUFFIX = ".customers.yaml"
PARTS = ("scenarios", "customers")
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
    conversation of their own. Each of `files` is a photo that comes with the message, under this
    description.
    """

    say: str
    repeat: int = Field(1, ge=1)
    speaker: str | None = None
    files: Sequence[str] = Field((), max_length=MAXIMUM_ATTACHMENTS)
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
    """What came of a test: each failure says the turn, what was expected and what came.

    `trial` counts from 1 where a test is played several times.
    """

    scenario: str
    file: str
    failures: list[str] = field(default_factory=list)
    turns: list[PlayedTurn] = field(default_factory=list)
    trial: int = 1

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def transcript(self) -> list[tuple[str, str]]:
        return [
            part
            for turn in self.turns
            for part in (("user", turn.said[:SHOWN_CHARACTERS]), ("assistant", turn.answered))
        ]


def read_document(path: Path) -> Mapping[str, Sequence[Any]]:
    """The lists of a test file by name, `scenarios` and `customers`; a bare list is scenarios.

    Raises ValueError for what is no such file.
    """
    try:
        with path.open(encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"this is not YAML: {' '.join(str(error).split())}") from error
    if isinstance(found, list):
        return {"customers" if path.name.endswith(CUSTOMERS_SUFFIX) else "scenarios": found}
    if not isinstance(found, dict) or not set(found) <= set(PARTS):
        raise ValueError("a test file is a list of scenarios, or names scenarios and customers")
    if not all(isinstance(part, list) for part in found.values()):
        raise ValueError("scenarios and customers are lists")
    return found


def load_scenarios(path: Path) -> list[Scenario]:
    """Read a file's scenarios; raises ValueError with the place of a mistake."""
    return [Scenario.model_validate(item) for item in read_document(path).get("scenarios", ())]


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
    principal = await speaker_of(runtime, organization_id, scenario.speaker)
    first = current = new_conversation(principal)
    result = ScenarioResult(scenario.name, file)
    ticket = ""
    for number, turn in enumerate(scenario.turns, 1):
        if turn.speaker is not None:
            current = new_conversation(await speaker_of(runtime, organization_id, turn.speaker))
        text = turn.say.replace(TICKET, ticket) * turn.repeat
        text = await with_addresses(runtime, organization_id, text)
        photos = [await send_photo(runtime, current, one) for one in turn.files]
        reply = await say(runtime, current, text, photos)
        ticket = _ticket_opened(reply) or ticket
        form = (await stored(runtime, current)).state.form
        failures = _compare(turn.expect, reply, form.slots if form else {}, ticket)
        shown = text[:SHOWN_CHARACTERS]
        result.turns.append(played(shown, reply).failing(failures))
        result.failures += [f"turn {number} («{shown}»): {failure}" for failure in failures]
    result.failures += _effects(scenario.effects, await stored(runtime, first))
    return result


def _ticket_opened(reply: Reply) -> str | None:
    for done in reply.tool_results:
        if done["tool"] == "create_ticket":
            return str(done["result"]["ticket_id"])
    return None


def _compare(
    expected: Expectation, reply: Reply, slots: Mapping[str, Any], ticket: str
) -> list[str]:
    wanted = [part.replace(TICKET, ticket) for part in expected.says]
    text = plain(reply.text)
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
        *(_absent("text", part, plain(part) in text, reply.text) for part in wanted),
        *(_absent("source", title, title in titles, titles) for title in expected.sources),
        *(_absent("tool", tool, tool in tools, tools) for tool in expected.tools),
        *(_absent("product", sku, sku in skus, skus) for sku in expected.products),
        *(f"shows {sku}" for sku in expected.not_products if sku in skus),
        *(f"says {part!r}" for part in expected.never if plain(part) in text),
        f"quotes {titles}" if expected.no_sources and titles else None,
        f"ran {tools}" if expected.no_tools and tools else None,
    ]
    return [failure for failure in found if failure is not None]


def plain(text: str) -> str:
    """Without case, and with ordinary blanks where typography puts narrow or fixed ones."""
    return text.casefold().replace("\u202f", " ").replace("\xa0", " ")


def _differs(what: str, expected: Any, found: Any) -> str | None:
    if expected is None or expected == found:
        return None
    return f"{what} is {found!r}, expected {expected!r}"


def _absent(what: str, expected: str, present: bool, found: object) -> str | None:
    return None if present else f"{what} {expected!r} is missing from {found!r}"


def _effects(expected: Effects, left: Stored) -> list[str]:
    """Compare the rows that a conversation has left."""
    failures = [_differs("owner in the database", expected.owner, left.owner)]
    if expected.tickets is not None:
        failures += ticket_failures(expected.tickets, left.tickets)
    return [failure for failure in failures if failure is not None]


def ticket_failures(
    expected: Sequence[Mapping[str, Any]], opened: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Compare tickets one by one, in order, and their number."""
    count = _differs("number of tickets", len(expected), len(opened))
    return ([count] if count else []) + [
        f"ticket {name} is {row.get(name)!r}, expected {value!r}"
        for wanted, row in zip(expected, opened, strict=False)
        for name, value in wanted.items()
        if name not in row or row[name] != value
    ]
