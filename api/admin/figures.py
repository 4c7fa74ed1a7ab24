"""What managers see of their shop: conversations, resolution, times, promises, ratings (X12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from api.admin.envelope import APIResponse
from api.admin.figures_csv import Cell, csv_response
from api.admin.figures_views import (
    DayView,
    NamedView,
    OverviewView,
    TimesView,
    conversations_view,
    named_views,
    tickets_view,
)
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from core.errors import NotFound
from core.runtime import Runtime
from core.security import Principal
from core.text import Text
from knowledge.health.findings import list_findings
from knowledge.health.gaps import list_gaps
from services.monitoring.conversation_figures import (
    Period,
    figures_by_channel,
    figures_by_day,
    figures_by_intent,
    total,
)
from services.monitoring.outcomes import refresh_outcomes, shop_time_zone
from services.monitoring.resolution import OUTCOMES
from services.monitoring.ticket_figures import ticket_figures_by_day, total_of_tickets

SEE = "analytics:read"
DEFAULT_DAYS = 30
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
MOST_EXPORTED_ROWS = 10_000

TABLES = ("days", "intents", "channels", "unanswered", "findings")
Table = Annotated[
    str, Path(max_length=1_000, description=f"One of {', '.join(TABLES)}.", examples=["days"])
]

router = APIRouter(prefix="/api/v1/analytics", tags=["Analytics"], route_class=StrictRoute)


class Asked:
    """The period and channel of a request; without days the last thirty."""

    def __init__(
        self,
        start: Annotated[
            date | None,
            Query(alias="from", ge=FIRST_DAY, le=LAST_DAY, description="The first day."),
        ] = None,
        end: Annotated[
            date | None,
            Query(alias="to", ge=FIRST_DAY, le=LAST_DAY, description="The last day."),
        ] = None,
        channel: Annotated[
            Text | None, Query(max_length=20, description="Only this channel.")
        ] = None,
    ) -> None:
        self.start, self.end, self.channel = start, end, channel

    def period(self, today: date) -> Period:
        end = self.end or today
        start = self.start or end - timedelta(days=DEFAULT_DAYS - 1)
        return Period(start, end, self.channel or None)


AskedPeriod = Annotated[Asked, Depends()]


@route(router, "GET", "/overview", summary="Read the figures of a period", fails=(400,))
async def read_overview(
    operator: CurrentOperator, runtime: CurrentRuntime, asked: AskedPeriod
) -> APIResponse[OverviewView]:
    """Totals, days, intents and channels of a period of at most 366 days of the shop's calendar.

    Conversations count on the day on which they began, tickets on the day on which they were filed.
    """
    operator.require(SEE)
    return APIResponse(data=await overview(runtime, operator, asked))


async def overview(runtime: Runtime, operator: Principal, asked: Asked) -> OverviewView:
    """Everything that is said of a period, of the operator's own shop."""
    now = runtime.clock()
    await refresh_outcomes(runtime, operator.organization_id)
    async with runtime.database.reading(operator.organization_id) as transaction:
        zone = await shop_time_zone(transaction)
        period = asked.period(now.astimezone(zone).date())
        days = await figures_by_day(transaction, period)
        tickets = await ticket_figures_by_day(transaction, period, zone, now)
        intents = await figures_by_intent(transaction, period)
        channels = await figures_by_channel(transaction, Period(period.start, period.end))
    return OverviewView(
        start=period.start,
        end=period.end,
        channel=period.channel,
        time_zone=zone.key,
        conversations=conversations_view(total(days.values())),
        tickets=tickets_view(total_of_tickets(tickets.values())),
        days=[
            DayView(
                day=day,
                conversations=conversations_view(days[day]),
                tickets=tickets_view(tickets[day]),
            )
            for day in period.days()
        ],
        intents=named_views(intents),
        channels=named_views(channels),
    )


