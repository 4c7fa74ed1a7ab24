"""Which after-sales rights does a customer have today, for one purchase and one problem?

The only source of a right or of its last day: no model computes either. French law for the legal
ones, in the version of the day of the purchase; the shop's terms for the others.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.rights.delivery import late_delivery_termination, transport_claim
from services.rights.facts import (
    NO_HISTORY,
    History,
    Problem,
    Purchase,
    Right,
    RightName,
    check,
)
from services.rights.goodwill import commercial_exchange, mattress_trial
from services.rights.guarantees import commercial_warranty, latent_defects, legal_conformity
from services.rights.terms import Terms, default_terms
from services.rights.withdrawal import refund_deadline, withdrawal

# What a problem makes worth knowing, the most useful to the customer first.
RIGHTS_OF_PROBLEM: dict[Problem, tuple[RightName, ...]] = {
    "defect": ("legal_conformity", "commercial_warranty", "latent_defects", "withdrawal"),
    "transport_damage": ("legal_conformity", "transport_claim", "withdrawal"),
    "missing_part": ("legal_conformity", "transport_claim", "withdrawal"),
    "change_of_mind": ("withdrawal", "mattress_trial", "commercial_exchange", "refund_deadline"),
    "late_delivery": ("late_delivery_termination", "withdrawal", "refund_deadline"),
}


def rights_of(
    purchase: Purchase,
    problem: Problem,
    today: date,
    history: History = NO_HISTORY,
    terms: Terms | None = None,
) -> tuple[Right, ...]:
    """The rights that a problem raises, in a fixed order, those that do not apply included.

    `today` is the calendar day at the shop. `terms`: the shop's versions, else the product's own.
    For a delivery outside France every right carries the fact `delivery_country`: French law is
    then the least that the customer has. Raises InvalidRequest for dates that cannot be.
    """
    check(purchase, history, today)
    chosen = default_terms() if terms is None else terms
    found = (
        _compute(name, purchase, history, chosen, today) for name in RIGHTS_OF_PROBLEM[problem]
    )
    return tuple(_with_country(right, purchase) for right in found)


def right_of(
    name: RightName,
    purchase: Purchase,
    today: date,
    history: History = NO_HISTORY,
    terms: Terms | None = None,
) -> Right:
    """One right by its name, whatever the problem; raises InvalidRequest as `rights_of` does."""
    check(purchase, history, today)
    chosen = default_terms() if terms is None else terms
    return _with_country(_compute(name, purchase, history, chosen, today), purchase)


def _compute(
    name: RightName, purchase: Purchase, history: History, terms: Terms, today: date
) -> Right:
    match name:
        case "withdrawal":
            return withdrawal(purchase, history, today)
        case "refund_deadline":
            return refund_deadline(purchase, history, today)
        case "legal_conformity":
            return legal_conformity(purchase, history, today)
        case "latent_defects":
            return latent_defects(purchase, history, today)
        case "late_delivery_termination":
            return late_delivery_termination(purchase, history, today)
        case "transport_claim":
            return transport_claim(purchase, today)
        case "commercial_exchange":
            return commercial_exchange(purchase, terms, today)
        case "mattress_trial":
            return mattress_trial(purchase, terms, today)
        case "commercial_warranty":
            return commercial_warranty(purchase, terms, today)


def _with_country(right: Right, purchase: Purchase) -> Right:
    if purchase.delivery_country == "FR":
        return right
    return replace(right, facts={**right.facts, "delivery_country": purchase.delivery_country})
