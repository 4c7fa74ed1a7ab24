"""Guarantees of the law and of the shop: worked examples by article, and any date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rights.facts import Purchase
from services.rights.law import CONFORMITY, DELIVERY, WITHDRAWAL
from services.rights.rules import right_of
from services.rights.working_days import years_after
from tests.unit.rights_examples import bought_online, receipts, right


class TestLegalConformity:
    @pytest.mark.parametrize(
        ("delivered", "last_day"),
        [
            ("2024-05-07", "2026-05-07"),  # L217-3; the same day number, C. proc. civ., art. 641
            ("2024-02-29", "2026-02-28"),  # no 29 February in 2026
            ("2022-02-28", "2024-02-28"),
            ("2024-05-09", "2026-05-09"),  # a Saturday: a guarantee is not moved on
        ],
    )
    def test_two_years_from_delivery(self, delivered: str, last_day: str) -> None:
        purchase = bought_online(date.fromisoformat(delivered))
        on_last_day = right("legal_conformity", purchase, last_day)
        assert (on_last_day.until, on_last_day.reason, on_last_day.reference) == (
            date.fromisoformat(last_day),
            "presumed",
            "C. consom., art. L217-3",
        )
        next_day = date.fromisoformat(last_day) + timedelta(days=1)
        assert not right_of("legal_conformity", purchase, next_day).applies

    @pytest.mark.parametrize(
        ("ordered", "second_hand", "months", "reference"),
        [
            ("2016-03-17", False, 6, "L211-4"),  # before law 2014-344, art. 15
            ("2016-03-18", False, 24, "L211-4"),
            ("2016-03-18", True, 6, "L211-4"),
            ("2016-07-01", False, 24, "L217-4"),  # the code's new numbers
            ("2021-12-31", True, 6, "L217-4"),
            ("2022-01-01", False, 24, "L217-3"),  # ordinance 2021-1247
            ("2022-01-01", True, 12, "L217-3"),
        ],
    )
    def test_the_presumption_is_that_of_the_day_of_the_contract(
        self, ordered: str, second_hand: bool, months: int, reference: str
    ) -> None:
        bought = date.fromisoformat(ordered)
        purchase = Purchase(
            ordered_on=bought, delivered_on=bought, distance_sale=False, second_hand=second_hand
        )
        found = right_of("legal_conformity", purchase, bought)
        presumed_until = found.facts["presumed_until"]
        assert isinstance(presumed_until, date)
        years, rest = divmod(bought.month - 1 + months, 12)
        assert (presumed_until.year, presumed_until.month) == (bought.year + years, rest + 1)
        assert reference in found.reference
        after = right_of("legal_conformity", purchase, presumed_until + timedelta(days=1))
        assert (after.reason, after.applies) == (
            ("over", False) if months == 24 else ("to_prove", True)
        )

    def test_a_repair_adds_six_months_since_2022_only(self) -> None:
        # L217-13.
        purchase = bought_online(date(2024, 5, 7))
        repaired = right(
            "legal_conformity",
            purchase,
            "2026-09-01",
            repaired_on=date(2026, 4, 1),
            claimed_on=date(2026, 3, 10),
            discovered_on=date(2026, 9, 1),
        )
        assert (repaired.until, repaired.reason) == (date(2026, 11, 7), "to_prove")
        assert repaired.facts["extension_reference"] == "C. consom., art. L217-13"
        too_late = right("legal_conformity", purchase, "2026-09-01", repaired_on=date(2026, 5, 8))
        assert (too_late.until, too_late.applies) == (date(2026, 5, 7), False)
        before = bought_online(date(2020, 5, 7))
        assert right(
            "legal_conformity", before, "2021-09-01", repaired_on=date(2021, 4, 1)
        ).until == date(2022, 5, 7)

    def test_a_replacement_instead_of_the_chosen_repair_begins_anew(self) -> None:
        # L217-13, al. 2.
        found = right(
            "legal_conformity",
            bought_online(date(2024, 5, 7)),
            "2026-09-01",
            replaced_on=date(2026, 1, 15),
        )
        assert (found.until, found.reason) == (date(2028, 1, 15), "presumed")

    def test_repair_within_thirty_days_then_price_reduction_or_rescission(self) -> None:
        # L217-10, then L217-14; one month and L217-10 in the version before 2022.
        purchase = bought_online(date(2026, 1, 7))
        waiting = right("legal_conformity", purchase, "2026-03-31", claimed_on=date(2026, 3, 1))
        assert (waiting.reason, waiting.facts["remedy_until"]) == ("presumed", date(2026, 3, 31))
        late = right("legal_conformity", purchase, "2026-04-01", claimed_on=date(2026, 3, 1))
        assert (late.applies, late.reason) == (True, "remedy_overdue")
        assert late.facts["fallback_reference"] == "C. consom., art. L217-14"
        done = right(
            "legal_conformity",
            purchase,
            "2026-04-20",
            claimed_on=date(2026, 3, 1),
            repaired_on=date(2026, 3, 20),
        )
        assert done.reason == "presumed"
        old = right(
            "legal_conformity",
            bought_online(date(2020, 1, 7)),
            "2020-03-02",
            claimed_on=date(2020, 1, 31),
        )
        assert old.facts["remedy_until"] == date(2020, 2, 29)

    def test_a_defect_that_appeared_in_time_may_be_claimed_later_since_2022(self) -> None:
        # L217-3 keeps C. civ., art. 2224; until 2021 the two years barred the action (L217-12).
        found = right(
            "legal_conformity",
            bought_online(date(2024, 5, 7)),
            "2026-10-01",
            discovered_on=date(2026, 4, 1),
        )
        assert (found.applies, found.reason) == (True, "appeared_in_time")
        assert found.facts["action_until"] == date(2031, 4, 1)
        assert not right(
            "legal_conformity",
            bought_online(date(2024, 5, 7)),
            "2031-04-02",
            discovered_on=date(2026, 4, 1),
        ).applies
        assert not right(
            "legal_conformity",
            bought_online(date(2020, 5, 7)),
            "2022-10-01",
            discovered_on=date(2022, 4, 1),
        ).applies

    def test_made_to_measure_and_store_purchases_have_it_and_companies_do_not(self) -> None:
        made = bought_online(date(2026, 5, 5), made_to_measure=True, distance_sale=False)
        assert right("legal_conformity", made, "2026-06-01").applies
        assert (
            right("legal_conformity", replace(made, consumer=False), "2026-06-01").reason
            == "not_a_consumer"
        )
        assert right("legal_conformity", bought_online(None), "2026-06-01").reason == (
            "not_delivered"
        )

    @given(receipts, st.integers(min_value=0, max_value=900))
    def test_it_applies_exactly_until_its_last_day(self, delivered: date, days: int) -> None:
        today = delivered + timedelta(days=days)
        found = right_of("legal_conformity", bought_online(delivered), today)
        assert found.until == years_after(delivered, 2)
        assert found.applies == (today <= found.until)
        assert timedelta(days=730) <= found.until - delivered <= timedelta(days=731)

    @pytest.mark.parametrize("rules", [CONFORMITY, DELIVERY, WITHDRAWAL])
    def test_versions_follow_one_another_without_a_gap(self, rules: tuple[object, ...]) -> None:
        versions = [rule.version for rule in rules]  # type: ignore[attr-defined]
        for earlier, later in pairwise(versions):
            assert earlier.valid_until + timedelta(days=1) == later.valid_from
        assert versions[-1].valid_until is None


class TestLatentDefects:
    def test_two_years_from_discovery_within_twenty_of_the_sale(self) -> None:
        # C. civ., art. 1648 and 2232.
        purchase = Purchase(
            ordered_on=date(2010, 3, 1), delivered_on=date(2010, 3, 20), distance_sale=False
        )
        found = right("latent_defects", purchase, "2026-05-01", discovered_on=date(2026, 4, 1))
        assert (found.applies, found.until) == (True, date(2028, 4, 1))
        capped = right("latent_defects", purchase, "2029-10-01", discovered_on=date(2029, 9, 1))
        assert capped.until == date(2030, 3, 1)
        over = right("latent_defects", purchase, "2026-05-01", discovered_on=date(2024, 4, 30))
        assert (over.applies, over.reason) == (False, "over")

    def test_no_last_day_is_said_without_a_discovery(self) -> None:
        purchase = bought_online(date(2026, 5, 5))
        found = right("latent_defects", purchase, "2030-05-06")
        assert (found.applies, found.until, found.reason) == (True, None, "discovery_needed")
        assert found.facts["latest_until"] == date(2046, 4, 25)
        assert right("latent_defects", purchase, "2046-04-26").until == date(2046, 4, 25)


class TestCommercialWarranty:
    @pytest.mark.parametrize(
        ("facts", "years"),
        [
            ({"part": "structure", "structure": "seat"}, 5),
            ({"part": "frame", "structure": "wood"}, 5),
            ({"part": "structure", "structure": "other"}, 3),
            ({"kind": "mattress", "part": "core"}, 10),
            ({"part": "fabric"}, 2),
            ({"part": "foam"}, 2),
            ({"part": "core"}, 2),  # the mattress of a sofa bed
            ({"kind": "electrical", "part": "mechanism"}, 2),
            ({"kind": "electrical"}, 2),
            ({"kind": "textile"}, 2),
            # The catalogue's figure wins when it is longer, and only then.
            ({"part": "structure", "structure": "seat", "warranty_years": 7}, 7),
            ({"part": "structure", "structure": "seat", "warranty_years": 3}, 5),
            ({"kind": "other", "warranty_years": 3}, 3),
            ({"warranty_years": 7}, 7),  # longer than every part's: the part need not be known
        ],
    )
    def test_the_years_of_each_element(self, facts: dict[str, object], years: int) -> None:
        delivered = date(2024, 2, 29)
        found = right("commercial_warranty", bought_online(delivered, **facts), "2024-03-01")
        assert (found.applies, found.facts["years"]) == (True, years)
        assert found.until == date(2024 + years, 2, 28)
        assert found.reference == "article:garantie-commerciale ; C. consom., art. L217-21"

    def test_an_unknown_part_is_asked_for_only_where_it_decides(self) -> None:
        purchase = bought_online(date(2020, 5, 7))
        early = right("commercial_warranty", purchase, "2022-05-07")
        assert (early.applies, early.until, early.reason) == (
            True,
            date(2022, 5, 7),
            "open_at_least",
        )
        assert early.facts["longest_until"] == date(2025, 5, 7)
        between = right("commercial_warranty", purchase, "2023-05-07")
        assert (between.applies, between.until, between.reason) == (False, None, "part_needed")
        assert between.facts["longest_until"] == date(2025, 5, 7)
        after = right("commercial_warranty", purchase, "2025-05-08")
        assert (after.reason, after.until) == ("over", date(2025, 5, 7))

    def test_where_there_is_none(self) -> None:
        other = bought_online(date(2026, 5, 5), kind="other")
        assert right("commercial_warranty", other, "2026-05-06").reason == "no_commercial_term"
        assert (
            right("commercial_warranty", bought_online(None, part="fabric"), "2026-05-06").reason
            == "not_delivered"
        )
        old = bought_online(date(2012, 5, 5), part="fabric")
        assert right("commercial_warranty", old, "2012-05-06").reason == "no_rule_for_date"
