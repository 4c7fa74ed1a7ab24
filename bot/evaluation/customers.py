"""Customers who are not there: does somebody with a goal, some facts and a mood reach the goal?

    customers:
      - name: un pied de canapé cassé
        facts: {email: lea@example.org}
        words:
          fr:
            opens: ["le pied de mon canapé Oslo 3 places est cassé"]
            facts: {product: canapé Oslo 3 places, description: "le pied avant est cassé"}
        reached:
          tickets: [{product_sku: CANAPÉ-OSLO-3P}]

A customer answers what the assistant asks from what they know, in the way of their mood, and gives
up after some turns. What counts is what stands in the database and in tool results. The same seed
says the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from bot import forms
from bot.evaluation.playing import (
    VISITOR,
    Stored,
    new_conversation,
    played,
    say,
    speaker_of,
    stored,
)
from bot.evaluation.scenarios import (
    SHOWN_CHARACTERS,
    ScenarioResult,
    Strict,
    plain,
    read_document,
    ticket_failures,
)
from bot.evaluation.wording import LANGUAGES, MOODS, Mood, misspelt, wording
from bot.messages import Reply
from bot.phrasing import phrase
from bot.state import DialogueState, Form
from core.runtime import Runtime

TURNS = 12
# Facts that people look up rather than know.
LOOKED_UP = frozenset({"email", "number"})


class FirstThought(Strict):
    """What a customer who changes their mind says before."""

    opens: str


class Words(Strict):
    """What a customer says in one language; `opens` are ways to say what they want.

    `facts` are answers by slot (`product`, `description`, `email`, `number`); `first` is what
    someone who changes their mind begins with.
    """

    opens: Sequence[str] = Field(min_length=1)
    facts: Mapping[str, str] = Field(default_factory=dict)
    first: FirstThought | None = None


class ProductShown(Strict):
    """A product card that would do: what is left out may be anything."""

    sku: str | None = None
    name: str | None = None
    category: str | None = None
    price_max: float | None = None
    in_stock: bool | None = None

    def fits(self, card: Mapping[str, Any]) -> bool:
        return (
            self.sku in (None, card["sku"])
            and (self.name is None or plain(self.name) in plain(card["name"]))
            and self.category in (None, card["category"])
            and (self.price_max is None or card["price"] <= self.price_max)
            and self.in_stock in (None, card["in_stock"])
        )


class Reached(Strict):
    """What must have happened, all of it; `sources` and `says` in one and the same answer."""

    tickets: Sequence[Mapping[str, Any]] | None = None
    owner: str | None = None
    order: str | None = None
    product: ProductShown | None = None
    sources: Sequence[str] = ()
    says: Sequence[str] = ()

    @model_validator(mode="after")
    def check_something_is_asked(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a goal says what must have happened")
        return self


class Customer(Strict):
    """Somebody with a goal; `words` are by language, the one they begin in first.

    `intent` is what they choose when asked which of two things they mean; `facts` are those that
    are the same in every language.
    """

    name: str
    speaker: str = VISITOR
    moods: Sequence[Mood] = MOODS
    intent: str | None = None
    facts: Mapping[str, str] = Field(default_factory=dict)
    words: Mapping[str, Words] = Field(min_length=1)
    turns: int = Field(TURNS, ge=1, le=50)
    reached: Reached

    @model_validator(mode="after")
    def check_languages(self) -> Self:
        unknown = set(self.words) - set(LANGUAGES)
        if unknown:
            raise ValueError(f"customers speak {', '.join(LANGUAGES)}, not {sorted(unknown)}")
        return self


@dataclass
class Mind:
    """What one customer has said so far and is still to say."""

    customer: Customer
    mood: Mood
    random: Random
    opened: int = 0
    corrections: int = 0
    changed: bool = False
    lost_thread: bool = False
    forgotten: set[str] = field(default_factory=set)
    turn: int = 0

    @property
    def language(self) -> str:
        """The second language, once somebody who switches has opened in the first."""
        languages = list(self.customer.words)
        switched = self.mood == "switches_language" and self.turn > 0 and len(languages) > 1
        return languages[1] if switched else languages[0]

    @property
    def words(self) -> Words:
        return self.customer.words[self.language]

    def fact(self, slot: str) -> str | None:
        return self.words.facts.get(slot) or self.customer.facts.get(slot)

    def manner(self, part: str) -> Any:
        return wording(self.language)["moods"][self.mood][part]

    def common(self, part: str) -> Any:
        return wording(self.language)[part]

    def want(self) -> str:
        """What they want, said in the next of their ways."""
        text = self.words.opens[self.opened % len(self.words.opens)]
        self.opened += 1
        return text


def load_customers(path: Path) -> list[Customer]:
    """Read a file's customers; raises ValueError with the place of a mistake."""
    return [Customer.model_validate(item) for item in read_document(path).get("customers", ())]


def mind_of(customer: Customer, mood: Mood, seed: int = 1) -> Mind:
    """A customer at the beginning; the seed decides every choice that they make."""
    return Mind(customer, mood, Random(f"{seed}/{customer.name}/{mood}"))  # noqa: S311


def next_message(mind: Mind, state: DialogueState | None) -> str:
    """What the customer says next; `state` is None before their first message."""
    text = _open(mind) if state is None else _reply(mind, state)
    mind.turn += 1
    return misspelt(text, mind.random) if mind.mood == "typos" else text


