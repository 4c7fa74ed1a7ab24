"""Withdrawal and refund: worked examples by article, and what must hold for any date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rights.facts import History, Purchase, Right
from services.rights.rules import right_of
from services.rights.working_days import is_working_day
from tests.unit.rights_examples import bought_online, receipts, right


def withdrawal_until(delivered_on: date, **more: object) -> date:
    until = right_of("withdrawal", bought_online(delivered_on, **more), delivered_on).until
    assert until is not None
    return until


class TestWithdrawal:
    @pytest.mark.parametrize(
        ("received", "last_day"),
        [
            ("2026-05-05", "2026-05-19"),  # a Tuesday, nothing to move
            ("2026-05-07", "2026-05-21"),  # 8 and 14 May inside the period count like any day
            ("2026-05-09", "2026-05-26"),  # ends Saturday 23; Sunday; Whit Monday 25
            ("2026-05-10", "2026-05-26"),  # ends on Sunday 24, before Whit Monday
            ("2026-04-17", "2026-05-04"),  # ends on Friday 1 May, before a weekend
            ("2026-12-11", "2026-12-28"),  # ends on Christmas, a Friday
            ("2026-12-18", "2027-01-04"),  # ends on Friday 1 January
            ("2026-06-30", "2026-07-15"),  # ends on Tuesday 14 July
            ("2024-02-15", "2024-02-29"),  # the leap day is a day
            ("2027-02-15", "2027-03-01"),
            ("2026-03-20", "2026-04-03"),  # Good Friday is no holiday in most of France
            ("2026-03-28", "2026-04-13"),  # ends on Saturday 11 April
            ("2026-03-23", "2026-04-07"),  # ends on Easter Monday
        ],
    )
    def test_the_last_day_by_l221_19_and_regulation_1182_71(
        self, received: str, last_day: str
    ) -> None:
        found = right("withdrawal", bought_online(date.fromisoformat(received)), received)
        assert (found.until, found.reference) == (
            date.fromisoformat(last_day),
            "C. consom., art. L221-18",
        )

    def test_the_last_day_is_included_and_the_next_is_too_late(self) -> None:
        purchase = bought_online(date(2026, 5, 5))
        assert right("withdrawal", purchase, "2026-05-19").applies
        after = right("withdrawal", purchase, "2026-05-20")
        assert (after.applies, after.reason) == (False, "over")

    @pytest.mark.parametrize(
        ("place", "last_day"),
        [
            ({"delivery_postal_code": "67000"}, "2026-04-07"),
            ({"delivery_city": "Strasbourg"}, "2026-04-07"),
            ({"delivery_city": "Montigny lès Metz"}, "2026-04-07"),
            ({"delivery_city": "Lyon"}, "2026-04-03"),
            ({"delivery_postal_code": "6700", "delivery_country": "BE"}, "2026-04-03"),
        ],
    )
    def test_good_friday_counts_in_alsace_and_moselle(
        self, place: dict[str, object], last_day: str
    ) -> None:
        # C. trav., art. L3134-13: Friday 3 April, then a weekend and Easter Monday.
        assert withdrawal_until(date(2026, 3, 20), **place) == date.fromisoformat(last_day)

    def test_the_holidays_of_belgium_and_luxembourg_are_added_to_the_french(self) -> None:
        assert withdrawal_until(date(2026, 7, 7), delivery_country="BE") == date(2026, 7, 22)
        assert withdrawal_until(date(2026, 6, 9), delivery_country="LU") == date(2026, 6, 24)
        assert withdrawal_until(date(2026, 6, 30), delivery_country="BE") == date(2026, 7, 15)

    def test_it_begins_with_the_last_article_of_the_order(self) -> None:
        # L221-18, 2°: goods of one order delivered apart.
        purchase = bought_online(date(2026, 5, 5), order_delivered_on=date(2026, 5, 12))
        assert right("withdrawal", purchase, "2026-05-26").until == date(2026, 5, 26)
        waiting = right(
            "withdrawal",
            replace(bought_online(date(2026, 5, 5)), order_complete=False),
            "2026-07-01",
        )
        assert (waiting.applies, waiting.until, waiting.reason) == (
            True,
            None,
            "open_before_receipt",
        )

    def test_it_may_be_used_before_the_delivery(self) -> None:
        found = right("withdrawal", bought_online(None), "2026-05-20")
        assert (found.applies, found.until, found.reason) == (True, None, "open_before_receipt")

    @pytest.mark.parametrize(
        ("change", "reason", "reference"),
        [
            ({"made_to_measure": True}, "made_to_measure", "C. consom., art. L221-28, 3°"),
            ({"distance_sale": False}, "bought_in_store", "C. consom., art. L221-18"),
            ({"consumer": False}, "not_a_consumer", "C. consom., art. L221-18"),
        ],
    )
    def test_who_does_not_have_it(
        self, change: dict[str, object], reason: str, reference: str
    ) -> None:
        found = right("withdrawal", bought_online(date(2026, 5, 5), **change), "2026-05-06")
        assert (found.applies, found.until, found.reason, found.reference) == (
            False,
            None,
            reason,
            reference,
        )

    def test_an_unwrapped_mattress_keeps_it(self) -> None:
        # CJEU, 27 March 2019, C-681/17.
        assert right(
            "withdrawal", bought_online(date(2026, 5, 5), kind="mattress"), "2026-05-10"
        ).applies

    def test_twelve_months_more_without_information(self) -> None:
        # L221-20: from Tuesday 19 May 2026 to Wednesday 19 May 2027.
        purchase = bought_online(date(2026, 5, 5))
        found = right("withdrawal", purchase, "2026-12-01", informed_of_withdrawal=False)
        assert (found.until, found.reason, found.reference) == (
            date(2027, 5, 19),
            "open_extended",
            "C. consom., art. L221-20",
        )

    @pytest.mark.parametrize(
        ("informed", "last_day"),
        [
            ("2026-09-01", "2026-09-15"),  # L221-20: 14 days from the information
            ("2026-09-05", "2026-09-21"),  # ends on Saturday 19
            ("2026-05-06", "2026-05-20"),  # informed within the first 14 days
            ("2026-04-28", "2026-05-19"),  # informed before the receipt: as any customer
            ("2027-05-18", "2027-06-01"),  # informed on the eve of the twelve months' end
        ],
    )
    def test_fourteen_days_from_late_information(self, informed: str, last_day: str) -> None:
        found = right(
            "withdrawal",
            bought_online(date(2026, 5, 5)),
            max(informed, "2026-05-05"),
            informed_of_withdrawal=False,
            informed_of_withdrawal_on=date.fromisoformat(informed),
        )
        assert found.until == date.fromisoformat(last_day)

    def test_once_used_it_says_until_when_to_send_back(self) -> None:
        # L221-23: 14 days from the notice.
        purchase = bought_online(date(2026, 5, 5))
        used = right("withdrawal", purchase, "2026-06-01", withdrawal_notified_on=date(2026, 5, 19))
        assert (used.applies, used.reason) == (True, "exercised")
        assert used.facts["send_back_until"] == date(2026, 6, 2)
        late = right("withdrawal", purchase, "2026-06-01", withdrawal_notified_on=date(2026, 5, 20))
        assert (late.applies, late.reason) == (False, "exercised_too_late")

    def test_the_version_is_that_of_the_contract(self) -> None:
        before = right("withdrawal", bought_online(date(2015, 5, 5)), "2015-05-06")
        assert before.reference == "C. consom., art. L121-21"
        unknown = right("withdrawal", bought_online(date(2013, 5, 5)), "2013-05-06")
        assert (unknown.reason, unknown.rule_version) == ("no_rule_for_date", None)

    @given(receipts, st.sampled_from(["FR", "BE", "LU"]), st.sampled_from([None, "57000"]))
    def test_it_never_ends_on_a_day_off_and_never_before_fourteen_days(
        self, received: date, country: str, postal_code: str | None
    ) -> None:
        until = withdrawal_until(
            received, delivery_country=country, delivery_postal_code=postal_code
        )
        assert is_working_day(until, ("FR",))
        # The longest run of days off: Good Friday to Easter Monday, or 25 December to a Monday.
        assert timedelta(days=14) <= until - received <= timedelta(days=19)

    @given(receipts, st.integers(min_value=0, max_value=40))
    def test_a_later_receipt_never_ends_earlier(self, received: date, days: int) -> None:
        assert withdrawal_until(received) <= withdrawal_until(received + timedelta(days=days))

    @given(receipts, st.integers(min_value=0, max_value=500))
    def test_late_information_never_shortens_it(self, received: date, days: int) -> None:
        informed_on = received + timedelta(days=days)
        history = History(informed_of_withdrawal=False, informed_of_withdrawal_on=informed_on)
        found = right_of("withdrawal", bought_online(received), informed_on, history)
        assert found.until is not None
        assert found.until >= withdrawal_until(received)


class TestRefund:
    PURCHASE = bought_online(date(2026, 5, 5), price_cents=64900)

    def found(self, today: str, **history: object) -> Right:
        history = {"withdrawal_notified_on": date(2026, 5, 10), **history}
        return right("refund_deadline", self.PURCHASE, today, **history)

    def test_fourteen_days_from_the_notice(self) -> None:
        # L221-24; Sunday 24 May is said, not moved on.
        due = self.found("2026-05-12")
        assert (due.until, due.reason, due.reference) == (
            date(2026, 5, 24),
            "due",
            "C. consom., art. L221-24",
        )
        assert due.facts["price_cents"] == 64900

    def test_the_shop_may_wait_for_the_goods_or_the_proof_whichever_is_first(self) -> None:
        assert self.found("2026-06-01").reason == "waits_for_goods"
        back = self.found(
            "2026-06-12", goods_returned_on=date(2026, 6, 10), dispatch_proved_on=date(2026, 6, 3)
        )
        assert (back.until, back.reason) == (date(2026, 6, 3), "overdue")
        early = self.found("2026-05-20", goods_returned_on=date(2026, 5, 12))
        assert early.until == date(2026, 5, 24)

    def test_a_shop_that_offered_to_fetch_the_goods_may_not_wait(self) -> None:
        found = self.found("2026-06-01", shop_collects=True)
        assert (found.until, found.reason) == (date(2026, 5, 24), "overdue")

    def test_goods_never_delivered_are_not_waited_for(self) -> None:
        found = right(
            "refund_deadline",
            bought_online(None),
            "2026-06-30",
            withdrawal_notified_on=date(2026, 5, 10),
        )
        assert (found.until, found.reason) == (date(2026, 5, 24), "overdue")

    def test_nothing_to_refund_without_a_valid_notice(self) -> None:
        asked = right("refund_deadline", self.PURCHASE, "2026-05-12")
        assert (asked.applies, asked.reason) == (False, "nothing_to_refund")
        assert asked.facts["until_if_notified_today"] == date(2026, 5, 26)
        late = self.found("2026-06-01", withdrawal_notified_on=date(2026, 5, 30))
        assert (late.applies, late.reason, dict(late.facts)) == (False, "nothing_to_refund", {})

    def test_fourteen_days_from_the_termination(self) -> None:
        # L216-7 since 2022, L216-3 before.
        found = right(
            "refund_deadline", bought_online(None), "2026-06-20", terminated_on=date(2026, 6, 15)
        )
        assert (found.until, found.reference) == (date(2026, 6, 29), "C. consom., art. L216-7")
        old = Purchase(ordered_on=date(2019, 5, 1), delivered_on=None, distance_sale=True)
        assert (
            right("refund_deadline", old, "2019-07-01", terminated_on=date(2019, 6, 20)).reference
            == "C. consom., art. L216-3"
        )
