"""Row X10: after-sales rights come from versioned rules; a model computes no right and no date."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest

from services.rights.facts import Purchase
from services.rights.rules import right_of
from tests.openai_server import Reply as Answer
from tests.talking import CUSTOMER, Talk, Told, calls

DELIVERED = "CMD-2026-000123"
QUESTION = f"Puis-je encore renvoyer ma commande {DELIVERED} ?"
LAW = re.compile(r"L\d{3}-\d+")


@pytest.fixture
def customer(talk: Talk) -> Talk:
    talk.sign_in(CUSTOMER)
    return talk


def rights_told(told: Told) -> dict[str, Any]:
    (result,) = (one["result"] for one in told.reply.tool_results if one["tool"] == "order_status")
    return {right["name"]: right for right in result["order"]["rights"]}


def purchase(today: date) -> Purchase:
    """The order of the sample shop: its last parcel came nine days ago."""
    return Purchase(
        ordered_on=today - timedelta(days=26),
        delivered_on=today - timedelta(days=9),
        distance_sale=True,
        delivery_city="Lyon",
    )


def test_x10_the_dates_told_are_those_of_the_rules(customer: Talk) -> None:
    with customer.set(llm="embedded"):
        told = customer.say(QUESTION)
    today = customer.product.runtime.clock().date()
    rights = rights_told(told)
    assert set(rights) == {"withdrawal", "legal_conformity"}
    for name, right in rights.items():
        rule = right_of(name, purchase(today), today)  # type: ignore[arg-type]
        assert rule.rule_version is not None
        assert rule.until is not None
        assert right["until"] == rule.until.isoformat()
        assert right["reference"] == rule.reference
        assert LAW.search(rule.reference)
        assert rule.reference in told.text


def test_x10_a_date_that_the_model_computed_is_never_sent(customer: Talk) -> None:
    customer.server.script(
        calls("order_status", order_number=DELIVERED),
        Answer(
            f"Votre commande {DELIVERED} est livrée. "
            "Vous pouvez vous rétracter jusqu'au 31 décembre 2031. "
            "Vous avez 200 jours pour la renvoyer."
        ),
    )
    told = customer.say(QUESTION)
    assert f"{DELIVERED} est livrée" in told.text
    for one in ("2031", "200 jours"):
        assert one not in told.text


def test_x10_the_model_is_given_the_rules_result(customer: Talk) -> None:
    customer.server.script(calls("order_status", order_number=DELIVERED), Answer("D'accord."))
    customer.say(QUESTION)
    today = customer.product.runtime.clock().date()
    until = right_of("withdrawal", purchase(today), today).until
    assert until is not None
    sent = str(customer.server.chat_requests()[1]["messages"][-1]["content"])
    assert until.isoformat() in sent
    assert "L221-18" in sent


def test_x10_a_rule_is_that_of_the_day_of_the_contract() -> None:
    """The conformity rule of 2022 does not reach back to a sale of 2021."""
    versions = set()
    for ordered_on in (date(2021, 6, 1), date(2024, 6, 3)):
        delivered_on = ordered_on + timedelta(days=7)
        bought = Purchase(ordered_on=ordered_on, delivered_on=delivered_on, distance_sale=True)
        right = right_of("legal_conformity", bought, ordered_on + timedelta(days=30))
        versions.add(right.rule_version)
    assert len(versions) == 2
