"""How did a conversation end? Honestly: what nobody confirmed is shown apart from what was.

Every conversation is in exactly one class, and no two classes are ever added up to one rate:

    nothing_asked  courtesies only: nothing was there to be resolved
    handed_over    a person was asked for, or took it
    reopened       the customer came back about the same thing within 72 hours
    confirmed      the customer thanked for the last answer, or rated the conversation well
    unanswered     the last question got no answer, or the customer rated the conversation badly
    assumed        answered, and silent for 72 hours: nobody said whether it helped
    open           answered less than 72 hours ago: too early to tell

The first that holds counts, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, get_args

Outcome = Literal[
    "confirmed", "assumed", "reopened", "handed_over", "unanswered", "open", "nothing_asked"
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

SILENCE = timedelta(hours=72)
# Who writes again in the same conversation after less than this is still in it.
PAUSE = timedelta(hours=1)
GOOD_RATING, BAD_RATING = 4, 2

THANKS = "thanks"
COURTESIES = frozenset({THANKS, "greeting", "goodbye", "affirm", "deny"})
# Intents that name no matter which somebody could come back about.
_WITHOUT_SUBJECT = COURTESIES | {"out_of_scope", "human_agent"}


@dataclass(frozen=True)
class Request:
    """A message of the customer: when, with which intent, and whether it got an answer.

    An "I don't know" is no answer.
    """

    at: datetime
    intent: str | None
    answered: bool = True

    @property
    def is_courtesy(self) -> bool:
        return self.intent in COURTESIES

    @property
    def subject(self) -> str | None:
        return None if self.intent in _WITHOUT_SUBJECT else self.intent


@dataclass(frozen=True)
class ConversationFacts:
    """What the outcome of a conversation depends on.

    `requests` are the customer's messages in their order, `later` what the same person wrote in
    conversations that began afterwards; `rating` is 1 to 5.
    """

    requests: Sequence[Request] = ()
    handed_over: bool = False
    rating: int | None = None
    later: Sequence[Request] = ()

    @property
    def questions(self) -> list[Request]:
        """What was asked, without courtesies."""
        return [one for one in self.requests if not one.is_courtesy]


def outcome_of(facts: ConversationFacts, now: datetime) -> Outcome:
    """The one class of a conversation at a moment."""
    if facts.handed_over:
        return "handed_over"
    questions = facts.questions
    if not questions:
        return "nothing_asked"
    if came_back(facts):
        return "reopened"
    if (facts.rating or 0) >= GOOD_RATING or _thanked(facts):
        return "confirmed"
    if (facts.rating or GOOD_RATING) <= BAD_RATING or not questions[-1].answered:
        return "unanswered"
    return "assumed" if now >= settles_at(facts) else "open"


def settles_at(facts: ConversationFacts) -> datetime:
    """From when time alone changes the outcome no more; raises ValueError without a message."""
    return max(one.at for one in facts.requests) + SILENCE


def came_back(facts: ConversationFacts) -> bool:
    """Whether the customer asked about the same subject again, after a pause, within 72 hours."""
    before: set[str] = set()
    for one, following in pairwise(facts.requests):
        if one.subject is not None:
            before.add(one.subject)
        if PAUSE <= following.at - one.at <= SILENCE and following.subject in before:
            return True
    if not facts.requests:
        return False
    last = facts.requests[-1]
    asked = {one.subject for one in facts.requests if one.subject is not None}
    return any(
        one.subject in asked and timedelta() <= one.at - last.at <= SILENCE for one in facts.later
    )


def _thanked(facts: ConversationFacts) -> bool:
    """Whether the customer's thanks follow the last question, and an answer to it."""
    for one in reversed(facts.requests):
        if not one.is_courtesy:
            return False
        if one.intent == THANKS:
            return facts.questions[-1].answered
    return False


@dataclass(frozen=True)
class Resolution:
    """How many conversations ended in which way; the classes add up to `total`."""

    counts: Mapping[Outcome, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def of(self, outcome: Outcome) -> int:
        return self.counts.get(outcome, 0)

    def share(self, outcome: Outcome) -> float | None:
        """The share of a class in all conversations in which something was asked, 0 to 1.

        None where nothing was asked in any: a rate of nothing would be made up.
        """
        asked = self.total - self.of("nothing_asked")
        return self.of(outcome) / asked if asked else None

    def __add__(self, other: Resolution) -> Resolution:
        return Resolution({one: self.of(one) + other.of(one) for one in OUTCOMES})


def resolution(outcomes: Iterable[Outcome]) -> Resolution:
    """Count outcomes."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for one in outcomes:
        counts[one] += 1
    return Resolution(counts)