@route(
    router,
    "GET",
    "/export/{table}",
    summary="Download a table as CSV",
    fails=(400, 404),
    response_class=Response,
    response_model=None,
)
async def export_table(
    table: Table, operator: CurrentOperator, runtime: CurrentRuntime, asked: AskedPeriod
) -> Response:
    """A table of the dashboard as UTF-8 CSV; no cell begins like a formula.

    `unanswered` and `findings` are what is open now, whatever the period.
    """
    operator.require(SEE)
    if table not in TABLES:
        raise NotFound(f"There is no such table; export one of {', '.join(TABLES)}.")
    if table == "unanswered":
        return await _unanswered_csv(runtime, operator)
    if table == "findings":
        return await _findings_csv(runtime, operator)
    figures = await overview(runtime, operator, asked)
    name = f"{table}-{figures.start}-{figures.end}"
    if table == "days":
        return csv_response(name, DAY_COLUMNS, map(_day_row, figures.days))
    named = figures.intents if table == "intents" else figures.channels
    return csv_response(name, (table[:-1], *NAMED_COLUMNS), map(_named_row, named))


_TIMES = ("count", "median", "p95")
DAY_COLUMNS = (
    "day",
    "conversations",
    *OUTCOMES,
    "handoff_rate",
    "questions",
    "unanswered_questions",
    *(f"first_answer_seconds_{one}" for one in _TIMES),
    *(f"person_seconds_{one}" for one in _TIMES),
    *(f"resolution_seconds_{one}" for one in _TIMES),
    "ratings",
    "rating_average",
    "tickets",
    "sla_kept",
    "sla_broken",
    "sla_running",
    "sla_kept_rate",
    *(f"ticket_first_response_seconds_{one}" for one in _TIMES),
    *(f"ticket_resolution_seconds_{one}" for one in _TIMES),
)
NAMED_COLUMNS = (
    "conversations",
    "share",
    *OUTCOMES,
    "handoff_rate",
    "questions",
    "unanswered_questions",
    "ratings",
    "rating_average",
)


def _day_row(day: DayView) -> Sequence[Cell]:
    one, tickets = day.conversations, day.tickets
    return (
        day.day,
        one.conversations,
        *(getattr(one.resolution, name) for name in OUTCOMES),
        one.handoff_rate,
        one.questions,
        one.unanswered_questions,
        *_times(one.first_answer_seconds),
        *_times(one.person_seconds),
        *_times(one.resolution_seconds),
        one.satisfaction.count,
        one.satisfaction.average,
        tickets.tickets,
        tickets.sla_kept,
        tickets.sla_broken,
        tickets.sla_running,
        tickets.sla_kept_rate,
        *_times(tickets.first_response_seconds),
        *_times(tickets.resolution_seconds),
    )


def _times(times: TimesView) -> Iterator[Cell]:
    yield from (times.count, times.median, times.p95)


def _named_row(one: NamedView) -> Sequence[Cell]:
    return (
        one.name,
        one.conversations,
        one.share,
        *(getattr(one.resolution, name) for name in OUTCOMES),
        one.handoff_rate,
        one.questions,
        one.unanswered_questions,
        one.satisfaction.count,
        one.satisfaction.average,
    )


async def _unanswered_csv(runtime: Runtime, operator: Principal) -> Response:
    async with runtime.database.reading(operator.organization_id) as transaction:
        gaps, _ = await list_gaps(transaction, MOST_EXPORTED_ROWS, 0, "open")
    header = ("question", "language", "questions", "first_asked_at", "last_asked_at")
    return csv_response(
        "unanswered",
        header,
        ((g.question, g.language, g.questions, _at(g.first_at), _at(g.last_at)) for g in gaps),
    )


async def _findings_csv(runtime: Runtime, operator: Principal) -> Response:
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, _ = await list_findings(transaction, MOST_EXPORTED_ROWS, 0, "open")
    header = ("kind", "document", "other_document", "quote", "other_quote", "date", "found_at")
    return csv_response(
        "findings",
        header,
        (
            (
                one.kind,
                one.title,
                one.other_title,
                one.details.get("quote"),
                one.details.get("other_quote"),
                one.details.get("date") or one.details.get("updated_on"),
                _at(one.found_at),
            )
            for one in found
        ),
    )


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
