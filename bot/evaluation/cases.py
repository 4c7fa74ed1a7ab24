"""Tests made from real answers: what was said, and what the answer should have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import yaml
from sqlalchemy import Row, delete, func, select

from bot.evaluation.fakes import Fakes
from bot.evaluation.playing import CUSTOMER, VISITOR
from bot.evaluation.scenarios import Expectation, Scenario, TurnScript
from bot.evaluation.tables import evaluation_cases
from bot.evaluation.trials import TestFile
from core.database import Transaction
from core.errors import InvalidRequest, NotFound
from services.accounts.customers import Customer, list_customers
from services.conversations.tables import conversations, messages

MAXIMUM_TURNS = 100
NAME_CHARACTERS = 120
STORED = "stored"

Sort = Literal["created_at", "-created_at", "name", "-name"]


@dataclass(frozen=True)
class Turn:
    """Which turn of which conversation; turns count from 1, one for each customer's message."""

    conversation_id: UUID
    number: int


@dataclass(frozen=True)
class NewCase:
    """A correction: what the answer to a turn must be from now on."""

    turn: Turn
    expect: Expectation
    name: str | None = None


@dataclass(frozen=True)
class Case:
    """A stored test."""

    id: UUID
    name: str
    scenario: Scenario
    conversation_id: UUID | None
    turn: int
    created_by: str
    created_at: datetime


async def turn_of_message(transaction: Transaction, message_id: UUID) -> Turn:
    """The turn of a customer's message or of the answer to it.

    Raises NotFound for an unknown message, InvalidRequest for one that no customer's turn holds.
    """
    row = await transaction.first(select(messages).where(messages.c.id == message_id))
    if row is None:
        raise NotFound("There is no such message.")
    asked = row.id if row.role == "user" else row.reply_to
    said = await _customer_messages(transaction, row.conversation_id)
    for number, message in enumerate(said, 1):
        if message.id == asked:
            return Turn(row.conversation_id, number)
    raise InvalidRequest("This message is neither a customer's nor the answer to one.")


async def create_case(transaction: Transaction, new: NewCase, actor: str, now: datetime) -> Case:
    """Keep a turn, the messages before it and its correction, without personal data.

    Raises NotFound where the conversation has no such turn.
    """
    scenario = await _scenario(transaction, new)
    values: dict[str, Any] = {
        "name": scenario.name,
        "scenario": _as_json(scenario),
        "conversation_id": new.turn.conversation_id,
        "turn": new.turn.number,
        "created_by": actor,
        "created_at": now,
    }
    id = await transaction.insert(evaluation_cases, values)
    return Case(id, scenario.name, scenario, new.turn.conversation_id, new.turn.number, actor, now)


async def list_cases(
    transaction: Transaction,
    limit: int = 1_000,
    offset: int = 0,
    name_part: str | None = None,
    conversation_id: UUID | None = None,
    sort: Sort = "-created_at",
) -> tuple[list[Case], int]:
    """Stored tests and how many there are in all."""
    found = select(evaluation_cases)
    if name_part is not None:
        found = found.where(evaluation_cases.c.name.icontains(name_part, autoescape=True))
    if conversation_id is not None:
        found = found.where(evaluation_cases.c.conversation_id == conversation_id)
    total = await transaction.scalar(
        found.with_only_columns(func.count(), maintain_column_froms=True)
    )
    column = evaluation_cases.c[sort.removeprefix("-")]
    ordered = (column.desc(), evaluation_cases.c.id.desc())
    if not sort.startswith("-"):
        ordered = (column.asc(), evaluation_cases.c.id.asc())
    rows = await transaction.all(found.order_by(*ordered).limit(limit).offset(offset))
    return [_case(row) for row in rows], int(total)


async def read_case(transaction: Transaction, id: UUID) -> Case:
    """A stored test; raises NotFound."""
    row = await transaction.first(select(evaluation_cases).where(evaluation_cases.c.id == id))
    if row is None:
        raise NotFound("There is no such case.")
    return _case(row)


async def delete_case(transaction: Transaction, id: UUID) -> Case:
    """Remove a stored test and return it; raises NotFound."""
    case = await read_case(transaction, id)
    await transaction.execute(delete(evaluation_cases).where(evaluation_cases.c.id == id))
    return case


