"""Is every conversation in exactly one class, and is no class better than what is known?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.conversation_figures import Spread
from services.monitoring.resolution import (
    COURTESIES,
    OUTCOMES,
    SILENCE,
    ConversationFacts,
    Outcome,
    Request,
    Resolution,
    outcome_of,
    resolution,
    settles_at,
)

BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LATER = BEGAN + timedelta(days=30)
INTENTS = ("delivery_question", "order_status", "out_of_scope", "human_agent", *sorted(COURTESIES))


def said(intent: str, hours: float = 0, *, answered: bool = True) -> Request:
    return Request(BEGAN + timedelta(hours=hours), intent, answered)


ASKED = said("delivery_question")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ConversationFacts((ASKED,)), "assumed"),
        (ConversationFacts((ASKED, said("thanks", 0.1))), "confirmed"),
        (ConversationFacts((ASKED, said("thanks", 0.1), said("goodbye", 0.2))), "confirmed"),
        (ConversationFacts((ASKED,), rating=5), "confirmed"),
        (ConversationFacts((ASKED,), rating=3), "assumed"),
        (ConversationFacts((ASKED,), rating=1), "unanswered"),
        (ConversationFacts((ASKED, said("goodbye", 0.1))), "assumed"),
        (ConversationFacts((said("out_of_scope", answered=False),)), "unanswered"),
        # Thanks for nothing are no confirmation.
        (
            ConversationFacts((said("out_of_scope", answered=False), said("thanks", 0.1))),
            "unanswered",
        ),
        (ConversationFacts((said("out_of_scope", answered=False),), rating=4), "confirmed"),
        # What was not known first was answered in the end.
        (
            ConversationFacts((said("out_of_scope", answered=False), said("order_status"))),
            "assumed",
        ),
        (ConversationFacts((ASKED,), handed_over=True, rating=5), "handed_over"),
        (ConversationFacts((said("greeting"),)), "nothing_asked"),
        (ConversationFacts((said("greeting"),), handed_over=True), "handed_over"),
        (ConversationFacts((ASKED, said("thanks"), said("delivery_question", 30))), "reopened"),
        (ConversationFacts((ASKED, said("delivery_question", 0.2))), "assumed"),
        (ConversationFacts((ASKED, said("delivery_question", 73))), "assumed"),
        (ConversationFacts((ASKED, said("order_status", 30))), "assumed"),
        (ConversationFacts((ASKED,), rating=5, later=(said("delivery_question", 71),)), "reopened"),
        (ConversationFacts((ASKED,), later=(said("delivery_question", 73),)), "assumed"),
        (ConversationFacts((ASKED,), later=(said("order_status", 3),)), "assumed"),
        # Nobody comes back about "something".
        (
            ConversationFacts((said("out_of_scope"),), later=(said("out_of_scope", 3),)),
            "assumed",
        ),
    ],
)
def test_each_ending_has_its_class(facts: ConversationFacts, expected: Outcome) -> None:
    assert outcome_of(facts, LATER) == expected


def test_an_answer_is_assumed_to_have_helped_after_72_hours_only() -> None:
    facts = ConversationFacts((ASKED,))
    assert outcome_of(facts, BEGAN + SILENCE - timedelta(seconds=1)) == "open"
    assert outcome_of(facts, BEGAN + SILENCE) == "assumed"


requests = st.lists(
    st.builds(
        Request,
        st.integers(0, 200).map(lambda hours: BEGAN + timedelta(hours=hours)),
        st.sampled_from(INTENTS),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
).map(lambda found: tuple(sorted(found, key=lambda one: one.at)))
conversations = st.builds(
    ConversationFacts,
    requests=requests,
    handed_over=st.booleans(),
    rating=st.none() | st.integers(1, 5),
    later=requests | st.just(()),
)
moments = st.integers(0, 1_000).map(lambda hours: BEGAN + timedelta(hours=hours))


@given(conversations, moments)
def test_time_alone_turns_only_open_into_assumed(facts: ConversationFacts, now: datetime) -> None:
    before, after = outcome_of(facts, now), outcome_of(facts, now + timedelta(days=400))
    assert before == after or (before, after) == ("open", "assumed")
    if now >= settles_at(facts):
        assert before == after


@given(conversations)
def test_nothing_is_confirmed_that_nobody_confirmed(facts: ConversationFacts) -> None:
    silent = replace(
        facts, rating=None, requests=tuple(one for one in facts.requests if one.intent != "thanks")
    )
    assert outcome_of(silent, LATER) != "confirmed"


@given(conversations)
def test_a_person_or_a_return_is_never_counted_as_solved(facts: ConversationFacts) -> None:
    assert outcome_of(replace(facts, handed_over=True), LATER) == "handed_over"
    questions = [one for one in facts.requests if one.subject is not None]
    if questions and not facts.handed_over:
        back = Request(facts.requests[-1].at + timedelta(hours=2), questions[0].intent)
        assert outcome_of(replace(facts, later=(back,)), LATER) == "reopened"


@given(st.lists(st.tuples(conversations, moments)))
def test_the_classes_add_up(all_facts: list[tuple[ConversationFacts, datetime]]) -> None:
    outcomes = [outcome_of(facts, now) for facts, now in all_facts]
    counted = resolution(outcomes)
    assert counted.total == len(all_facts) == sum(counted.of(one) for one in OUTCOMES)
    half = len(outcomes) // 2
    assert resolution(outcomes[:half]) + resolution(outcomes[half:]) == counted
    shares = [counted.share(one) for one in OUTCOMES if one != "nothing_asked"]
    if counted.total > counted.of("nothing_asked"):
        assert sum(share or 0 for share in shares) == pytest.approx(1)
    else:
        assert set(shares) == {None}


def test_a_share_of_nothing_is_none() -> None:
    assert Resolution().share("confirmed") is None


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(0, 50)), st.floats(0.01, 1))
def test_percentiles_are_those_of_the_values(
    some: list[int], others: list[int], share: float
) -> None:
    together = Spread()
    for values in (some, others):
        spread = Spread()
        for value in values:
            spread.values[value] += 1
        together += spread
    found = together.percentile(share)
    everything = sorted(some + others)
    assert together.count == len(everything)
    if not everything:
        assert found is None
        return
    assert found in everything
    assert sum(value <= found for value in everything) >= share * len(everything)
    below = [value for value in everything if value < found]
    assert len(below) < share * len(everything)
