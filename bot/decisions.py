"""What can be done about a message: the vocabulary between the policy and the actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.state import DialogueState, Form


@dataclass(frozen=True)
class SmallTalk:
    """Say a phrase that claims nothing."""

    key: str
    suggestions: str | None = None


@dataclass(frozen=True)
class SearchProducts:
    """Search the catalogue; `refine` keeps what the last search asked for.

    `cheaper` wants less dear products than those shown, `by_size` the smallest or largest first.
    """

    refine: bool = False
    cheaper: bool = False
    by_size: str | None = None


@dataclass(frozen=True)
class DescribeProduct:
    """Say what the catalogue says of one product."""

    sku: str
    intent: str


@dataclass(frozen=True)
class CompareProducts:
    """Say the same things of two products, one after the other."""

    skus: tuple[str, str]


@dataclass(frozen=True)
class AnswerFromKnowledge:
    """Answer from the shop's documents; `strict` where the question hardly seems ours.

    `otherwise` is what to ask the documents where they have nothing on `question`.
    """

    question: str
    intent: str
    strict: bool = False
    otherwise: str | None = None


@dataclass(frozen=True)
class FollowForm:
    """Go on with a form: ask, recapitulate, or do what it is for."""

    form: Form


@dataclass(frozen=True)
class CancelForm:
    form: Form


@dataclass(frozen=True)
class AskWhatToChange:
    form: Form


@dataclass(frozen=True)
class Clarify:
    """Ask which of two intents was meant."""

    intents: tuple[str, str]


@dataclass(frozen=True)
class HandOver:
    """Hand the conversation to a human, for a reason that their file names."""

    reason: str


@dataclass(frozen=True)
class WithdrawHandOver:
    """Take the conversation out of the queue for a human: its customer does not wait."""


@dataclass(frozen=True)
class AddToTicket:
    """Add what was said to the ticket that was opened before; `otherwise` where that is closed."""

    otherwise: Form


@dataclass(frozen=True)
class Complain:
    """Show that the complaint is heard, say what the documents offer, propose a human."""


Decision = (
    SmallTalk
    | SearchProducts
    | DescribeProduct
    | CompareProducts
    | AnswerFromKnowledge
    | FollowForm
    | CancelForm
    | AskWhatToChange
    | Clarify
    | HandOver
    | WithdrawHandOver
    | AddToTicket
    | Complain
)


@dataclass(frozen=True)
class Plan:
    """A decision, the state that it starts from, and whether a form is taken up again after it."""

    decision: Decision
    state: DialogueState
    resume: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
