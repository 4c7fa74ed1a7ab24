"""Figures on real rows of both databases: endings, days, times, promises, shops apart."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from core.errors import InvalidRequest
from core.runtime import Runtime
from services.conversations.ratings import ratings
from services.conversations.tables import conversations
from services.monitoring.conversation_figures import (
    Period,
    figures_by_channel,
    figures_by_day,
    figures_by_intent,
    total,
)
from services.monitoring.missed_searches import missing_products
from services.monitoring.outcomes import refresh_outcomes
from services.monitoring.tables import conversation_outcomes, unanswered_questions
from services.monitoring.ticket_figures import ticket_figures_by_day, total_of_tickets
from services.tickets.tables import tickets
from tests.history import Past, Said, invented_past, write_past, write_tickets
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio

PARIS = ZoneInfo("Europe/Paris")
MANY = 10_000
DELIVERY = Said("Quels sont vos délais ?", "delivery_question")
AGAIN = Said("Et mes délais ?", "delivery_question")
UNKNOWN = Said("Louez-vous des meubles ?", "out_of_scope", known=False)
THANKS = Said("Merci", "thanks", timedelta(minutes=1))


async def write(runtime: Runtime, organization_id: UUID, *past: Past) -> None:
    async with runtime.database.transaction(organization_id) as transaction:
        await write_past(transaction, past)


async def outcome(runtime: Runtime, organization_id: UUID, id: UUID) -> str | None:
    await refresh_outcomes(runtime, organization_id)
    async with runtime.database.reading(organization_id) as transaction:
        found = await transaction.scalar(
            select(conversation_outcomes.c.outcome).where(
                conversation_outcomes.c.conversation_id == id
            )
        )
    return str(found) if found is not None else None


async def test_endings_follow_what_happens(runtime: Runtime, shop: Shop, clock: Clock) -> None:
    own = shop.organization_id
    one = Past(clock(), (DELIVERY,), actor="visitor:a")
    await write(runtime, own, one)
    assert await outcome(runtime, own, one.id) == "open"
    clock.advance(hours=73)
    assert await outcome(runtime, own, one.id) == "assumed"
    clock.advance(hours=1)
    async with runtime.database.transaction(own) as transaction:
        row = {"conversation_id": one.id, "score": 5, "comment": ""}
        await transaction.insert(ratings, {**row, "created_at": clock(), "updated_at": clock()})
    assert await outcome(runtime, own, one.id) == "confirmed"


async def test_who_comes_back_reopens_what_seemed_done(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    first = Past(clock(), (DELIVERY, THANKS), actor="visitor:back")
    stranger = Past(clock(), (DELIVERY, THANKS), actor="visitor:other")
    application = Past(clock(), (DELIVERY, THANKS), actor="key:shop")
    await write(runtime, own, first, stranger, application)
    assert await outcome(runtime, own, first.id) == "confirmed"
    clock.advance(hours=20)
    back = Past(clock(), (AGAIN,), actor="visitor:back")
    # An application writes for many people.
    other = Past(clock(), (AGAIN,), actor="key:shop")
    await write(runtime, own, back, other)
    assert await outcome(runtime, own, first.id) == "reopened"
    assert await outcome(runtime, own, back.id) == "open"
    assert await outcome(runtime, own, stranger.id) == "confirmed"
    assert await outcome(runtime, own, application.id) == "confirmed"


async def test_questions_without_an_answer_are_noted_once(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    one = Past(clock(), (UNKNOWN,))
    await write(runtime, own, one)
    assert await outcome(runtime, own, one.id) == "unanswered"
    async with runtime.database.transaction(own) as transaction:
        later = clock() + timedelta(minutes=5)
        await transaction.execute(update(conversations).values(updated_at=later))
    assert await refresh_outcomes(runtime, own) == 1
    async with runtime.database.reading(own) as transaction:
        count = select(func.count()).select_from(unanswered_questions)
        assert await transaction.scalar(count) == 1


async def test_nothing_is_computed_twice(runtime: Runtime, shop: Shop, clock: Clock) -> None:
    await write(runtime, shop.organization_id, *invented_past(clock(), 8, 5))
    assert await refresh_outcomes(runtime, shop.organization_id) > 0
    assert await refresh_outcomes(runtime, shop.organization_id) == 0


async def test_figures_add_up_by_day_intent_and_channel(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    past = invented_past(clock(), 20, 8)
    await write(runtime, own, *past)
    await refresh_outcomes(runtime, own)
    today = clock().astimezone(PARIS).date()
    period = Period(today - timedelta(days=30), today)
    async with runtime.database.reading(own) as transaction:
        days = await figures_by_day(transaction, period)
        intents = await figures_by_intent(transaction, period)
        channels = await figures_by_channel(transaction, period)
        email = total(
            (await figures_by_day(transaction, Period(period.start, today, "email"))).values()
        )
    everything = total(days.values())
    assert everything.conversations == len(past)
    assert everything.handed_over == sum(one.person_after is not None for one in past)
    assert everything.unanswered == sum(not said.known for one in past for said in one.said)
    assert everything.ratings.count == sum(one.rating is not None for one in past)
    assert everything.first_answer_ms.median == 120
    waits = sorted(one.person_after.total_seconds() for one in past if one.person_after)
    assert everything.person_seconds.count == len(waits)
    assert everything.person_seconds.percentile(1) == waits[-1]
    for parts in (intents, channels):
        summed = total(parts.values())
        assert summed.resolution == everything.resolution
        assert summed.ratings == everything.ratings
    assert email.resolution == channels["email"].resolution
    assert list(days) == list(period.days())


async def test_a_day_begins_at_midnight_of_the_shop(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    # 23:30 UTC is half past midnight in Paris, in winter.
    began = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)
    clock.now = began + timedelta(days=5)
    await write(runtime, own, Past(began, (DELIVERY,)))
    await refresh_outcomes(runtime, own)
    async with runtime.database.transaction(own) as transaction:
        await write_tickets(transaction, clock(), 1, 3)
        await transaction.execute(update(tickets).values(created_at=began))
    async with runtime.database.reading(own) as transaction:
        period = Period(date(2026, 1, 9), date(2026, 1, 12))
        days = await figures_by_day(transaction, period)
        filed = await ticket_figures_by_day(transaction, period, PARIS, clock())
    assert [days[day].conversations for day in period.days()] == [0, 0, 1, 0]
    assert [filed[day].tickets for day in period.days()] == [0, 0, 3, 0]


async def test_promises_are_kept_broken_or_running(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own, now = shop.organization_id, clock()
    async with runtime.database.transaction(own) as transaction:
        await write_tickets(transaction, now, 2, 3)
        found = await transaction.all(select(tickets.c.id))
        hours = [  # answered after, deadline in, paused
            (1, 24, None),
            (30, 24, None),
            (None, 24, None),
            (None, -1, None),
            (None, -1, now - timedelta(hours=30)),
            (23, 24, None),
        ]
        for row, (answered, deadline, paused) in zip(found, hours, strict=True):
            filed = now - timedelta(hours=40)
            due = filed + timedelta(hours=24) if answered else now + timedelta(hours=deadline)
            await transaction.execute(
                update(tickets)
                .where(tickets.c.id == row.id)
                .values(
                    created_at=filed,
                    sla_response_deadline=due,
                    first_response_at=filed + timedelta(hours=answered) if answered else None,
                    sla_paused_at=paused,
                    resolved_at=None,
                )
            )
    today = now.astimezone(PARIS).date()
    async with runtime.database.reading(own) as transaction:
        period = Period(today - timedelta(days=7), today)
        figures = total_of_tickets(
            (await ticket_figures_by_day(transaction, period, PARIS, now)).values()
        )
        other_channel = Period(period.start, today, "email")
        none = await ticket_figures_by_day(transaction, other_channel, PARIS, now)
    assert (figures.kept, figures.broken, figures.running) == (2, 2, 2)
    assert figures.kept_rate == 0.5
    assert figures.first_response_seconds.median == 23 * 3600
    assert total_of_tickets(none.values()).tickets == 0


async def test_another_shop_sees_nothing(runtime: Runtime, shop: Shop, clock: Clock) -> None:
    await write(runtime, shop.organization_id, Past(clock(), (DELIVERY, UNKNOWN)))
    for organization_id in (shop.organization_id, shop.other_organization_id):
        await refresh_outcomes(runtime, organization_id)
    today = clock().astimezone(PARIS).date()
    period = Period(today - timedelta(days=1), today)
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        assert total((await figures_by_day(transaction, period)).values()).conversations == 0
        assert await figures_by_intent(transaction, period) == {}


@pytest.mark.parametrize(
    ("start", "end"), [(date(2026, 2, 1), date(2026, 1, 1)), (date(2024, 1, 1), date(2026, 1, 1))]
)
async def test_a_period_has_an_end_and_a_limit(start: date, end: date) -> None:
    with pytest.raises(InvalidRequest):
        Period(start, end)


async def test_searches_that_found_nothing_are_grouped_by_their_words(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    hammock = Said("Avez-vous des hamacs ?", "product_search", missed="hamac")
    again = Said("Un hamac, s’il vous plaît", "product_search", timedelta(hours=1), missed="hamac")
    swing = Said("Une balancelle ?", "product_search", missed="balancel")
    long_ago = Past(clock() - timedelta(days=91), (hammock,))
    await write(runtime, own, Past(clock(), (hammock, again)), Past(clock(), (swing,)), long_ago)
    await write(runtime, shop.other_organization_id, Past(clock(), (swing,)))
    await refresh_outcomes(runtime, own)
    await refresh_outcomes(runtime, own)
    async with runtime.database.reading(own) as transaction:
        found, count = await missing_products(transaction, clock(), 10, 0)
        second, _ = await missing_products(transaction, clock(), 1, 1)
        unknown = await transaction.all(select(unanswered_questions.c.message_id))
        counted = await transaction.scalar(select(func.sum(conversation_outcomes.c.unanswered)))
    assert [(one.words, one.searches) for one in found] == [("hamac", 2), ("balancel", 1)]
    assert [asked.text for asked in found[0].asked] == [again.text, hammock.text]
    assert (count, second) == (2, found[1:])
    assert unknown == [], "no article would answer them"
    assert counted == 4


async def test_ten_thousand_conversations_are_read_in_a_moment(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    """A year of figures costs this thread less than half a second, and none is lost."""
    own, today = shop.organization_id, clock().astimezone(PARIS).date()
    async with runtime.database.transaction(own) as transaction:
        past = [Past(clock(), (DELIVERY,)) for _ in range(MANY)]
        for start in range(0, MANY, 1_000):
            await write_past(transaction, past[start : start + 1_000])
        await transaction.insert_many(
            conversation_outcomes,
            [
                {
                    "conversation_id": one.id,
                    "channel": "web_chat",
                    "intent": f"intent_{number % 20}",
                    "started_on": today - timedelta(days=number % 365),
                    "outcome": "assumed",
                    "handed_over": False,
                    "rating": number % 5 + 1,
                    "questions": 1,
                    "unanswered": 0,
                    "first_answer_ms": number % 400,
                    "duration_seconds": number % 900,
                    "seen_at": clock(),
                    "computed_at": clock(),
                }
                for number, one in enumerate(past)
            ],
        )
    async with runtime.database.reading(own) as transaction:
        period = Period(today - timedelta(days=364), today)
        # Of this thread: others of the process may have work of their own.
        began = time.thread_time()
        days = await figures_by_day(transaction, period)
        intents = await figures_by_intent(transaction, period)
        taken = time.thread_time() - began
    assert total(days.values()).conversations == MANY
    assert taken < 0.5
    assert (len(days), len(intents)) == (365, 20)
    assert {row.conversations for row in intents.values()} == {MANY // 20}
