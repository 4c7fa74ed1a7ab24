"""The language model beside the embedded engine: who answers, with what proof, at what cost."""

from __future__ import annotations

import json
import re

import pytest

from bot.messages import ReplyEvent, Sentence, Source
from knowledge.index import Knowledge
from tests.openai_server import HttpFault, Usage
from tests.openai_server import Reply as Answer
from tests.talking import (
    CORSICA,
    CORSICA_ANSWER,
    CUSTOMER,
    LOOK_UP,
    OWN_ORDER,
    Talk,
    Told,
    calls,
)


def kinds(events: list[ReplyEvent]) -> set[str]:
    return {type(event).__name__ for event in events}


def documents(talk: Talk) -> dict[str, str]:
    """Every known passage's text, joined by document."""
    corpus = talk.product.runtime.part(Knowledge).corpus(talk.product.organization_id)
    return {
        str(document.id): "\n\n".join(passage.text for passage in document.passages)
        for document in corpus.documents.values()
    }


def assert_quotes_are_literal(talk: Talk, told: Told) -> None:
    texts = documents(talk)
    for source in told.reply.sources:
        quote = re.sub(r"\s+", " ", source["quote"])
        assert quote in re.sub(r"\s+", " ", texts[source["id"]])


def test_a_proven_sentence_is_sent_with_its_source(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(f"Voici notre tarif :\n{CORSICA_ANSWER}"))
    told = talk.say(CORSICA)
    assert CORSICA_ANSWER in told.text
    assert told.reply.sources
    assert_quotes_are_literal(talk, told)
    assert told.step("model_answered")["outcome"] == "answered"
    assert told.step("decided") == {}


def test_the_embedded_engine_quotes_literally_too(talk: Talk) -> None:
    with talk.set(llm="embedded"):
        told = talk.say(CORSICA)
    assert told.reply.sources
    assert_quotes_are_literal(talk, told)
    assert told.step("decided")


def test_an_invented_price_is_never_sent(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer("La livraison en Corse coûte 79 €. Elle est rapide."))
    told = talk.say(CORSICA)
    assert "79" not in told.text
    assert "149" in told.text
    assert told.step("model_failed")["outcome"] == "unsupported"
    assert told.step("decided")["decision"] == "AnswerFromKnowledge"


def test_only_the_unproven_sentence_is_dropped(talk: Talk) -> None:
    text = f"{CORSICA_ANSWER} Vous serez remboursé sous 3 jours. Souhaitez-vous autre chose ?"
    talk.server.script(LOOK_UP, Answer(text))
    told = talk.say(CORSICA)
    assert CORSICA_ANSWER in told.text
    assert "rembours" not in told.text
    assert told.text.endswith("Souhaitez-vous autre chose ?")


def test_an_announcement_goes_with_the_claim_that_it_announces(talk: Talk) -> None:
    text = f"{CORSICA_ANSWER}\nVoici aussi notre promotion :\nVous avez 30 % de remise."
    talk.server.script(LOOK_UP, Answer(text))
    assert "promotion" not in talk.say(CORSICA).text


def test_a_courtesy_needs_no_source_and_no_second_greeting(talk: Talk) -> None:
    talk.server.script(Answer("Bonjour ! Comment puis-je vous aider aujourd'hui ?"))
    told = talk.say("Bonjour")
    assert told.text.count("Bonjour") == 1
    assert told.text.endswith("Comment puis-je vous aider aujourd'hui ?")


def test_the_events_are_those_of_the_embedded_engine(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(CORSICA_ANSWER))
    with_model = talk.say(CORSICA)
    with talk.set(llm="embedded"):
        talk.session += "x"
        without = talk.say(CORSICA)
    assert kinds(with_model.events) == kinds(without.events)
    assert [type(event) for event in with_model.events[-1:]] == [type(without.events[-1])]


def test_an_order_is_told_from_the_tool(talk: Talk) -> None:
    talk.sign_in(CUSTOMER)
    talk.server.script(
        calls("order_status", order_number=OWN_ORDER),
        Answer(f"Votre commande {OWN_ORDER} est retardée. Votre commande {OWN_ORDER} est livrée."),
    )
    told = talk.say(f"Où en est {OWN_ORDER} ?")
    assert f"Votre commande {OWN_ORDER} est retardée." in told.text
    assert "livrée" not in told.text
    assert [result["tool"] for result in told.reply.tool_results] == ["order_status"]
    said = [event for event in told.events if isinstance(event, Sentence)]
    assert said[-1].tool == "order_status"


