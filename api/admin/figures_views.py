"""The figures of a shop as they go over the wire."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from services.monitoring.conversation_figures import ConversationFigures, Ratings, Spread
from services.monitoring.resolution import OUTCOMES, Outcome
from services.monitoring.ticket_figures import TicketFigures


class ResolutionView(BaseModel):
    """How conversations ended: each in one class; no two classes are added up."""

    confirmed: int = Field(description="Thanked for the last answer, or rated 4 or 5.")
    assumed: int = Field(description="Answered and silent for 72 hours; nobody said so.")
    reopened: int = Field(description="Came back about the same thing within 72 hours.")
    handed_over: int = Field(description="A person was asked for, or took it.")
    unanswered: int = Field(description="The last question got no answer, or rated 1 or 2.")
    open: int = Field(description="Answered less than 72 hours ago.")
    nothing_asked: int = Field(description="Courtesies only.")


class TimesView(BaseModel):
    """Exact percentiles; null where nothing was measured."""

    count: int
    median: float | None
    p95: float | None


class RatingsView(BaseModel):
    count: int
    average: float | None = Field(description="1 to 5.")
    scores: dict[int, int] = Field(examples=[{1: 0, 2: 1, 3: 0, 4: 5, 5: 12}])


class ConversationsView(BaseModel):
    conversations: int
    resolution: ResolutionView
    handoff_rate: float | None = Field(description="0 to 1; null without a conversation.")
    questions: int
    unanswered_questions: int
    first_answer_seconds: TimesView = Field(description="From the first message to its answer.")
    person_seconds: TimesView = Field(
        description="From asking for a person to that person's first word."
    )
    resolution_seconds: TimesView = Field(
        description="From the first message to the last answer of a conversation."
    )
    satisfaction: RatingsView


class TicketsView(BaseModel):
    tickets: int
    sla_kept: int
    sla_broken: int
    sla_running: int = Field(description="Not answered yet, and the deadline is to come.")
    sla_kept_rate: float | None = Field(description="Of those kept or broken, 0 to 1.")
    resolved: int
    first_response_seconds: TimesView
    resolution_seconds: TimesView


class DayView(BaseModel):
    day: date
    conversations: ConversationsView
    tickets: TicketsView


class NamedView(BaseModel):
    """The figures of one intent or channel."""

    name: str = Field(examples=["delivery_question"])
    conversations: int
    share: float = Field(description="Of all conversations, 0 to 1.")
    resolution: ResolutionView
    handoff_rate: float | None
    questions: int
    unanswered_questions: int
    satisfaction: RatingsView


class OverviewView(BaseModel):
    """A period in total, by day, by intent and by channel."""

    start: date
    end: date
    channel: str | None
    time_zone: str = Field(description="In which days begin.", examples=["Europe/Paris"])
    conversations: ConversationsView
    tickets: TicketsView
    days: list[DayView]
    intents: list[NamedView]
    channels: list[NamedView] = Field(description="Whatever channel was asked for.")


def resolution_view(counts: dict[Outcome, int]) -> ResolutionView:
    return ResolutionView(**{one: counts.get(one, 0) for one in OUTCOMES})


def times_view(spread: Spread, unit: float = 1.0) -> TimesView:
    """Values of a spread in seconds; `unit` is how many seconds one of its steps is."""
    median, p95 = spread.median, spread.p95
    return TimesView(
        count=spread.count,
        median=None if median is None else round(median * unit, 3),
        p95=None if p95 is None else round(p95 * unit, 3),
    )


def ratings_view(ratings: Ratings) -> RatingsView:
    average = ratings.average
    return RatingsView(
        count=ratings.count,
        average=None if average is None else round(average, 2),
        scores={score: ratings.scores.get(score, 0) for score in range(1, 6)},
    )


def conversations_view(figures: ConversationFigures) -> ConversationsView:
    return ConversationsView(
        conversations=figures.conversations,
        resolution=resolution_view(dict(figures.resolution.counts)),
        handoff_rate=rounded(figures.handoff_rate),
        questions=figures.questions,
        unanswered_questions=figures.unanswered,
        first_answer_seconds=times_view(figures.first_answer_ms, 0.001),
        person_seconds=times_view(figures.person_seconds),
        resolution_seconds=times_view(figures.duration_seconds),
        satisfaction=ratings_view(figures.ratings),
    )


def tickets_view(figures: TicketFigures) -> TicketsView:
    return TicketsView(
        tickets=figures.tickets,
        sla_kept=figures.kept,
        sla_broken=figures.broken,
        sla_running=figures.running,
        sla_kept_rate=rounded(figures.kept_rate),
        resolved=figures.resolved,
        first_response_seconds=times_view(figures.first_response_seconds),
        resolution_seconds=times_view(figures.resolution_seconds),
    )


def named_views(by_name: dict[str, ConversationFigures]) -> list[NamedView]:
    everything = sum(figures.conversations for figures in by_name.values())
    return [
        NamedView(
            name=name,
            conversations=figures.conversations,
            share=round(figures.conversations / everything, 4),
            resolution=resolution_view(dict(figures.resolution.counts)),
            handoff_rate=rounded(figures.handoff_rate),
            questions=figures.questions,
            unanswered_questions=figures.unanswered,
            satisfaction=ratings_view(figures.ratings),
        )
        for name, figures in by_name.items()
    ]


def rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
