"""66: a model that answers 429, 500, garbage, half a stream or nothing.

The customer sees one coherent answer.

At most two retries and the time limit, then the embedded engine; billed once.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, Sentence
from bot.understanding.cues import fold
from tests.openai_server import (
    BrokenJson,
    HalfAnswer,
    Hang,
    HttpFault,
    NoChoices,
    Step,
    Usage,
    WrongContentType,
)
from tests.openai_server import Reply as Answer
from tests.talking import CORSICA, CORSICA_ANSWER, LOOK_UP, OWN_ORDER, Talk, Told, calls

MOST_REQUESTS = 3
REFUSED: list[Step] = [
    HttpFault(429, retry_after_seconds=60),
    HttpFault(500),
    HttpFault(503),
    BrokenJson(),
    NoChoices(),
    WrongContentType(),
    Answer(""),
]


def embedded(talk: Talk) -> Told:
    """What the embedded engine answers to the same question."""
    with talk.set(llm="embedded"):
        talk.session += "-embedded"
        return talk.say(CORSICA)


def sentences(told: Told) -> list[str]:
    return [fold(one.text) for one in told.reply.sentences]


def assert_one_answer(told: Told) -> None:
    """Nothing is said twice, there is one greeting, and the price is told."""
    said = sentences(told)
    assert len(said) == len(set(said))
    assert sum("bonjour" in one for one in said) == 1
    assert "149" in told.text
    quoted = [source["quote"] for source in told.reply.sources]
    assert len(quoted) == len(set(quoted))


@pytest.mark.parametrize(
    "fault", REFUSED, ids=lambda fault: type(fault).__name__ + str(fault)[-20:]
)
def test_66_a_fault_before_the_first_word(talk: Talk, fault: Step) -> None:
    talk.server.script(*[fault] * 5)
    told = talk.say(CORSICA)
    assert len(talk.server.requests) == MOST_REQUESTS
    assert_one_answer(told)
    assert told.step("model_failed")["requests"] == MOST_REQUESTS
    assert sentences(told) == sentences(embedded(talk))
    (row,) = talk.usage()
    assert row.requests == MOST_REQUESTS


def test_66_a_bad_request_is_not_repeated(talk: Talk) -> None:
    talk.server.script(HttpFault(400), HttpFault(400))
    assert_one_answer(talk.say(CORSICA))
    assert len(talk.server.requests) == 1


def test_66_a_retry_that_succeeds_is_billed_once(talk: Talk) -> None:
    good = Answer(CORSICA_ANSWER, usage=Usage(500, 25))
    talk.server.script(
        HttpFault(429), Answer(tool_calls=LOOK_UP.tool_calls, usage=Usage(100, 5)), HttpFault(500)
    )
    talk.server.script(good)
    told = talk.say(CORSICA)
    assert_one_answer(told)
    assert told.step("model_answered")["requests"] == 4
    (row,) = talk.usage()
    assert (row.input_tokens, row.output_tokens, row.estimated) == (600, 30, False)


@pytest.mark.parametrize("ending", ["cut", "end", "hang"])
def test_66_half_an_answer_is_continued(talk: Talk, ending: str) -> None:
    """The sentence that was sent stays, and what follows does not say it again."""
    whole = Answer(f"{CORSICA_ANSWER} Le seuil de 500 € se calcule sur le prix des articles")
    half = HalfAnswer(whole, pieces=27, ending=ending, hang_seconds=30)  # type: ignore[arg-type]
    talk.server.script(LOOK_UP, half)
    with talk.set(llm_timeout_seconds=3.0):
        started = time.monotonic()
        told = talk.say(CORSICA)
    assert time.monotonic() - started < 8
    assert_one_answer(told)
    assert told.text.count("149") == 1
    assert CORSICA_ANSWER in told.text
    assert told.step("model_failed")["sentences"] == 1, told.trace
    assert told.step("decided")
    assert len(talk.server.requests) == 2
    (row,) = talk.usage()
    assert row.estimated


def test_66_half_an_answer_before_a_whole_sentence_is_tried_again(talk: Talk) -> None:
    talk.server.script(
        LOOK_UP, HalfAnswer(Answer(CORSICA_ANSWER), pieces=4), Answer(CORSICA_ANSWER)
    )
    told = talk.say(CORSICA)
    assert_one_answer(told)
    assert told.step("model_answered")
    assert told.text.endswith(CORSICA_ANSWER)


def test_66_an_unfinished_sentence_is_never_shown(talk: Talk) -> None:
    half = HalfAnswer(Answer("La livraison en Corse coûte 149 € et puis encore"), 10, "end")
    talk.server.script(LOOK_UP, *[half] * 3)
    told = talk.say(CORSICA)
    assert "et puis" not in told.text
    assert_one_answer(told)


def test_66_a_model_that_hangs_is_left_after_the_time_limit(talk: Talk) -> None:
    talk.server.script(*[Hang(30)] * 3)
    with talk.set(llm_timeout_seconds=1.0):
        started = time.monotonic()
        told = talk.say(CORSICA)
    assert time.monotonic() - started < 5
    assert_one_answer(told)
    assert len(talk.usage()) == 1


def test_66_a_model_that_is_too_slow_is_left_in_the_middle(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(f"{CORSICA_ANSWER} " * 8, piece_delay_seconds=0.1))
    with talk.set(llm_timeout_seconds=3.0):
        told = talk.say(CORSICA)
    assert_one_answer(told)
    assert told.step("model_failed")["outcome"] == "timeout"


def test_66_cut_off_arguments_are_never_executed(talk: Talk) -> None:
    half = HalfAnswer(calls("order_status", order_number=OWN_ORDER), 4, "end")
    talk.server.script(*[half] * 3)
    told = talk.say(CORSICA)
    assert_one_answer(told)
    assert [step for step in told.trace if step.get("tool") == "order_status"] == []


def test_66_a_courtesy_is_not_repeated_behind_an_answer(talk: Talk) -> None:
    talk.server.script(
        LOOK_UP, HalfAnswer(Answer(f"{CORSICA_ANSWER} Souhaitez-vous autre"), 24, "cut")
    )
    told = talk.say(CORSICA)
    assert_one_answer(told)
    assert "Je ne sais pas" not in told.text


def test_66_the_breaker_opens_and_closes_again(talk: Talk) -> None:
    now = [1_000.0]
    object.__setattr__(talk.model.breaker, "clock", lambda: now[0])
    talk.server.script(*[HttpFault(500)] * 6)
    talk.say(CORSICA)
    talk.say(CORSICA)
    assert talk.model.breaker.state == "open"
    asked = len(talk.server.requests)
    told = talk.say(CORSICA)
    assert told.step("model_not_asked")["reason"] == "breaker_open"
    assert len(talk.server.requests) == asked
    now[0] += 31
    talk.server.reset()
    talk.server.script(LOOK_UP, Answer(CORSICA_ANSWER))
    assert talk.say(CORSICA).step("model_answered")
    assert talk.model.breaker.state == "closed"


def test_66_who_leaves_stops_the_model_and_is_billed(talk: Talk) -> None:
    talk.server.script(LOOK_UP, Answer(f"{CORSICA_ANSWER} " * 30, piece_delay_seconds=0.05))
    runtime = talk.product.runtime

    async def leave() -> None:
        message = IncomingMessage(talk.principal, talk.session, CORSICA)
        events = handle(message, runtime.part(Assistant), runtime)
        async for event in events:
            if isinstance(event, Sentence) and event.sources:
                break
        await events.aclose()  # type: ignore[attr-defined]
        for _ in range(50):
            if talk.server.abandoned:
                break
            await asyncio.sleep(0.1)

    talk.product.call(leave())
    assert talk.server.abandoned == 1
    assert len(talk.usage()) == 1
