"""After-sales rights: delivery, the shop's terms, and what must hold for any purchase."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from services.rights.facts import NO_HISTORY, History, Problem, Purchase
from services.rights.rules import RIGHTS_OF_PROBLEM, right_of, rights_of
from services.rights.terms import FILE, default_terms, read_terms
from services.rights.working_days import public_holidays
from tests.unit.rights_examples import bought_online, right

PROBLEMS: tuple[Problem, ...] = tuple(RIGHTS_OF_PROBLEM)


class TestGoodwill:
    def test_thirty_days_to_exchange_what_was_bought_in_a_store(self) -> None:
        bought = Purchase(
            ordered_on=date(2026, 5, 7), delivered_on=date(2026, 5, 20), distance_sale=False
        )
        assert right("commercial_exchange", bought, "2026-06-06").applies
        assert right("commercial_exchange", bought, "2026-06-07").reason == "over"
        assert (
            right("commercial_exchange", replace(bought, made_to_measure=True), "2026-06-06").reason
            == "made_to_measure"
        )
        assert (
            right("commercial_exchange", replace(bought, distance_sale=True), "2026-06-06").reason
            == "bought_at_distance"
        )

    def test_thirty_nights_to_try_a_mattress(self) -> None:
        mattress = bought_online(date(2026, 5, 7), kind="mattress")
        found = right("mattress_trial", mattress, "2026-06-06")
        assert (found.applies, found.until) == (True, date(2026, 6, 6))
        assert not right("mattress_trial", mattress, "2026-06-07").applies
        assert (
            right("mattress_trial", replace(mattress, kind="furniture"), "2026-06-06").reason
            == "not_a_mattress"
        )
        assert (
            right("mattress_trial", replace(mattress, made_to_measure=True), "2026-06-06").reason
            == "made_to_measure"
        )


class TestDelivery:
    @pytest.mark.parametrize(
        ("received", "last_day"),
        [
            ("2026-05-05", "2026-05-09"),  # Wed 6, Thu 7, Sat 9: Friday 8 May is left out
            ("2026-05-07", "2026-05-12"),  # Sat 9, Mon 11, Tue 12: 8 May and a Sunday left out
            ("2026-09-04", "2026-09-08"),  # Friday: Saturday counts, Sunday does not
            ("2026-04-30", "2026-05-05"),  # 1 May and Sunday 3 left out
        ],
    )
    def test_three_days_for_the_carrier_by_l133_3(self, received: str, last_day: str) -> None:
        purchase = bought_online(date.fromisoformat(received))
        found = right("transport_claim", purchase, last_day)
        assert (found.applies, found.until) == (True, date.fromisoformat(last_day))

    def test_after_the_three_days_the_shop_still_answers(self) -> None:
        # L216-2: the risk passes with physical possession; L217-3 covers the rest.
        purchase = bought_online(date(2026, 5, 5))
        conformity, claim, _ = rights_of(purchase, "transport_damage", date(2026, 5, 12))
        assert (claim.applies, claim.reason) == (False, "over")
        assert claim.facts["shop_bears_transport_reference"] == "C. consom., art. L216-2"
        assert conformity.applies
        taken = replace(purchase, collected_by_customer=True)
        assert right("transport_claim", taken, "2026-05-06").reason == "collected_by_customer"

    def test_thirty_days_where_no_day_was_promised(self) -> None:
        # L216-1: ordered on 1 May, due on 31 May.
        purchase = bought_online(None)
        assert right("late_delivery_termination", purchase, "2026-05-31").reason == "not_late"
        late = right("late_delivery_termination", purchase, "2026-06-01")
        assert (late.applies, late.reason) == (False, "formal_notice_first")
        assert late.facts["due_on"] == date(2026, 5, 31)
        assert late.facts["payment_may_be_suspended"] is True

    @pytest.mark.parametrize(
        ("today", "history", "reason"),
        [
            ("2026-05-21", {"additional_period_ends_on": date(2026, 6, 4)}, "notice_running"),
            ("2026-06-04", {"additional_period_ends_on": date(2026, 6, 4)}, "notice_running"),
            ("2026-06-05", {"additional_period_ends_on": date(2026, 6, 4)}, "may_terminate"),
            ("2026-05-21", {"delivery_date_essential": True}, "may_terminate"),
            ("2026-05-20", {"delivery_date_essential": True}, "not_late"),
            ("2026-05-12", {"delivery_refused": True}, "may_terminate"),
            ("2026-06-09", {"terminated_on": date(2026, 6, 8)}, "terminated"),
        ],
    )
    def test_notice_then_termination_by_l216_6(
        self, today: str, history: dict[str, object], reason: str
    ) -> None:
        found = right(
            "late_delivery_termination",
            bought_online(None),
            today,
            promised_delivery_on=date(2026, 5, 20),
            **history,
        )
        assert (found.reason, found.reference) == (reason, "C. consom., art. L216-6")
        assert found.applies == (reason in ("may_terminate", "terminated"))

    def test_what_was_delivered_is_not_terminated_for_lateness(self) -> None:
        found = right(
            "late_delivery_termination",
            bought_online(date(2026, 8, 5)),
            "2026-08-06",
            promised_delivery_on=date(2026, 7, 30),
        )
        assert (found.applies, found.reason) == (False, "delivered")


class TestTerms:
    def test_another_shop_brings_its_own_versions(self, tmp_path: Path) -> None:
        text = FILE.read_text(encoding="utf-8")
        entry = text[text.index("- valid_from") :]
        older = entry.replace("valid_until: null", "valid_until: 2026-05-31")
        newer = entry.replace("2016-07-01", "2026-06-01").replace(
            "exchange_days: 30", "exchange_days: 60"
        )
        file = tmp_path / "terms.yaml"
        file.write_text(older + newer, encoding="utf-8")
        terms = read_terms(file)
        for bought, days in ((date(2026, 5, 31), 30), (date(2026, 6, 1), 60)):
            purchase = Purchase(ordered_on=bought, delivered_on=bought, distance_sale=False)
            found = right_of("commercial_exchange", purchase, bought, terms=terms)
            assert found.until == bought + timedelta(days=days)
            assert found.rule_version == terms[days == 60].version

    @pytest.mark.parametrize(
        ("written", "instead"),
        [
            ("exchange_days: 30", "exchange_days: thirty"),
            ("exchange_days: 30", "exchange_day: 30"),
            ("fabric: 2", "cloth: 2"),
            ("- valid_from", "- [valid_from"),
        ],
    )
    def test_terms_that_cannot_be_read_are_refused(
        self, tmp_path: Path, written: str, instead: str
    ) -> None:
        file = tmp_path / "terms.yaml"
        file.write_text(FILE.read_text(encoding="utf-8").replace(written, instead))
        with pytest.raises(InvalidRequest):
            read_terms(file)

    def test_versions_that_overlap_are_refused(self, tmp_path: Path) -> None:
        text = FILE.read_text(encoding="utf-8")
        file = tmp_path / "terms.yaml"
        file.write_text(text + text[text.index("- valid_from") :])
        with pytest.raises(InvalidRequest, match="overlap"):
            read_terms(file)

    def test_every_reference_is_an_article_of_the_sample_shop(self) -> None:
        folder = Path(__file__).parents[2] / "sample_shop" / "articles" / "fr"
        for version in default_terms():
            for reference in (
                version.exchange_reference,
                version.mattress_trial_reference,
                version.warranty_reference,
            ):
                assert (folder / f"{reference.removeprefix('article:')}.md").is_file()


class TestAnyPurchase:
    @pytest.mark.parametrize(
        ("purchase", "history", "field"),
        [
            (bought_online(date(2026, 5, 6)), NO_HISTORY, "delivered_on"),
            (
                bought_online(date(2026, 5, 1), ordered_on=date(2026, 5, 2)),
                NO_HISTORY,
                "delivered_on",
            ),
            (
                bought_online(date(2026, 5, 1)),
                History(discovered_on=date(2026, 5, 6)),
                "discovered_on",
            ),
            (bought_online(date(2026, 5, 1)), History(claimed_on=date(202, 5, 1)), "claimed_on"),
            (
                bought_online(None),
                History(promised_delivery_on=date(9999, 12, 31)),
                "promised_delivery_on",
            ),
            (
                bought_online(date(2026, 5, 1), order_delivered_on=date(2026, 4, 25)),
                NO_HISTORY,
                "order_delivered_on",
            ),
        ],
    )
    def test_dates_that_cannot_be_are_refused(
        self, purchase: Purchase, history: History, field: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refused:
            rights_of(purchase, "defect", date(2026, 5, 5), history)
        assert refused.value.details["field"] == field

    def test_a_delivery_abroad_is_told_with_every_right(self) -> None:
        purchase = bought_online(date(2026, 5, 5), delivery_country="BE")
        for found in rights_of(purchase, "change_of_mind", date(2026, 5, 6)):
            assert found.facts["delivery_country"] == "BE"

    @given(
        st.builds(
            Purchase,
            ordered_on=st.dates(date(1995, 1, 1), date(2060, 1, 1)),
            delivered_on=st.none(),
            distance_sale=st.booleans(),
            kind=st.sampled_from(["furniture", "mattress", "textile", "electrical", "other"]),
            part=st.sampled_from(
                [None, "structure", "frame", "fabric", "foam", "mechanism", "core"]
            ),
            structure=st.sampled_from([None, "seat", "wood", "other"]),
            made_to_measure=st.booleans(),
            second_hand=st.booleans(),
            consumer=st.booleans(),
            warranty_years=st.none() | st.integers(0, 15),
        ),
        st.sampled_from(PROBLEMS),
        st.none() | st.integers(0, 200),
        st.integers(0, 8000),
    )
    def test_a_right_that_applies_has_a_reference_and_has_not_ended(
        self, purchase: Purchase, problem: Problem, delivery_days: int | None, days: int
    ) -> None:
        if delivery_days is not None:
            delivered_on = purchase.ordered_on + timedelta(days=delivery_days)
            purchase = replace(purchase, delivered_on=delivered_on)
        today = (purchase.delivered_on or purchase.ordered_on) + timedelta(days=days)
        found = rights_of(purchase, problem, today)
        assert [item.name for item in found] == list(RIGHTS_OF_PROBLEM[problem])
        for item in found:
            assert not item.applies or (item.reference and item.rule_version)
            assert not item.applies or item.until is None or item.until >= today
            assert (item.rule_version is None) == (item.reason == "no_rule_for_date")
            if item.rule_version:
                last = item.rule_version.valid_until or date.max
                assert item.rule_version.valid_from <= purchase.ordered_on <= last

    @pytest.mark.parametrize(
        ("year", "easter_monday", "ascension", "whit_monday"),
        [
            (2024, "2024-04-01", "2024-05-09", "2024-05-20"),
            (2026, "2026-04-06", "2026-05-14", "2026-05-25"),
            (2038, "2038-04-26", "2038-06-03", "2038-06-14"),  # the latest Easter there can be
        ],
    )
    def test_the_eleven_holidays_of_l3133_1(
        self, year: int, easter_monday: str, ascension: str, whit_monday: str
    ) -> None:
        days = public_holidays("FR", year)
        assert {date.fromisoformat(day) for day in (easter_monday, ascension, whit_monday)} <= days
        assert len(days) == 11
