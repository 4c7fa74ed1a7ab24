"""Which version of a French rule governs a purchase, what does it grant, and where is it written?

Each table holds a rule's versions, oldest first; the day of the contract chooses. A change of the
law is a new last row, with the row before it closed; no row is ever edited to say something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from services.rights.facts import RuleVersion


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every version of a rule has: its days in force and the article to quote."""

    version: RuleVersion
    reference: str


AnyRule = TypeVar("AnyRule", bound=Rule)


def in_force(rules: Sequence[AnyRule], day: date) -> AnyRule | None:
    """The version that governs a contract made on this day, or None where none is known."""
    for rule in rules:
        last = rule.version.valid_until or date.max
        if rule.version.valid_from <= day <= last:
            return rule
    return None


@dataclass(frozen=True, kw_only=True)
class WithdrawalLaw(Rule):
    """Changing one's mind after a distance sale. The 14 days are those of every version known."""

    made_to_measure_reference: str
    uninformed_reference: str
    send_back_reference: str
    refund_reference: str
    days: int = 14
    uninformed_months: int = 12
    send_back_days: int = 14
    refund_days: int = 14


@dataclass(frozen=True, kw_only=True)
class ConformityLaw(Rule):
    """The legal guarantee of conformity.

    `remedy_days`: in which repair or replacement is due after the request (None: `remedy_months`).
    `bars_action`: the two years end the action itself, not only the time for a defect to appear.
    """

    presumption_reference: str
    remedy_reference: str
    fallback_reference: str
    presumption_months: int
    second_hand_presumption_months: int
    remedy_days: int | None
    bars_action: bool
    repair_extension_months: int = 0
    repair_extension_reference: str = ""
    replacement_restarts: bool = False
    remedy_months: int = 1
    years: int = 2


@dataclass(frozen=True, kw_only=True)
class LatentDefectsLaw(Rule):
    """Hidden defects: years from discovery, and years from the sale after which none is heard."""

    years_from_discovery: int = 2
    years_from_sale: int = 20


@dataclass(frozen=True, kw_only=True)
class DeliveryLaw(Rule):
    """When a shop must deliver, what follows when it does not, and who bears the transport."""

    due_reference: str
    refund_reference: str
    risk_reference: str
    payment_may_be_suspended: bool
    default_days: int = 30
    refund_days: int = 14


@dataclass(frozen=True, kw_only=True)
class CarrierLaw(Rule):
    """The reservations to a carrier, in days without Sundays and public holidays."""

    days: int = 3


_HAMON = RuleVersion(date(2014, 6, 14), date(2016, 6, 30))  # law 2014-344, art. 9 and 34
_RECODIFIED = RuleVersion(date(2016, 7, 1))  # ordinance 2016-301
_BEFORE_2022 = RuleVersion(date(2016, 7, 1), date(2021, 12, 31))
_SINCE_2022 = RuleVersion(date(2022, 1, 1))  # ordinance 2021-1247

WITHDRAWAL: tuple[WithdrawalLaw, ...] = (
    WithdrawalLaw(
        version=_HAMON,
        reference="C. consom., art. L121-21",
        made_to_measure_reference="C. consom., art. L121-21-8, 3°",
        uninformed_reference="C. consom., art. L121-21-1",
        send_back_reference="C. consom., art. L121-21-3",
        refund_reference="C. consom., art. L121-21-4",
    ),
    WithdrawalLaw(
        version=_RECODIFIED,
        reference="C. consom., art. L221-18",
        made_to_measure_reference="C. consom., art. L221-28, 3°",
        uninformed_reference="C. consom., art. L221-20",
        send_back_reference="C. consom., art. L221-23",
        refund_reference="C. consom., art. L221-24",
    ),
)

CONFORMITY: tuple[ConformityLaw, ...] = (
    ConformityLaw(  # ordinance 2005-136
        version=RuleVersion(date(2005, 2, 18), date(2016, 3, 17)),
        reference="C. consom., art. L211-4 et L211-12",
        presumption_reference="C. consom., art. L211-7",
        remedy_reference="C. consom., art. L211-9",
        fallback_reference="C. consom., art. L211-10",
        presumption_months=6,
        second_hand_presumption_months=6,
        remedy_days=None,
        bars_action=True,
    ),
    ConformityLaw(  # the presumption of law 2014-344, art. 15, two years after its promulgation
        version=RuleVersion(date(2016, 3, 18), date(2016, 6, 30)),
        reference="C. consom., art. L211-4 et L211-12",
        presumption_reference="C. consom., art. L211-7",
        remedy_reference="C. consom., art. L211-9",
        fallback_reference="C. consom., art. L211-10",
        presumption_months=24,
        second_hand_presumption_months=6,
        remedy_days=None,
        bars_action=True,
    ),
    ConformityLaw(
        version=_BEFORE_2022,
        reference="C. consom., art. L217-4 et L217-12",
        presumption_reference="C. consom., art. L217-7",
        remedy_reference="C. consom., art. L217-9",
        fallback_reference="C. consom., art. L217-10",
        presumption_months=24,
        second_hand_presumption_months=6,
        remedy_days=None,
        bars_action=True,
    ),
    ConformityLaw(
        version=_SINCE_2022,
        reference="C. consom., art. L217-3",
        presumption_reference="C. consom., art. L217-7",
        remedy_reference="C. consom., art. L217-10",
        fallback_reference="C. consom., art. L217-14",
        presumption_months=24,
        second_hand_presumption_months=12,
        remedy_days=30,
        bars_action=False,
        repair_extension_months=6,
        repair_extension_reference="C. consom., art. L217-13",
        replacement_restarts=True,
    ),
)

# Since law 2008-561; the 20 years: C. civ., art. 2232, Cass. ch. mixte, 21 July 2023, n° 20-10.763.
LATENT_DEFECTS: tuple[LatentDefectsLaw, ...] = (
    LatentDefectsLaw(
        version=RuleVersion(date(2008, 6, 19)),
        reference="C. civ., art. 1641, 1648 et 2232",
    ),
)

DELIVERY: tuple[DeliveryLaw, ...] = (
    DeliveryLaw(
        version=_HAMON,
        reference="C. consom., art. L138-2",
        due_reference="C. consom., art. L138-1",
        refund_reference="C. consom., art. L138-3",
        risk_reference="C. consom., art. L138-4",
        payment_may_be_suspended=False,
    ),
    DeliveryLaw(
        version=_BEFORE_2022,
        reference="C. consom., art. L216-2",
        due_reference="C. consom., art. L216-1",
        refund_reference="C. consom., art. L216-3",
        risk_reference="C. consom., art. L216-4",
        payment_may_be_suspended=False,
    ),
    DeliveryLaw(
        version=_SINCE_2022,
        reference="C. consom., art. L216-6",
        due_reference="C. consom., art. L216-1",
        refund_reference="C. consom., art. L216-7",
        risk_reference="C. consom., art. L216-2",
        payment_may_be_suspended=True,
    ),
)

CARRIER: tuple[CarrierLaw, ...] = (
    CarrierLaw(version=RuleVersion(date(2009, 12, 10)), reference="C. com., art. L133-3"),
)

# The frame of a commercial warranty; what it grants is the shop's own.
COMMERCIAL_WARRANTY: tuple[Rule, ...] = (
    Rule(version=_BEFORE_2022, reference="C. consom., art. L217-15"),
    Rule(version=_SINCE_2022, reference="C. consom., art. L217-21"),
)
