"""Forms: what they take from a message, what they still need, and when they are given up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bot import forms
from bot.forms import Caller
from bot.state import DialogueState, Form
from bot.understanding.entities import Entities, ProductMention
from bot.understanding.understand import Understanding

VISITOR = Caller(signed_in=False)
CUSTOMER = Caller(signed_in=True, email="customer@example.com")
TICKET = Form("ticket", key="k")


def message(
    text: str, intent: str = "out_of_scope", confidence: float = 0.9, **entities: Any
) -> Understanding:
    """A message that has been read as said."""
    return Understanding(
        text=text,
        corrected=text,
        language="fr",
        intent=intent,
        confidence=confidence,
        ranking=((intent, confidence),),
        entities=Entities(**entities),
        vector=np.zeros(4, dtype=np.float32),
    )


def named(*products: tuple[str, str]) -> tuple[ProductMention, ...]:
    return tuple(ProductMention(sku=sku, name=name, score=0.9) for sku, name in products)


def test_that_one_message_can_fill_the_whole_ticket() -> None:
    read = message(
        "Le pied de mon canapé Oslo 3 places est cassé, lea@example.org",
        "support_request",
        products=named(("CANAPÉ-OSLO-3P", "Canapé Oslo 3 places")),
        emails=("lea@example.org",),
    )
    form = forms.start("ticket", DialogueState(), read, VISITOR)
    assert forms.missing(form, VISITOR) is None
    assert form.slots["product_sku"] == "CANAPÉ-OSLO-3P"
    assert form.slots["category"] == "défaut_fabrication"
    assert form.slots["email"] == "lea@example.org"


def test_that_a_ticket_is_asked_for_slot_by_slot() -> None:
    form = forms.start("ticket", DialogueState(), message("un souci", "support_request"), VISITOR)
    assert forms.missing(form, VISITOR) == "product"
    form = forms.fill(replace(form, asked="product"), message("mon vieux secrétaire"), VISITOR)
    assert form.slots["product"] == "mon vieux secrétaire"
    assert forms.missing(form, VISITOR) == "description"
    form = forms.fill(replace(form, asked="description"), message("il sent le renfermé"), VISITOR)
    assert form.slots["description"] == "il sent le renfermé"
    assert forms.missing(form, VISITOR) == "email"
    assert forms.missing(form, CUSTOMER) is None


def test_that_products_alike_are_called_by_what_their_names_share() -> None:
    read = message(
        "une chaise Fjord",
        products=named(
            ("CHAISE-FJORD-BOIS", "Chaise Fjord en chêne"),
            ("CHAISE-FJORD-TISSU", "Chaise Fjord assise tissu"),
        ),
        types=("chaise",),
    )
    form = forms.start("ticket", DialogueState(), read, VISITOR)
    assert form.slots == {"product": "Chaise Fjord", "product_sku": ""}


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("c'est pas urgent", "faible"),
        ("c'est urgent", "urgent"),
        ("mon fils s'est blessé", "urgent"),
        ("il est inutilisable", "élevé"),
        ("Die Lampe gibt kein Licht", None),
        ("we hebben liever snel een levering", None),
    ],
)
def test_that_severity_is_read_at_any_step(text: str, severity: str | None) -> None:
    form = forms.fill(replace(TICKET, asked="email"), message(text), VISITOR)
    assert form.slots.get("severity") == severity


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("il manque deux vis", "pièce_manquante"),
        ("vous m'avez envoyé le mauvais coloris", "produit_incorrect"),
        ("il est arrivé cassé", "casse_transport"),
        ("le lit s'est effondré", "défaut_fabrication"),
        ("il y a un trou dans le tissu", "défaut_fabrication"),
        ("je ne trouve plus la couleur", None),
    ],
)
def test_that_the_problem_names_its_category(text: str, category: str | None) -> None:
    form = forms.fill(replace(TICKET, asked="description"), message(text), VISITOR)
    assert form.slots.get("category") == category


def test_that_signs_alone_fill_nothing() -> None:
    form = forms.fill(replace(TICKET, asked="description"), message("!!! 😡"), VISITOR)
    assert form.slots == {}
    assert form.attempts == 1


def test_that_a_message_without_use_counts_as_an_attempt_and_a_useful_one_starts_anew() -> None:
    form = Form("order", asked="number")
    for attempts in (1, 2):
        form = forms.fill(form, message("aucune idée"), VISITOR)
        assert form.attempts == attempts
    assert forms.given_up(form, "number")
    form = forms.fill(form, message("CMD", order_numbers=("CMD-2026-000123",)), VISITOR)
    assert form.attempts == 0


def test_that_an_order_found_before_is_not_asked_for_again() -> None:
    state = DialogueState(order_number="CMD-2026-000123", email="a@example.org")
    form = forms.start("order", state, message("et ma commande ?", "order_status"), VISITOR)
    assert forms.missing(form, VISITOR) is None


def test_that_a_failed_look_up_can_be_tried_again_with_one_value_changed() -> None:
    failed = Form("order", {"number": "CMD-2026-000123", "email": "wrong@example.org"}, key="k")
    form = forms.another_try(failed)
    assert forms.missing(form, VISITOR) == "number"
    other_email = forms.fill(form, message("pardon", emails=("right@example.org",)), VISITOR)
    assert other_email.slots["number"] == "CMD-2026-000123"
    assert other_email.slots["email"] == "right@example.org"
    other_number = forms.fill(form, message("non", order_numbers=("CMD-2026-000132",)), VISITOR)
    assert other_number.slots["number"] == "CMD-2026-000132"
    assert other_number.slots["email"] == "wrong@example.org"
    unchanged = forms.fill(form, message("je ne sais pas"), VISITOR)
    assert forms.missing(unchanged, VISITOR) == "number"


def test_that_a_ticket_of_this_conversation_needs_no_proof() -> None:
    read = message("et mon ticket ?", "ticket_status")
    own = forms.start(
        "ticket_status", DialogueState(ticket_ids=("TKT-2026-000001",)), read, VISITOR
    )
    foreign = forms.start("ticket_status", DialogueState(), read, VISITOR)
    assert forms.missing(own, VISITOR) is None
    assert forms.missing(foreign, VISITOR) == "number"
    assert forms.missing(foreign, CUSTOMER) is None


@pytest.mark.parametrize(
    ("text", "intent", "cancels"),
    [
        ("annuler", "order_change", True),
        ("laissez tomber", "deny", True),
        ("finalement j'ai trouvé, annulez", "order_change", True),
        ("je veux annuler ma commande", "order_change", False),
        ("vous avez annulé sans me prévenir", "support_request", False),
        ("le tiroir coince", "support_request", False),
    ],
)
def test_that_a_form_is_given_up_when_asked_and_not_for_an_order(
    text: str, intent: str, cancels: bool
) -> None:
    assert forms.cancels(replace(TICKET, asked="description"), message(text, intent)) is cancels


def test_that_a_no_to_the_address_goes_on_and_a_no_to_the_product_stops() -> None:
    no = message("non", "deny")
    assert not forms.cancels(replace(TICKET, asked="email"), no)
    assert forms.fill(replace(TICKET, asked="email"), no, VISITOR).slots == {"email": ""}
    assert forms.cancels(replace(TICKET, asked="product"), no)


def test_that_a_recapitulation_is_corrected_where_the_message_says() -> None:
    form = Form("ticket", {"product": "lit", "description": "il grince", "email": "a@example.org"})
    assert forms.correct(form, message("oui", "affirm")) == form
    corrected = forms.correct(form, message("plutôt", emails=("b@example.org",)))
    assert corrected.slots == {**form.slots, "email": "b@example.org"}
    corrected = forms.correct(form, message("en fait un pied est cassé"))
    assert corrected.slots["description"] == "il grince. en fait un pied est cassé"
    assert corrected.slots["category"] == "défaut_fabrication"


def test_that_a_product_named_while_another_slot_is_asked_corrects_it() -> None:
    form = Form("ticket", {"product": "lit", "product_sku": ""}, asked="email")
    read = message("non, le Vercors", products=named(("LIT-VERCORS-140", "Lit Vercors")))
    assert forms.fill(form, read, VISITOR).slots["product_sku"] == "LIT-VERCORS-140"
    kind_only = forms.fill(form, message("il est contre une armoire", types=("armoire",)), VISITOR)
    assert kind_only.slots["product"] == "lit"
