"""How sure a document must be, by what the intents know of the question and of the document."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from bot.assistant import Assistant
from bot.relevance import least_score, put_off_score, verdict
from knowledge.search import SearchHit
from tests.unit.test_policy import message

ASSISTANT = Assistant()


def hit(familiar: float) -> SearchHit:
    return SearchHit(uuid4(), "Titre", "fr", "Texte.", 0, 6, "Texte.", 0, 6, 0.5, familiar)


def test_that_a_foreign_question_needs_less_where_the_document_is_foreign_too() -> None:
    read = message("comment fermer ma page facebook", "out_of_scope", 0.98)
    known = least_score(ASSISTANT, read, hit(1.0), strict=True)
    between = least_score(ASSISTANT, read, hit(0.5), strict=True)
    foreign = least_score(ASSISTANT, read, hit(0.0), strict=True)
    assert known == pytest.approx(ASSISTANT.strict_answer_score)
    assert foreign == pytest.approx(ASSISTANT.answer_score)
    assert known > between > foreign


def test_that_a_question_of_a_known_matter_needs_less_of_a_document_of_such() -> None:
    read = message("un reçu en PDF, c'est possible ?", "invoice_request", 0.86)
    expected = least_score(ASSISTANT, read, hit(0.9), strict=False)
    unexpected = least_score(ASSISTANT, read, hit(0.1), strict=False)
    assert expected < ASSISTANT.answer_score < unexpected


def test_that_a_shop_may_ask_for_more_than_any_document_gives() -> None:
    read = message("un reçu en PDF, c'est possible ?", "invoice_request", 0.86)
    strictest = replace(ASSISTANT, answer_score=1.01)
    assert all(least_score(strictest, read, hit(share), strict=False) > 1 for share in (0.0, 1.0))


def test_that_a_doubtful_reading_changes_nothing() -> None:
    read = message("un reçu en PDF, c'est possible ?", "invoice_request", 0.4)
    for familiar in (0.0, 1.0):
        assert least_score(ASSISTANT, read, hit(familiar), strict=False) == ASSISTANT.answer_score


def test_that_a_document_is_judged_as_the_chat_would() -> None:
    foreign = message("comment fermer ma page facebook", "out_of_scope", 0.98)
    known = message("un reçu en PDF, c'est possible ?", "invoice_request", 0.86)
    assert verdict(ASSISTANT, foreign, hit(1.0)) == "silent"
    assert verdict(ASSISTANT, foreign, hit(0.0)) == "doubtful"
    assert verdict(ASSISTANT, known, hit(1.0)) == "sure"


def test_that_a_task_is_put_off_sooner_for_a_document_of_an_unknown_matter() -> None:
    sure, doubtful = ASSISTANT.rather_documents_score, ASSISTANT.doubtful_score
    least = [put_off_score(ASSISTANT, hit(share), sure) for share in (0.0, 0.5, 1.0)]
    assert least[0] == pytest.approx(doubtful)
    assert least[2] == pytest.approx(sure)
    assert least[0] < least[1] < least[2]
    assert put_off_score(ASSISTANT, hit(0.0), 0.1) == pytest.approx(0.1)
