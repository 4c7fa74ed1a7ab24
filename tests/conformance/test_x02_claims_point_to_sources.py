"""Row X02: every claim of an answer points to its source; what nothing supports is never sent."""

from __future__ import annotations

import re

import pytest

from bot.messages import Sentence
from knowledge.index import Knowledge
from tests.openai_server import Reply as Answer
from tests.talking import CORSICA, CORSICA_ANSWER, CUSTOMER, LOOK_UP, OWN_ORDER, Talk, Told

QUESTIONS = (
    CORSICA,
    "Quels sont vos délais de livraison ?",
    "Combien de temps ai-je pour renvoyer un meuble ?",
    "Puis-je payer en plusieurs fois ?",
    "How do I clean an oak table?",
)
PHANTOM = "Selon l'article « Livraison express interstellaire », tout arrive en 2 heures pour 3 €."
FIGURE = re.compile(r"\d")
UNANSWERABLE = ("Quel temps fera-t-il demain à Paris ?", "Qui a gagné la coupe du monde ?")


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def assert_claims_are_supported(talk: Talk, told: Told) -> None:
    """Every quote is in its document, and every sentence with a figure has a source or a tool."""
    corpus = talk.product.runtime.part(Knowledge).corpus(talk.product.organization_id)
    texts = {
        str(document.id): plain("\n\n".join(passage.text for passage in document.passages))
        for document in corpus.documents.values()
    }
    for source in told.reply.sources:
        assert plain(source["quote"]) in texts[source["id"]]
    for event in told.events:
        if isinstance(event, Sentence) and FIGURE.search(event.text):
            assert event.sources or event.tool, event.text


@pytest.mark.parametrize("question", QUESTIONS)
def test_x02_the_embedded_engine_quotes_what_documents_say(talk: Talk, question: str) -> None:
    with talk.set(llm="embedded"):
        told = talk.say(question)
    assert told.reply.sources
    assert_claims_are_supported(talk, told)


def test_x02_a_tool_result_is_named_as_its_source(talk: Talk) -> None:
    talk.sign_in(CUSTOMER)
    with talk.set(llm="embedded"):
        told = talk.say(f"Où en est ma commande {OWN_ORDER} ?")
    tools = {event.tool for event in told.events if isinstance(event, Sentence) and event.tool}
    assert tools == {"order_status"}
    assert_claims_are_supported(talk, told)


def test_x02_a_phantom_citation_is_dropped_and_the_proven_sentence_stays(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(f"{CORSICA_ANSWER} {PHANTOM}"))
    told = talk.say(CORSICA)
    assert CORSICA_ANSWER in told.text
    assert "interstellaire" not in told.text
    assert_claims_are_supported(talk, told)


def test_x02_an_answer_without_any_proof_is_replaced(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(PHANTOM))
    told = talk.say(CORSICA)
    assert "interstellaire" not in told.text
    assert "149" in told.text
    assert_claims_are_supported(talk, told)


def test_x02_what_no_document_tells_is_handed_over(talk: Talk) -> None:
    """Twice unanswerable: first a person is offered, then the conversation is theirs."""
    with talk.set(llm="embedded"):
        first, second = (talk.say(question) for question in UNANSWERABLE)
    assert first.reply.sources == second.reply.sources == []
    assert (first.reply.owner, second.reply.owner) == ("bot", "waiting")
