"""Do the tools do what a task's reference actions say, and nothing else?

A task is a list of actions by one customer. Each is run through `run_tool`; its answer and, in
the end, the whole database are compared with what `expected` says.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.errors import SupportError
from tests.retail.desk import Desk, copied, differences, new_conversation, state_hash
from tests.retail.expected import Expectation, expect
from tests.retail.store import State

WITHOUT_CUSTOMER = {
    "find_user_id_by_email",
    "find_user_id_by_name_zip",
    "calculate",
    "transfer_to_human_agents",
}
CHANGING = {
    "cancel_pending_order": "cancel",
    "modify_pending_order_address": "change address",
    "modify_pending_order_payment": "change payment",
    "modify_pending_order_items": "change items",
    "return_delivered_order_items": "return",
    "exchange_delivered_order_items": "exchange",
    "modify_user_address": "change address",
}


@dataclass(frozen=True)
class Action:
    """One call of a tool, by name."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """What one customer had done; `sign_in` comes first where the actions do not say who."""

    id: str
    actions: tuple[Action, ...]
    sign_in: tuple[Action, ...] = ()

    @property
    def kind(self) -> str:
        """What the task changes, in a word or two."""
        kinds = {CHANGING[action.name] for action in self.actions if action.name in CHANGING}
        return "nothing to change" if not kinds else kinds.pop() if len(kinds) == 1 else "several"


@dataclass
class Outcome:
    """How a task went: no problem means that it went as expected."""

    problems: list[str] = field(default_factory=list)
    done: int = 0
    refused: list[str] = field(default_factory=list)
    state_hash: str = ""
    cpu_seconds: float = 0.0


def read_task(raw: Mapping[str, Any]) -> Task:
    """Read a task as the data set writes it."""
    actions = tuple(
        Action(action["name"], action["arguments"])
        for action in raw["evaluation_criteria"]["actions"]
    )
    known = raw["user_scenario"]["instructions"].get("known_info") or ""
    names = {action.name for action in actions}
    finds = any(name.startswith("find_user_id_by_") for name in names)
    sign_in = () if finds or names <= WITHOUT_CUSTOMER else _sign_in(known)
    return Task(raw["id"], actions, sign_in)


def _sign_in(known: str) -> tuple[Action, ...]:
    """What a customer would say to be found: every email address, or name and zip code."""
    emails = re.findall(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", known)
    if emails:
        return tuple(Action("find_user_id_by_email", {"email": email}) for email in emails)
    name = re.search(r"\b(?:name is|You are|You're) ([A-Z]\w+) ([A-Z]\w+)", known)
    zip_code = re.search(r"\b\d{5}\b", known)
    if name is None or zip_code is None:
        raise ValueError(f"nobody can be found by {known!r}")
    return (
        Action(
            "find_user_id_by_name_zip",
            {"first_name": name[1], "last_name": name[2], "zip": zip_code[0]},
        ),
    )


def expected_state(state: State, actions: Sequence[Action]) -> State:
    """The database after the actions, by the rules alone."""
    after = copied(state)
    for action in actions:
        expect(after, action.name, action.arguments)
    return after


async def replay(desk: Desk, state: State, task: Task) -> Outcome:
    """Run a task on a freshly loaded database; the database must be as expected afterwards."""
    after, outcome = copied(state), Outcome()
    conversation_id = new_conversation()
    for action in (*task.sign_in, *task.actions):
        wanted = expect(after, action.name, action.arguments)
        await _take(desk, conversation_id, action, wanted, outcome)
    await compare(desk, after, outcome)
    return outcome


async def _take(
    desk: Desk, conversation_id: UUID, action: Action, wanted: Expectation, outcome: Outcome
) -> None:
    started = time.process_time()
    try:
        result = await desk.act(conversation_id, action.name, action.arguments)
        outcome.cpu_seconds += time.process_time() - started
    except SupportError as error:
        outcome.cpu_seconds += time.process_time() - started
        outcome.refused.append(f"{action.name}: {error.message}")
        if error.code != wanted.refused:
            outcome.problems.append(f"{action.name} was refused: {error.message}")
        return
    outcome.done += 1
    if wanted.refused:
        outcome.problems.append(f"{action.name} was not refused")
        return
    answer = result.model_dump(mode="json", exclude_none=True)
    outcome.problems += differences(wanted.answer, answer, action.name)


async def compare(desk: Desk, after: State, outcome: Outcome) -> None:
    """Add a problem for each difference between the whole database and the expected one."""
    found = await desk.state()
    outcome.state_hash = state_hash(found)
    if outcome.state_hash != state_hash(after):
        # Two digests may differ where the values do not: 17 and 17.0 are one amount.
        outcome.problems += differences(after, found)
