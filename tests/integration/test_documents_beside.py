"""Which documents an answer quotes: others beside a doubtful one, that of a shop, before a task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, Reply
from core.security import random_token
from services.accounts.sessions import issue_visitor_token
from tests.product import OpenProduct

RETURNS = "La lampe que j'ai commandée ne me plaît pas, je peux en prendre une autre à la place ?"


def answer(product: OpenProduct, text: str, channel: str = "web_chat", **settings: float) -> Reply:
    """What a new visitor is told."""
    runtime = product.runtime
    principal = issue_visitor_token(runtime, product.organization_id)[1]
    assistant = replace(runtime.part(Assistant), **settings)

    async def told() -> Reply:
        reply = Reply()
        message = IncomingMessage(principal, random_token("s"), text, channel=channel)
        async for event in handle(message, assistant, runtime):
            reply.add(event)
        return reply

    return product.call(told())


def quoted(reply: Reply) -> list[str]:
    return list(dict.fromkeys(source["title"] for source in reply.sources))


@pytest.mark.parametrize(
    ("certain", "sure", "most"),
    [(0.0, 0.0, 1), (1.01, 0.0, 2), (1.01, 1.01, 3)],
)
def test_that_the_surer_the_fewer_documents_are_quoted(
    product: OpenProduct, certain: float, sure: float, most: int
) -> None:
    reply = answer(product, RETURNS, certain_score=certain, sure_score=sure)
    best, *others = quoted(reply)
    assert len(others) == most - 1
    assert all(f"À voir aussi, « {title} » :" in reply.text for title in others)
    assert best not in reply.text
    assert ("pas certain" in reply.text) is (sure > 1)


def test_that_one_document_is_enough_to_hear(product: OpenProduct) -> None:
    reply = answer(product, RETURNS, "voice", certain_score=1.01, sure_score=1.01)
    assert len(quoted(reply)) == 1


def test_that_the_page_of_the_shop_that_is_named_comes_first(product: OpenProduct) -> None:
    reply = answer(product, "vous avez un magasin à Lille, ouvert le dimanche jusqu'à quelle heure")
    assert quoted(reply)[0] == "Où se trouve le magasin de Lille et quels sont ses horaires ?"


def test_that_advice_comes_before_the_ticket(product: OpenProduct) -> None:
    reply = answer(
        product,
        "La table vient d'être livrée avec un coin abîmé, que faut-il noter avant de signer ?",
    )
    assert quoted(reply)
    assert "e-mail" in reply.text


def test_that_a_way_of_doing_is_told_instead_of_a_list(product: OpenProduct) -> None:
    asked = "Est-il possible de réserver un buffet dans un magasin pour venir le voir ?"
    reply = answer(product, asked)
    assert "Puis-je réserver un article en magasin ?" in quoted(reply), quoted(reply)
    assert not reply.products


def test_that_a_wish_without_a_question_is_no_matter_of_documents(product: OpenProduct) -> None:
    reply = answer(product, "un canapé en cuir à moins de 150 euros")
    assert not reply.sources
