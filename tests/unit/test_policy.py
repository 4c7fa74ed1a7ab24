"""The policy: for what is remembered and what was read, the next step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bot import decisions, policy
from bot.forms import Caller
from bot.state import DialogueState, Form
from bot.understanding.entities import Entities, ProductMention
from bot.understanding.understand import Understanding

VISITOR = Caller(signed_in=False)
OSLO = ProductMention(sku="CANAPÉ-OSLO-3P", name="Canapé Oslo 3 places", score=0.9)


def message(
    text: str,
    intent: str = "out_of_scope",
    confidence: float = 0.9,
    ranking: tuple[tuple[str, float], ...] = (),
    language: str = "fr",
    **entities: Any,
) -> Understanding:
    """A message that has been read as said."""
    return Understanding(
        text=text,
        corrected=text,
        language=language,
        intent=intent,
        confidence=confidence,
        ranking=ranking or ((intent, confidence),),
        entities=Entities(**entities),
        vector=np.zeros(4, dtype=np.float32),
    )


def decide(read: Understanding, **remembered: Any) -> policy.Plan:
    return policy.decide(DialogueState(turn=1, **remembered), read, VISITOR)


def test_that_a_person_is_given_when_asked_for_and_offered_when_in_doubt() -> None:
    sure = decide(message("un conseiller", "human_agent", 0.95))
    assert sure.decision == decisions.HandOver("requested")
    doubtful = decide(message("l'adresse de M. Moreau", "human_agent", 0.54))
    assert doubtful.decision == policy.SmallTalk("offer_human", "yes_no")
    assert doubtful.state.handoff_offered


def test_that_an_offer_is_taken_or_declined() -> None:
    taken = decide(message("oui", "affirm"), handoff_offered=True)
    assert taken.decision == decisions.HandOver("accepted")
    declined = decide(message("non", "deny"), handoff_offered=True, failures=1)
    assert declined.decision == policy.SmallTalk("human_not_wanted")
    assert declined.state.failures == 0
    ignored = decide(message("vos délais ?", "delivery_question"), handoff_offered=True)
    assert isinstance(ignored.decision, policy.AnswerFromKnowledge)
    assert not ignored.state.handoff_offered


@pytest.mark.parametrize(("text", "confidence"), [("😡😡", 0.34), ("bof", 0.4)])
def test_that_a_faint_yes_opens_no_ticket(text: str, confidence: float) -> None:
    form = Form("ticket", {"product": "lit", "description": "cassé", "email": ""}, confirming=True)
    plan = decide(message(text, "affirm", confidence), form=form)
    assert plan.decision == policy.AskWhatToChange(form)


def test_that_a_plain_yes_confirms_the_ticket() -> None:
    form = Form("ticket", {"product": "lit", "description": "cassé", "email": ""}, confirming=True)
    plan = decide(message("👍", "affirm", 1.0), form=form)
    assert isinstance(plan.decision, policy.FollowForm)
    assert plan.decision.form.slots["confirmed"] is True


def test_that_a_question_is_answered_and_the_form_resumed() -> None:
    form = Form("ticket", {"product": "lit"}, asked="email")
    plan = decide(message("vous livrez en Corse ?", "delivery_question"), form=form)
    assert isinstance(plan.decision, policy.AnswerFromKnowledge)
    assert plan.resume
    assert plan.state.form == form


def test_that_an_order_asked_for_pauses_a_half_written_ticket() -> None:
    form = Form("ticket", {"product": "lit"}, asked="email")
    read = message("où est CMD-2026-000123 ?", "order_status", order_numbers=("CMD-2026-000123",))
    plan = decide(read, form=form)
    assert isinstance(plan.decision, policy.FollowForm)
    assert plan.decision.form.name == "order"
    assert plan.state.paused_form == form


def test_that_an_address_that_a_form_waits_for_is_no_call_for_a_person() -> None:
    form = Form("order", {"number": "CMD-2026-000123"}, asked="email")
    read = message("customer@example.com", "human_agent", 0.7, emails=("customer@example.com",))
    plan = decide(read, form=form)
    assert isinstance(plan.decision, policy.FollowForm)
    assert plan.decision.form.slots["email"] == "customer@example.com"


def test_that_two_close_tasks_are_asked_about() -> None:
    ranking = (("order_status", 0.42), ("complaint", 0.35))
    plan = decide(message("trois semaines !", "order_status", 0.42, ranking))
    assert plan.decision == policy.Clarify(("order_status", "complaint"))
    assert plan.state.clarified_text == "trois semaines !"


def test_that_close_intents_that_the_catalogue_answers_are_not_asked_about() -> None:
    ranking = (("stock_question", 0.42), ("product_search", 0.35))
    read = message("un canapé gris, ça existe", "stock_question", 0.42, ranking, types=("canapé",))
    assert decide(read).decision == policy.SearchProducts()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (message("oui", "affirm"), "ticket"),
        (message("la première", ordinals=(1,)), "ticket"),
        (message("la deuxième", ordinals=(2,)), None),
        (message("faire une réclamation", "complaint"), None),
    ],
)
def test_that_a_clarification_is_followed(answer: Understanding, expected: str | None) -> None:
    plan = decide(answer, clarifying=("support_request", "complaint"), clarified_text="ça va pas")
    if expected is None:
        assert plan.decision == decisions.Complain()
    else:
        assert isinstance(plan.decision, policy.FollowForm)
        assert plan.decision.form.name == expected
    assert plan.state.clarifying == ()


def test_that_an_ordinal_picks_from_the_list_and_asks_where_there_is_none() -> None:
    shown = ("A", "B", "C")
    second = decide(message("le deuxième", ordinals=(2,)), shown_skus=shown)
    assert second.decision == policy.DescribeProduct("B", "product_question")
    last = decide(message("prix du dernier", "price_question", ordinals=(-1,)), shown_skus=shown)
    assert last.decision == policy.DescribeProduct("C", "price_question")
    beyond = decide(message("le quatrième", ordinals=(4,)), shown_skus=shown)
    assert beyond.decision == policy.SmallTalk("product.which")


@pytest.mark.parametrize(
    ("read", "cheaper"),
    [
        (message("et en bleu ?", colours=("bleu",)), False),
        (message("¿y en gris?", "stock_question", language="es", colours=("gris",)), False),
        (message("do you have it in blue", "stock_question", colours=("bleu",)), False),
        (message("et moins cher ?", "price_question"), True),
    ],
)
def test_that_a_search_is_refined(read: Understanding, cheaper: bool) -> None:
    plan = decide(read, last_intent="product_search", shown_skus=("A", "B"))
    assert plan.decision == policy.SearchProducts(refine=True, cheaper=cheaper)


def test_that_another_kind_of_thing_is_a_new_search() -> None:
    read = message("un tapis rouge", "product_search", types=("tapis",), colours=("rouge",))
    plan = decide(read, last_intent="product_search", shown_skus=("A",))
    assert plan.decision == policy.SearchProducts()


def test_that_a_colour_after_a_product_is_about_that_product() -> None:
    read = message("et en bordeaux ?", colours=("bordeaux",))
    plan = decide(read, last_intent="price_question", focus_sku="A")
    assert plan.decision == policy.DescribeProduct("A", "stock_question")


def test_that_a_price_without_a_product_asks_which_one_was_meant() -> None:
    read = message("combien coûte-t-il ?", "price_question")
    plan = decide(read, last_intent="product_search", shown_skus=("A", "B"))
    assert plan.decision == policy.SmallTalk("product.which")


def test_that_a_few_words_go_on_with_the_topic_and_fall_back_on_the_last_question() -> None:
    read = message("et à Lyon ?", "out_of_scope", 0.3)
    plan = decide(read, last_intent="store_hours", last_question="horaires à Bordeaux ?")
    assert plan.decision == policy.AnswerFromKnowledge(
        "les horaires et adresses des magasins et à Lyon ?",
        "store_hours",
        otherwise="horaires à Bordeaux ? et à Lyon ?",
    )


def test_that_what_is_broken_is_a_problem_even_when_the_intent_is_unsure() -> None:
    ranking = (("stock_question", 0.44), ("product_search", 0.2), ("support_request", 0.15))
    read = message("La sedia è rotta", "stock_question", 0.44, ranking, "it", types=("chaise",))
    plan = decide(read)
    assert isinstance(plan.decision, policy.FollowForm)
    assert plan.decision.form.name == "ticket"


def test_that_a_question_about_something_broken_is_no_ticket() -> None:
    read = message("un canapé décousu, ça se répare ?", "care_question", 0.9, types=("canapé",))
    assert isinstance(decide(read).decision, policy.AnswerFromKnowledge)


def test_that_a_product_named_alone_is_described() -> None:
    plan = decide(message("CANAPÉ-OSLO-3P", products=(OSLO,)))
    assert plan.decision == policy.DescribeProduct("CANAPÉ-OSLO-3P", "product_question")


def test_that_what_is_out_of_scope_is_searched_strictly() -> None:
    plan = decide(message("qui a gagné le match ?"))
    assert plan.decision == policy.AnswerFromKnowledge(
        "qui a gagné le match ?", "out_of_scope", strict=True
    )


@pytest.mark.parametrize("text", ["?", "...", "😡😡😡", "🛋️ ?"])
def test_that_signs_alone_are_met_with_a_question(text: str) -> None:
    plan = decide(message(text, "complaint", 0.5))
    assert plan.decision == policy.SmallTalk("greeting_again", "greeting")


def test_that_a_non_changes_the_kind_of_thing_searched() -> None:
    read = message("non, le fauteuil", "deny", 0.6, types=("fauteuil",))
    plan = decide(read, last_intent="product_search", shown_skus=("A",))
    assert plan.decision == policy.SearchProducts(refine=True)


def test_that_a_number_alone_is_the_order_that_is_meant() -> None:
    read = message("le détail de CMD-2026-000128", order_numbers=("CMD-2026-000128",))
    plan = decide(read)
    assert isinstance(plan.decision, policy.FollowForm)
    assert plan.decision.form.name == "order"
    assert plan.decision.form.slots["number"] == "CMD-2026-000128"
