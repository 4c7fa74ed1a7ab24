"""Simulated customers: what do they say, given what they want, know and are asked?"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.evaluation.customers import Customer, load_customers, mind_of, next_message
from bot.evaluation.wording import LANGUAGES, MOODS, Mood, misspelt, wording
from bot.state import DialogueState, Form

EMAIL = "lea@example.org"
TICKET = Customer.model_validate(
    {
        "name": "un pied cassé",
        "intent": "support_request",
        "facts": {"email": EMAIL},
        "words": {
            "fr": {
                "opens": ["mon canapé est cassé", "un pied a cassé"],
                "facts": {"product": "canapé Oslo", "description": "le pied a cassé"},
                "first": {"opens": "mon fauteuil est cassé"},
            },
            "en": {
                "opens": ["my sofa is broken"],
                "facts": {"product": "Oslo sofa", "description": "the leg broke"},
            },
        },
        "reached": {"tickets": [{"product_sku": "OSLO", "contact_email": EMAIL}]},
    }
)


def asking(slot: str) -> DialogueState:
    return DialogueState(turn=1, form=Form("ticket", asked=slot))


def recapitulating(**slots: str) -> DialogueState:
    return DialogueState(turn=3, form=Form("ticket", slots, confirming=True))


def test_the_same_seed_says_the_same() -> None:
    def said(seed: int) -> list[str]:
        mind = mind_of(TICKET, "typos", seed)
        states = [
            None,
            asking("product"),
            asking("description"),
            recapitulating(product_sku="OSLO"),
        ]
        return [next_message(mind, state) for state in states]

    assert said(1) == said(1)
    assert len({tuple(said(seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize("mood", [mood for mood in MOODS if mood != "forgets"])
def test_what_is_asked_is_answered_from_the_facts(mood: Mood) -> None:
    mind = mind_of(TICKET, mood)
    mind.changed = True
    next_message(mind, None)
    assert EMAIL in next_message(mind, asking("email"))


def test_who_forgets_finds_it_when_asked_again() -> None:
    mind = mind_of(TICKET, "forgets")
    next_message(mind, None)
    assert EMAIL not in next_message(mind, asking("email"))
    assert EMAIL in next_message(mind, asking("email"))


def test_who_changes_their_mind_begins_with_something_else() -> None:
    mind = mind_of(TICKET, "changes_mind")
    assert "fauteuil" in next_message(mind, None)
    assert "canapé Oslo" in next_message(mind, asking("email"))
    assert EMAIL in next_message(mind, asking("email"))


def test_who_switches_goes_on_in_the_second_language() -> None:
    mind = mind_of(TICKET, "switches_language")
    assert "canapé" in next_message(mind, None)
    assert next_message(mind, asking("product")) == "Oslo sofa"


def test_a_recapitulation_is_agreed_to_only_when_it_is_right() -> None:
    mind = mind_of(TICKET, "terse")
    next_message(mind, None)
    assert "canapé Oslo" in next_message(mind, recapitulating(product_sku="OTHER", email=EMAIL))
    assert EMAIL in next_message(mind, recapitulating(product_sku="OSLO", email=""))
    agreed = next_message(mind, recapitulating(product_sku="OSLO", email=EMAIL))
    assert agreed in wording("fr")["moods"]["terse"]["agrees"]


def test_an_unwanted_human_is_declined_and_the_wish_said_again() -> None:
    mind = mind_of(TICKET, "terse")
    first = next_message(mind, None)
    assert next_message(mind, DialogueState(turn=1, handoff_offered=True)) == "non"
    again = next_message(mind, DialogueState(turn=2))
    assert again == "un pied a cassé."
    assert again != first


def test_of_two_intents_the_own_one_is_chosen() -> None:
    mind = mind_of(TICKET, "polite")
    next_message(mind, None)
    state = DialogueState(turn=1, clarifying=("order_status", "support_request"))
    assert next_message(mind, state) == "signaler un problème sur un produit reçu"


def test_typos_leave_addresses_and_numbers_alone() -> None:
    mind = mind_of(TICKET, "typos")
    text = "Mon canapé Bergen convertible commande CMD-2026-000128 julien.moreau@example.com"
    written = {misspelt(text, mind.random) for _ in range(30)}
    assert len(written) > 5
    assert all("CMD-2026-000128 julien.moreau@example.com" in one for one in written)


def test_every_language_has_every_part_of_every_mood() -> None:
    parts = {"opens", "answers", "tells", "agrees", "declines"}
    common = set(wording("fr"))
    assert {"fr", "en"} <= set(LANGUAGES)
    for language in LANGUAGES:
        words = wording(language)
        assert set(words) == common, language
        assert set(words["moods"]) == set(MOODS), language
        assert all(set(mood) == parts for mood in words["moods"].values()), language


@pytest.mark.parametrize(
    "changes",
    [
        {"words": {}},
        {"words": {"xx": {"opens": ["a"]}}},
        {"words": {"fr": {"opens": []}}},
        {"reached": {}},
        {"moods": ["furious"]},
        {"turns": 0},
        {"budget": 5},
    ],
)
def test_a_mistake_in_a_customer_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Customer.model_validate({**TICKET.model_dump(), **changes})


def test_a_file_named_so_is_a_list_of_customers(tmp_path: Path) -> None:
    path = tmp_path / "salon.customers.yaml"
    path.write_text(
        "- {name: a, words: {fr: {opens: [bonjour]}}, reached: {owner: waiting}}\n", "utf-8"
    )
    assert [one.name for one in load_customers(path)] == ["a"]