def test_products_are_shown_as_cards_and_remembered(talk: Talk) -> None:
    talk.server.script(
        calls("product_search", query="canapé Oslo 3 places"),
        Answer("Voici ce que j'ai trouvé :\nLe Canapé Oslo 3 places coûte 12 €."),
        calls("product_search", query="canapé Oslo 3 places"),
    )
    told = talk.say("Je cherche le canapé Oslo 3 places")
    assert "12 €" not in told.text
    first = told.reply.products[0]
    talk.server.reset()
    price = f"{first['price']:.2f} €"
    talk.server.script(
        calls("product_search", query="canapé Oslo 3 places"),
        Answer(f"{first['name']} coûte {price}."),
    )
    talk.session += "x"
    told = talk.say("Je cherche le canapé Oslo 3 places")
    assert told.step("model_answered"), told.trace
    assert first["sku"] in [card["sku"] for card in told.reply.products]
    with talk.set(llm="embedded"):
        assert talk.say("le premier").reply.products[0]["sku"] == told.reply.products[0]["sku"]


def test_a_ticket_waits_for_the_customers_yes(talk: Talk) -> None:
    talk.sign_in(CUSTOMER)
    before = talk.tickets()
    talk.server.script(
        calls(
            "create_ticket",
            problem_category="casse_transport",
            problem_severity="moyen",
            description="Un pied du canapé est cassé depuis la livraison",
            product_sku="CANAPÉ-OSLO-3P",
        )
    )
    told = talk.say("Un pied de mon canapé Oslo 3 places est arrivé cassé, ouvrez un ticket")
    assert "Je récapitule" in told.text
    assert "casse pendant le transport" in told.text
    assert talk.tickets() == before
    asked = len(talk.server.requests)
    told = talk.say("oui")
    assert re.search(r"TKT-\d{4}-\d{6}", told.text)
    assert talk.tickets() == before + 1
    assert len(talk.server.requests) == asked, "the model was asked while a form was pending"
    assert told.step("model_not_asked")["reason"] == "pending"


def test_a_ticket_without_its_facts_is_asked_for(talk: Talk) -> None:
    talk.server.script(
        calls(
            "create_ticket",
            problem_category="autre",
            problem_severity="moyen",
            description="Il y a un problème",
        )
    )
    told = talk.say("J'ai un problème, ouvrez un ticket")
    assert "De quel produit" in told.text


def test_a_ticket_with_bad_arguments_is_left_to_the_embedded_engine(talk: Talk) -> None:
    talk.server.script(calls("create_ticket", problem_category="météo"))
    told = talk.say("Un pied de mon canapé Oslo 3 places est cassé, ouvrez un ticket")
    assert told.step("model_failed")["outcome"] == "ValidationError"
    assert told.step("decided")["decision"] == "FollowForm"


def test_a_human_comes_when_the_customer_asks(talk: Talk) -> None:
    talk.server.script(calls("handoff", reason="requested"))
    told = talk.say("Je veux parler à un conseiller humain")
    assert told.reply.owner == "waiting"
    assert [result["tool"] for result in told.reply.tool_results] == ["handoff"]


def test_a_human_is_offered_when_only_the_model_asks(talk: Talk) -> None:
    talk.server.script(calls("handoff", reason="requested"))
    told = talk.say(CORSICA)
    assert told.reply.owner == "bot"
    assert "conseiller ?" in told.text
    assert talk.say("oui").reply.owner == "waiting"
    assert len(talk.server.requests) == 1


def test_nothing_personal_leaves(talk: Talk) -> None:
    """Neither in the message, nor in the history, nor in a tool's result or arguments."""
    talk.sign_in(CUSTOMER)
    secret = ("camille.martin@exemple.fr", "06 12 34 56 78", "FR7630006000011234567890189")
    card = "4111 1111 1111 1111"
    talk.server.script(Answer("D'accord."))
    talk.say(f"Mon adresse est {secret[0]}, mon téléphone {secret[1]}, IBAN {secret[2]}, {card}")
    talk.server.script(calls("order_status", order_number=OWN_ORDER), Answer("Un instant."))
    talk.say(f"Et ma commande {OWN_ORDER} ? Répondez à {CUSTOMER}")
    sent = json.dumps(talk.server.chat_requests(), ensure_ascii=False)
    for one in (*secret, card, CUSTOMER):
        assert one not in sent
    assert "[REDACTED_EMAIL]" in sent
    assert OWN_ORDER in sent
    talk.server.script(Answer("Je vous réponds à [REDACTED_EMAIL] ?"))
    assert CUSTOMER in talk.say(f"Mon e-mail est {CUSTOMER}").text


