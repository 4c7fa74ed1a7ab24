"""Row X03: the model fails in the middle of an answer, and the embedded engine goes on."""

from __future__ import annotations

import pytest

from bot.messages import Finished
from tests.openai_server import HalfAnswer, HttpFault
from tests.openai_server import Reply as Answer
from tests.talking import CORSICA, CORSICA_ANSWER, LOOK_UP, Talk

# More than one turn and its retries ask for.
FAULTS = 30
NEXT_QUESTION = "Quels sont vos délais de livraison ?"
WHOLE = Answer(f"{CORSICA_ANSWER} Le seuil de 500 € se calcule sur le prix des articles")


@pytest.mark.parametrize("ending", ["cut", "end"])
def test_x03_half_an_answer_is_finished_by_the_engine(talk: Talk, ending: str) -> None:
    half = HalfAnswer(WHOLE, pieces=27, ending=ending)  # type: ignore[arg-type]
    talk.server.script(LOOK_UP, half)
    told = talk.say(CORSICA)
    assert told.step("model_failed")["sentences"] == 1
    assert told.step("decided")
    assert told.text.count(CORSICA_ANSWER) == 1
    assert told.text.count("149") == 1, "what was said is not said again"
    assert not told.text.rstrip().endswith("articles"), "the torn sentence is not sent"
    assert sum(isinstance(event, Finished) for event in told.events) == 1


def test_x03_the_conversation_goes_on_after_it(talk: Talk) -> None:
    talk.server.script(LOOK_UP, HalfAnswer(WHOLE, pieces=27, ending="cut"))
    talk.say(CORSICA)
    talk.server.script(*[HttpFault(500)] * FAULTS)
    told = talk.say(NEXT_QUESTION)
    assert told.reply.intent == "delivery_question"
    assert told.reply.sources
    assert told.reply.owner == "bot"
    talk.server.reset()
    talk.server.script(LOOK_UP, Answer(CORSICA_ANSWER))
    assert talk.say(CORSICA).step("model_answered")


def test_x03_a_form_begun_by_the_engine_survives_the_models_return(talk: Talk) -> None:
    """What the engine has asked while the model was away is answered when it is back."""
    talk.server.script(*[HttpFault(500)] * FAULTS)
    asked = talk.say("le pied de mon canapé Oslo 3 places est cassé")
    assert asked.step("decided")["decision"] == "FollowForm"
    before = talk.tickets()
    for text in ("le pied avant gauche a cassé net", "lea.roche@example.org", "oui"):
        told = talk.say(text)
    assert talk.tickets() == before + 1, told.text