def _open(mind: Mind) -> str:
    if mind.mood == "changes_mind":
        first = mind.words.first
        text = first.opens if first else str(mind.common("detour"))
    else:
        text = mind.want()
    return str(mind.manner("opens")).format(text=_sentence(text))


def _sentence(text: str) -> str:
    """With a sign at its end, so that another sentence may follow."""
    return text if text[-1] in ".?!" else f"{text}."


def _reply(mind: Mind, state: DialogueState) -> str:
    """Correct oneself, answer what was asked, or say again what one wants."""
    if mind.mood == "changes_mind" and not mind.changed:
        mind.changed = True
        return _change(mind, state)
    if state.form is not None:
        if forms.is_under_review(state.form):
            return _at_recapitulation(mind, state.form)
        if state.form.asked is not None:
            return _answer(mind, state.form.asked)
    if state.clarifying:
        return _choose(mind, state.clarifying)
    if state.handoff_offered:
        wants_human = mind.customer.reached.owner in {"waiting", "human"}
        return _agree(mind) if wants_human else str(mind.manner("declines"))
    return _want_again(mind)


def _change(mind: Mind, state: DialogueState) -> str:
    """Another product where a ticket is being written, else another wish altogether."""
    product = mind.fact("product")
    if product and state.form is not None and state.form.name == "ticket":
        return str(mind.common("corrects")).format(value=product)
    return str(mind.common("instead")).format(text=mind.want())


def _answer(mind: Mind, slot: str) -> str:
    value = mind.fact(slot)
    if value is None:
        return str(mind.common("not_mine")).format(text=mind.want())
    if mind.mood == "forgets" and slot in LOOKED_UP and slot not in mind.forgotten:
        mind.forgotten.add(slot)
        return str(mind.random.choice(mind.common("forgotten")))
    if mind.mood == "forgets" and slot not in LOOKED_UP and not mind.lost_thread:
        mind.lost_thread = True
        return str(mind.common("lost_thread"))
    if slot == "description":
        return str(mind.manner("tells")).format(text=_sentence(value))
    return str(mind.random.choice(mind.manner("answers"))).format(value=value)


def _at_recapitulation(mind: Mind, form: Form) -> str:
    """Agree, unless a fact is missing or wrong; a ticket that was not wanted is given up."""
    wanted = mind.customer.reached.tickets
    if not wanted:
        return str(mind.common("gives_up_form"))
    email = mind.fact("email")
    wrong = None
    if wanted[0].get("product_sku") not in (None, form.slots.get("product_sku")):
        wrong = mind.fact("product")
    elif email and form.slots.get("email") != email and wanted[0].get("contact_email"):
        wrong = email
    if wrong is None or mind.corrections >= len(LOOKED_UP):
        return _agree(mind)
    mind.corrections += 1
    return str(mind.common("corrects")).format(value=wrong)


def _choose(mind: Mind, intents: Sequence[str]) -> str:
    """The intent meant, by its name; else what one wants once more."""
    if mind.customer.intent in intents:
        return phrase(mind.language, f"intent_names.{mind.customer.intent}")
    return str(mind.common("not_mine")).format(text=mind.want())


def _agree(mind: Mind) -> str:
    return str(mind.random.choice(mind.manner("agrees")))


def _want_again(mind: Mind) -> str:
    return str(mind.manner("tells")).format(text=_sentence(mind.want()))


async def run_customer(
    runtime: Runtime,
    organization_id: UUID,
    customer: Customer,
    mood: Mood,
    seed: int = 1,
    file: str = "",
) -> ScenarioResult:
    """Let a customer talk until their goal is reached or they give up."""
    conversation = new_conversation(await speaker_of(runtime, organization_id, customer.speaker))
    result = ScenarioResult(f"{customer.name} ({mood})", file)
    mind = mind_of(customer, mood, seed)
    state: DialogueState | None = None
    missing: list[str] = []
    for _ in range(customer.turns):
        text = next_message(mind, state)
        reply = await say(runtime, conversation, text)
        result.turns.append(played(text[:SHOWN_CHARACTERS], reply))
        left = await stored(runtime, conversation)
        missing = _missing(customer.reached, reply, left)
        if not missing:
            return result
        state = left.state
    result.failures = [f"gave up after {customer.turns} turns: {problem}" for problem in missing]
    return result


def _missing(goal: Reached, reply: Reply, left: Stored) -> list[str]:
    """What is still to happen after an answer."""
    missing = ticket_failures(goal.tickets, left.tickets) if goal.tickets is not None else []
    if goal.owner not in (None, left.owner):
        missing.append(f"owner is {left.owner!r}, expected {goal.owner!r}")
    if goal.order is not None and goal.order not in _orders(reply):
        missing.append(f"order {goal.order} was not shown")
    if goal.product is not None and not any(map(goal.product.fits, reply.products)):
        missing.append("no product that fits was shown")
    titles = {source["title"] for source in reply.sources}
    missing += [f"source {title!r} was not cited" for title in goal.sources if title not in titles]
    said = plain(reply.text)
    return missing + [f"{part!r} was not said" for part in goal.says if plain(part) not in said]


def _orders(reply: Reply) -> set[str]:
    """The numbers of the orders that a look-up has found."""
    found: set[str] = set()
    for done in reply.tool_results:
        if done["tool"] == "order_status":
            one = done["result"].get("order")
            found |= {
                order["order_number"]
                for order in [*([one] if one else []), *done["result"]["orders"]]
            }
    return found
