"""A small retail shop of our own, open for the tests of its desk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest

from tests.retail.desk import Desk, changes, copied, new_conversation, open_desk
from tests.retail.expected import State, expect

SMALL_SHOP = Path(__file__).with_name("small_shop.json")

Result = TypeVar("Result")


@dataclass
class Counter:
    """The desk's counter: one customer a time, served through the tools."""

    desk: Desk
    runner: asyncio.Runner
    before: State
    conversation_id: UUID = field(default_factory=new_conversation)

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def act(self, name: str, arguments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Run a tool in the current conversation; returns its answer as plain values."""
        result = self.call(self.desk.act(self.conversation_id, name, arguments, **more))
        return result.model_dump(mode="json", exclude_none=True)

    def serve(self, user_id: str) -> None:
        """Begin a conversation with a customer, found by email address."""
        self.conversation_id = new_conversation()
        self.act("find_user_id_by_email", {"email": self.before["users"][user_id]["email"]})

    def changed(self) -> dict[str, Any]:
        """What is different from the shop as it was, by path."""
        after = self.call(self.desk.state())
        return {path: value for path, _, value in changes(self.before, after)}

    def expected(self, *actions: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
        """What the rules say is different after these actions, by path."""
        after = copied(self.before)
        for name, arguments in actions:
            expect(after, name, arguments)
        return {path: value for path, _, value in changes(self.before, after)}


@pytest.fixture(scope="session")
def small_shop() -> State:
    shop: State = json.loads(SMALL_SHOP.read_text(encoding="utf-8"))
    return shop


@pytest.fixture(scope="session")
def open_counter(
    small_shop: State, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, asyncio.Runner]]:
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        folder = tmp_path_factory.mktemp("retail")
        desk = runner.run(stack.enter_async_context(open_desk(folder)))
        try:
            yield desk, runner
        finally:
            runner.run(stack.aclose())


@pytest.fixture
def counter(small_shop: State, open_counter: tuple[Desk, asyncio.Runner]) -> Counter:
    """The counter in the morning: the shop as it was written, no customer found yet."""
    desk, runner = open_counter
    runner.run(desk.load(small_shop))
    return Counter(desk, runner, small_shop)
