"""What must be known to say a right, and what is said about it?

All plain values: no database row, no sentence. Codes are for message catalogues, dates and
numbers are filled into them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from core.errors import InvalidRequest
from services.rights.working_days import Calendars

Kind = Literal["furniture", "mattress", "textile", "electrical", "other"]
Part = Literal["structure", "frame", "fabric", "foam", "mechanism", "core"]
# What carries a piece of furniture: that of a sofa or armchair, wood, or metal, rattan and others.
Structure = Literal["seat", "wood", "other"]
Problem = Literal["defect", "transport_damage", "missing_part", "change_of_mind", "late_delivery"]
RightName = Literal[
    "withdrawal",
    "commercial_exchange",
    "mattress_trial",
    "refund_deadline",
    "legal_conformity",
    "latent_defects",
    "commercial_warranty",
    "transport_claim",
    "late_delivery_termination",
]
Reason = Literal[
    "open",  # the period runs
    "over",  # the period has ended
    "not_delivered",  # it begins with a delivery that has not happened
    "not_a_consumer",
    "no_rule_for_date",  # no version of the rule covers the day of the purchase
    "open_before_receipt",  # withdrawal: possible, its 14 days begin with the last receipt
    "open_extended",  # withdrawal: open longer because the shop did not inform of it
    "exercised",
    "exercised_too_late",
    "made_to_measure",
    "bought_in_store",
    "bought_at_distance",
    "not_a_mattress",
    "presumed",  # conformity: the defect is presumed to have existed at delivery
    "to_prove",  # conformity: the customer proves that it existed
    "appeared_in_time",  # conformity: the period is over, but the defect appeared within it
    "remedy_overdue",  # conformity: no repair in time, price reduction or rescission
    "discovery_needed",  # latent defects: the period begins with a discovery nobody has dated
    "open_at_least",  # commercial warranty: open whatever the part, `until` is the shortest end
    "part_needed",  # commercial warranty: depends on the part, or on what carries the furniture
    "no_commercial_term",
    "collected_by_customer",
    "nothing_to_refund",
    "due",
    "overdue",
    "waits_for_goods",  # refund: deferred until the goods are back or their dispatch is proved
    "not_late",
    "delivered",
    "formal_notice_first",
    "notice_running",
    "may_terminate",
    "terminated",
]
FactValue = bool | int | str | date

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)

# The larger towns where Good Friday and 26 December are holidays, for orders without a postcode.
_ALSACE_MOSELLE_TOWNS = frozenset(
    "strasbourg mulhouse colmar haguenau schiltigheim illkirch-graffenstaden saint-louis selestat "
    "saverne bischheim lingolsheim ostwald metz thionville montigny-les-metz forbach sarreguemines "
    "saint-avold yutz hayange".split()
)
_ALSACE_MOSELLE_DEPARTMENTS = ("57", "67", "68")


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One bought article, its sale and its delivery.

    `delivered_on` is the receipt of this article; `order_delivered_on` that of the order's last
    one (None: the same day); `order_complete` is False while another article is still to come.
    `warranty_years` is the catalogue's figure. `price_cents` is the article's price paid.
    """

    ordered_on: date
    delivered_on: date | None
    distance_sale: bool
    kind: Kind = "furniture"
    part: Part | None = None
    structure: Structure | None = None
    made_to_measure: bool = False
    second_hand: bool = False
    consumer: bool = True
    collected_by_customer: bool = False
    order_delivered_on: date | None = None
    order_complete: bool = True
    warranty_years: int | None = None
    price_cents: int | None = None
    delivery_country: str = "FR"
    delivery_postal_code: str | None = None
    delivery_city: str | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """What has happened since the purchase; every date is one that somebody has stated.

    `additional_period_ends_on` is the end of the reasonable further period that the customer set
    in a formal notice to deliver. `shop_collects`: the shop offered to fetch the goods itself.
    `replaced_on`: the seller replaced the article although the customer had chosen a repair.
    """

    informed_of_withdrawal: bool = True
    informed_of_withdrawal_on: date | None = None
    withdrawal_notified_on: date | None = None
    goods_returned_on: date | None = None
    dispatch_proved_on: date | None = None
    shop_collects: bool = False
    promised_delivery_on: date | None = None
    delivery_date_essential: bool = False
    delivery_refused: bool = False
    additional_period_ends_on: date | None = None
    terminated_on: date | None = None
    discovered_on: date | None = None
    claimed_on: date | None = None
    repaired_on: date | None = None
    replaced_on: date | None = None


@dataclass(frozen=True)
class RuleVersion:
    """When a rule is the one for a purchase: first day, and last day (None: still in force)."""

    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Right:
    """Whether one right applies today, until which day (included), why, and by which rule.

    `until` may stand beside `applies=False`: the day on which the right ended. `reference` is
    what may be quoted: a law's article or, as `article:<slug>`, one of the shop's own.
    """

    name: RightName
    applies: bool
    until: date | None
    reason: Reason
    reference: str
    rule_version: RuleVersion | None
    facts: Mapping[str, FactValue] = field(default_factory=dict, hash=False)


NO_HISTORY = History()


def calendars_of(purchase: Purchase) -> Calendars:
    """The calendars whose holidays lengthen a period: the shop's, and the customer's own.

    A holiday on either side counts, so that no customer gets less than the law of both gives.
    """
    if purchase.delivery_country == "BE":
        return ("FR", "BE")
    if purchase.delivery_country == "LU":
        return ("FR", "LU")
    return ("FR-ALSACE-MOSELLE",) if _in_alsace_or_moselle(purchase) else ("FR",)


def check(purchase: Purchase, history: History, today: date) -> None:
    """Refuse dates that cannot be: raises InvalidRequest, naming the field."""
    known = {"today": today, **_dates(purchase), **_dates(history)}
    for name, day in known.items():
        if not EARLIEST <= day <= LATEST:
            raise _impossible(name, day, f"must lie between {EARLIEST} and {LATEST}")
    for name, day in known.items():
        if name not in _MAY_LIE_AHEAD and day > today:
            raise _impossible(name, day, "is after today")
        if day < purchase.ordered_on:
            raise _impossible(name, day, "is before the purchase")
    last = purchase.order_delivered_on
    if last and (purchase.delivered_on is None or last < purchase.delivered_on):
        raise _impossible("order_delivered_on", last, "is before this article's delivery")


_MAY_LIE_AHEAD = {"promised_delivery_on", "additional_period_ends_on"}


def _dates(record: Purchase | History) -> dict[str, date]:
    return {name: value for name, value in vars(record).items() if isinstance(value, date)}


def _impossible(name: str, day: date, why: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {why}.", {"field": name, "value": day.isoformat()})


def _in_alsace_or_moselle(purchase: Purchase) -> bool:
    if purchase.delivery_country != "FR":
        return False
    if purchase.delivery_postal_code:
        return purchase.delivery_postal_code.strip().startswith(_ALSACE_MOSELLE_DEPARTMENTS)
    plain = unicodedata.normalize("NFKD", purchase.delivery_city or "").encode("ascii", "ignore")
    return "-".join(plain.decode().lower().split()) in _ALSACE_MOSELLE_TOWNS
