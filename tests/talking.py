"""Conversations with the product while a language model is set: a scripted one, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import Finished, IncomingMessage, Reply, ReplyEvent
from core.providers.llm import LanguageModel, open_llm
from core.security import Principal, random_token
from services.accounts.sessions import issue_visitor_token
from services.accounts.users import find_account, find_user
from services.billing.tables import llm_usage
from services.conversations.tables import turns
from services.tickets.tables import tickets
from tests.openai_server import OpenAIServer, ToolCall, openai_server
from tests.openai_server import Reply as Answer
from tests.product import OpenProduct

CORSICA = "Combien coûte la livraison en Corse ?"
CORSICA_ANSWER = "La livraison en Corse coûte 149 €, quel que soit le montant de la commande."
OWN_ORDER, OTHER_ORDER = "CMD-2026-000126", "CMD-2026-000101"
CUSTOMER = "customer@example.com"


def calls(tool: str, **arguments: Any) -> Answer:
    """The model asks for a tool."""
    return Answer(tool_calls=(ToolCall(tool, arguments),))


LOOK_UP = calls("knowledge_search", question=CORSICA)


@dataclass(frozen=True)
class Told:
    """One reply as a client receives it, and what was noted of it."""

    events: list[ReplyEvent]
    reply: Reply
    trace: list[Mapping[str, Any]]

    @property
    def text(self) -> str:
        return self.reply.text

    def step(self, name: str) -> Mapping[str, Any]:
        """The facts of a step of the trace, {} where there was no such step."""
        return next((step for step in self.trace if step["step"] == name), {})


@dataclass
class Talk:
    """A product with a language model behind it, and one person's conversations."""

    product: OpenProduct
    server: OpenAIServer
    principal: Principal
    session: str = field(default_factory=lambda: random_token("talk_"))

    @property
    def model(self) -> LanguageModel:
        model = self.product.runtime.llm
        assert model is not None
        return model

    def say(self, text: str) -> Told:
        """Say something and receive the whole reply."""
        return self.product.call(self._say(text))

    async def _say(self, text: str) -> Told:
        runtime = self.product.runtime
        message = IncomingMessage(self.principal, self.session, text)
        events = [event async for event in handle(message, runtime.part(Assistant), runtime)]
        reply = Reply()
        for event in events:
            reply.add(event)
        finished = events[-1]
        assert isinstance(finished, Finished)
        return Told(events, reply, await self._trace(finished.message_id))

    async def _trace(self, message_id: UUID) -> list[Mapping[str, Any]]:
        async with self.product.runtime.database.reading(
            self.product.organization_id
        ) as transaction:
            statement = select(turns.c.trace).where(turns.c.message_id == message_id)
            return list(await transaction.scalar(statement) or ())

    def sign_in(self, email: str) -> None:
        """Speak as the owner of an account from now on, in a new conversation."""

        async def find() -> Principal:
            async with self.product.runtime.database.reading(
                self.product.organization_id
            ) as transaction:
                user = await find_user(transaction, email)
                account = await find_account(transaction, user.id) if user is not None else None
            assert account is not None
            return account.principal()

        self.principal = self.product.call(find())
        self.session = random_token("talk_")

    def usage(self) -> list[Any]:
        """The ledger of this test, oldest first."""

        async def read() -> list[Any]:
            async with self.product.runtime.database.reading(
                self.product.organization_id
            ) as transaction:
                return list(await transaction.all(select(llm_usage).order_by(llm_usage.c.id)))

        return self.product.call(read())[self.billed_before :]

    def tickets(self) -> int:
        async def count() -> int:
            async with self.product.runtime.database.reading(
                self.product.organization_id
            ) as transaction:
                statement = select(func.count()).select_from(tickets)
                return int(await transaction.scalar(statement))

        return self.product.call(count())

    @contextmanager
    def set(self, **settings: Any) -> Iterator[None]:
        """Open the model anew with other settings (`None`: no model) until the block ends."""
        with using_model(self.product, self.server, **settings):
            yield

    billed_before: int = 0


@contextmanager
def using_model(product: OpenProduct, server: OpenAIServer, **settings: Any) -> Iterator[None]:
    """Let the open product use the test server as its language model."""
    runtime = product.runtime
    before = runtime.llm
    chosen = {"llm": f"openai-compatible:{server.base_url}#test-model", **settings}
    model = open_llm(runtime.settings.model_copy(update=chosen))
    object.__setattr__(runtime, "llm", model)
    try:
        yield
    finally:
        object.__setattr__(runtime, "llm", before)
        if model is not None:
            product.call(model.close())


@pytest.fixture(scope="session")
def model_server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def talk(product: OpenProduct, model_server: OpenAIServer) -> Iterator[Talk]:
    """A visitor's new conversation with a model that has not been asked anything yet."""
    model_server.reset()
    # Failed look-ups of an earlier test must not lock the customers of this one out.
    product.call(product.runtime.cache.close())
    visitor = issue_visitor_token(product.runtime, product.organization_id)[1]
    with using_model(product, model_server):
        opened = Talk(product, model_server, visitor)
        opened.billed_before = len(opened.usage())
        yield opened
