"""What does the shop take back of its own accord: an exchange in store, a mattress after trial?"""

from __future__ import annotations

from datetime import date, timedelta

from services.rights.facts import FactValue, Purchase, Reason, Right
from services.rights.terms import Terms, terms_on


def commercial_exchange(purchase: Purchase, terms: Terms, today: date) -> Right:
    """The exchange of an unused article bought in a store, in days from the purchase."""
    version = terms_on(terms, purchase.ordered_on)
    reason: Reason
    until = None
    facts: dict[str, FactValue] = {}
    if version is None:
        reason = "no_rule_for_date"
    elif purchase.distance_sale:
        reason = "bought_at_distance"
    elif purchase.made_to_measure:
        reason = "made_to_measure"
    else:
        until = purchase.ordered_on + timedelta(days=version.exchange_days)
        reason = "open" if today <= until else "over"
        facts["days"] = version.exchange_days
    return Right(
        name="commercial_exchange",
        applies=reason == "open",
        until=until,
        reason=reason,
        reference=version.exchange_reference if version else "",
        rule_version=version.version if version else None,
        facts=facts,
    )


def mattress_trial(purchase: Purchase, terms: Terms, today: date) -> Right:
    """The trial of a mattress sold alone; its last night ends on the day given.

    The night of the delivery is the first, so 30 nights end on the 30th day after it.
    """
    version = terms_on(terms, purchase.ordered_on)
    reason: Reason
    until = None
    facts: dict[str, FactValue] = {}
    if version is None:
        reason = "no_rule_for_date"
    elif purchase.kind != "mattress":
        reason = "not_a_mattress"
    elif purchase.made_to_measure:
        reason = "made_to_measure"
    elif purchase.delivered_on is None:
        reason = "not_delivered"
        facts["nights"] = version.mattress_trial_nights
    else:
        until = purchase.delivered_on + timedelta(days=version.mattress_trial_nights)
        reason = "open" if today <= until else "over"
        facts["nights"] = version.mattress_trial_nights
    return Right(
        name="mattress_trial",
        applies=reason == "open",
        until=until,
        reason=reason,
        reference=version.mattress_trial_reference if version else "",
        rule_version=version.version if version else None,
        facts=facts,
    )