def test_the_address_comes_from_the_session(talk: Talk) -> None:
    """A visitor's own words open their order; an address that the model made up does not."""
    lookup = calls("order_status", order_number=OWN_ORDER, email="julien.moreau@example.com")
    talk.server.script(lookup, Answer(f"Votre commande {OWN_ORDER} est retardée."))
    told = talk.say(f"Où en est {OWN_ORDER} ?")
    assert "retardée" not in told.text
    talk.session += "x"
    talk.server.script(lookup, Answer(f"Votre commande {OWN_ORDER} est retardée."))
    told = talk.say(f"Où en est {OWN_ORDER} ? Mon adresse est {CUSTOMER}")
    assert "retardée" in told.text


def test_a_turn_is_billed_once_with_all_its_calls(talk: Talk) -> None:
    first, second = Usage(1_000, 20), Usage(2_000, 50)
    with talk.set(llm_input_price_per_million=2.0, llm_output_price_per_million=10.0):
        look_up = Answer(tool_calls=LOOK_UP.tool_calls, usage=first)
        talk.server.script(look_up, HttpFault(500), Answer(CORSICA_ANSWER, usage=second))
        told = talk.say(CORSICA)
    (row,) = talk.usage()
    assert (row.requests, row.input_tokens, row.output_tokens) == (3, 3_000, 70)
    assert row.cost_micros == 3_000 * 2 + 70 * 10
    assert (row.model, row.estimated) == ("test-model", False)
    assert told.step("model_answered")["tokens"] == 3_070


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"llm_tokens_per_conversation": 500}, "conversation_cap"),
        ({"llm_tokens_per_day": 1}, "day_cap"),
    ],
)
def test_a_cap_brings_the_embedded_engine(
    talk: Talk, settings: dict[str, int], reason: str
) -> None:
    talk.server.script(LOOK_UP, Answer(CORSICA_ANSWER, usage=Usage(900, 10)))
    talk.say(CORSICA)
    asked = len(talk.server.requests)
    with talk.set(**settings):
        told = talk.say(CORSICA)
    assert told.step("model_not_asked")["reason"] == reason
    assert "149" in told.text
    assert len(talk.server.requests) == asked


def test_a_turn_that_has_used_its_tokens_asks_no_more(talk: Talk) -> None:
    look_up = Answer(tool_calls=LOOK_UP.tool_calls, usage=Usage(900, 10))
    talk.server.script(look_up, Answer(CORSICA_ANSWER))
    with talk.set(llm_tokens_per_turn=500):
        told = talk.say(CORSICA)
    assert len(talk.server.requests) == 1
    assert told.step("model_failed")["outcome"] == "TokensSpent"
    assert "149" in told.text


def test_another_model_answers_when_the_first_fails(talk: Talk) -> None:
    with talk.set(llm_fallback=f"openai-compatible:{talk.server.base_url}#second"):
        talk.server.script(HttpFault(500), HttpFault(500), LOOK_UP, Answer(CORSICA_ANSWER))
        told = talk.say(CORSICA)
    assert CORSICA_ANSWER in told.text
    assert told.step("model_answered")
    models = [body["model"] for body in talk.server.chat_requests()]
    assert models[:3] == ["test-model", "test-model", "second"]


def test_a_long_conversation_is_summarised_once(talk: Talk) -> None:
    talk.server.rule = lambda request: Answer(
        "Le client dit bonjour." if "tools" not in request else "Très bien."
    )
    for number in range(13):
        talk.say(f"Message numéro {number}, rien de spécial")
    summaries = [body for body in talk.server.chat_requests() if "tools" not in body]
    assert len(summaries) == 1
    assert "Résume en français" in json.dumps(summaries, ensure_ascii=False)
    talk.say("Encore un message")
    last = talk.server.chat_requests()[-1]["messages"]
    assert len([body for body in talk.server.chat_requests() if "tools" not in body]) == 1
    assert "Le client dit bonjour." in json.dumps(last, ensure_ascii=False)
    assert "Message numéro 0," not in json.dumps(last, ensure_ascii=False)


def test_sources_of_a_sentence_are_of_one_kind(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(CORSICA_ANSWER))
    said = [event for event in talk.say(CORSICA).events if isinstance(event, Sentence)]
    proven = [one for one in said if one.sources]
    assert all(isinstance(source, Source) for one in proven for source in one.sources)
    assert all(one.tool is None for one in proven)