async def stored_tests(transaction: Transaction) -> TestFile:
    """All stored tests of the organization, oldest first."""
    cases, _ = await list_cases(transaction, limit=10_000, sort="created_at")
    return TestFile(STORED, [case.scenario for case in cases])


def as_yaml(cases: Sequence[Case]) -> str:
    """The tests as a file that `mdf eval` plays."""
    return yaml.safe_dump(
        [_as_json(case.scenario) for case in cases], allow_unicode=True, sort_keys=False, width=100
    )


def _as_json(scenario: Scenario) -> dict[str, Any]:
    return scenario.model_dump(mode="json", exclude_defaults=True)


async def _customer_messages(transaction: Transaction, conversation_id: UUID) -> Sequence[Row[Any]]:
    return await transaction.all(
        select(messages)
        .where(messages.c.conversation_id == conversation_id, messages.c.role == "user")
        .order_by(messages.c.sequence)
    )


async def _scenario(transaction: Transaction, new: NewCase) -> Scenario:
    """What the customer said up to the turn, and what is expected of the answer to the last."""
    conversation = await transaction.first(
        select(conversations).where(conversations.c.id == new.turn.conversation_id)
    )
    said = await _customer_messages(transaction, new.turn.conversation_id)
    number = new.turn.number
    if conversation is None or not 1 <= number <= len(said):
        raise NotFound("There is no such turn.")
    if number > MAXIMUM_TURNS:
        raise InvalidRequest(f"A test has at most {MAXIMUM_TURNS} turns.")
    people = await list_customers(transaction)
    opened = await _tickets_opened(transaction, conversation.id)
    fakes = _fakes(people, conversation.customer_id, [row.content for row in said], opened)
    texts = [fakes.replaced(row.content) for row in said[:number]]
    name = fakes.replaced(new.name) if new.name else " ".join(texts[-1].split())
    return Scenario(
        name=name[:NAME_CHARACTERS] or f"{number}",
        speaker=_speaker(people, conversation.customer_id),
        turns=[
            *(TurnScript.model_validate({"say": text}) for text in texts[:-1]),
            TurnScript.model_validate(
                {"say": texts[-1], "expect": _replaced(new.expect, fakes).model_dump()}
            ),
        ],
    )


def _replaced(expect: Expectation, fakes: Fakes) -> Expectation:
    """The correction without personal data; what must be said is compared with the fakes."""
    return expect.model_copy(
        update={
            "says": [fakes.replaced(text) for text in expect.says],
            "never": [fakes.replaced(text) for text in expect.never],
        }
    )


def _speaker(people: Sequence[Customer], customer_id: UUID | None) -> str:
    """The shop's customer by their reference; anybody else is a visitor."""
    for customer in people:
        if customer.id == customer_id:
            return f"{CUSTOMER}{customer.reference}"
    return VISITOR


def _fakes(
    people: Sequence[Customer],
    customer_id: UUID | None,
    texts: Sequence[str],
    opened: frozenset[str],
) -> Fakes:
    """Fakes that know the customer, and whoever's address is named in the conversation."""
    said = "\n".join(texts).casefold()
    named = [one for one in people if one.id == customer_id or one.email.casefold() in said]
    return Fakes(
        known_emails={one.email.casefold(): f"{{email:{one.reference}}}" for one in named},
        known_names=[(one.first_name, one.last_name) for one in named],
        ticket_numbers=opened,
    )


async def _tickets_opened(transaction: Transaction, conversation_id: UUID) -> frozenset[str]:
    """The numbers of the tickets that the conversation opened: played again, they are others."""
    rows = await transaction.all(
        select(messages.c.attachments).where(messages.c.conversation_id == conversation_id)
    )
    return frozenset(
        str(done["result"]["ticket_id"])
        for row in rows
        for done in row.attachments.get("tool_results", ())
        if done["tool"] == "create_ticket"
    )


def _case(row: Row[Any]) -> Case:
    return Case(
        row.id,
        row.name,
        Scenario.model_validate(row.scenario),
        row.conversation_id,
        row.turn,
        row.created_by,
        row.created_at,
    )
