"""Which guarantees of the law and of the shop still cover a defect?"""

from __future__ import annotations

from datetime import date, timedelta

from services.rights.facts import FactValue, History, Purchase, Reason, Right, RuleVersion
from services.rights.law import (
    COMMERCIAL_WARRANTY,
    CONFORMITY,
    LATENT_DEFECTS,
    ConformityLaw,
    in_force,
)
from services.rights.terms import Terms, possible_years, terms_on
from services.rights.working_days import months_after, years_after

# C. civ., art. 2224, to which C. consom., art. L217-3 refers.
ACTION_YEARS = 5


def legal_conformity(purchase: Purchase, history: History, today: date) -> Right:
    """The seller's legal guarantee of conformity: two years from delivery, for consumers.

    C. consom., art. L217-3 and following. A defect is taken to have appeared on the day of its
    discovery, or, where nobody gave it, of the claim, or today.
    """
    law = in_force(CONFORMITY, purchase.ordered_on)
    if law is None:
        return _conformity("no_rule_for_date", None)
    if not purchase.consumer:
        return _conformity("not_a_consumer", law)
    if purchase.delivered_on is None:
        return _conformity("not_delivered", law)
    begins_on = purchase.delivered_on
    if law.replacement_restarts and history.replaced_on:
        begins_on = max(begins_on, history.replaced_on)
    until = _guaranteed_until(law, begins_on, history)
    presumed_until = months_after(
        begins_on,
        law.second_hand_presumption_months if purchase.second_hand else law.presumption_months,
    )
    appeared_on = history.discovered_on or history.claimed_on or today
    facts: dict[str, FactValue] = {
        "delivered_on": purchase.delivered_on,
        "presumed_until": presumed_until,
        "presumption_reference": law.presumption_reference,
    }
    if until > years_after(begins_on, law.years):
        facts["extension_months"] = law.repair_extension_months
        facts["extension_reference"] = law.repair_extension_reference
    if appeared_on > until or (law.bars_action and today > until):
        return _conformity("over", law, until, facts)
    reason: Reason = "presumed" if appeared_on <= presumed_until else "to_prove"
    if today > until:
        reason = "appeared_in_time"
        action_until = years_after(appeared_on, ACTION_YEARS)
        facts["action_until"] = action_until
        if today > action_until:
            return _conformity("over", law, until, facts)
    return _with_remedy(law, reason, until, facts, history, today)


def _guaranteed_until(law: ConformityLaw, begins_on: date, history: History) -> date:
    """Two years, and six months more after a repair within them (art. L217-13), once."""
    until = years_after(begins_on, law.years)
    repaired_on = history.repaired_on
    if repaired_on and begins_on <= repaired_on <= until:
        return months_after(until, law.repair_extension_months)
    return until


def _with_remedy(
    law: ConformityLaw,
    reason: Reason,
    until: date,
    facts: dict[str, FactValue],
    history: History,
    today: date,
) -> Right:
    """Repair or replacement first; its time once a claim was made; what follows if it passes."""
    claimed_on, repaired_on = history.claimed_on, history.repaired_on
    if law.remedy_days is not None:
        facts["remedy_days"] = law.remedy_days
    facts["remedy_reference"] = law.remedy_reference
    settled = claimed_on and any(
        day and day >= claimed_on for day in (repaired_on, history.replaced_on)
    )
    if claimed_on and not settled:
        remedy_until = (
            months_after(claimed_on, law.remedy_months)
            if law.remedy_days is None
            else claimed_on + timedelta(days=law.remedy_days)
        )
        facts["remedy_until"] = remedy_until
        if today > remedy_until:
            facts["fallback_reference"] = law.fallback_reference
            return _conformity("remedy_overdue", law, until, facts)
    return _conformity(reason, law, until, facts)


def _conformity(
    reason: Reason,
    law: ConformityLaw | None,
    until: date | None = None,
    facts: dict[str, FactValue] | None = None,
) -> Right:
    return Right(
        name="legal_conformity",
        applies=reason in ("presumed", "to_prove", "appeared_in_time", "remedy_overdue"),
        until=until,
        reason=reason,
        reference=law.reference if law else "",
        rule_version=law.version if law else None,
        facts=facts or {},
    )


def latent_defects(purchase: Purchase, history: History, today: date) -> Right:
    """Hidden defects: two years from their discovery, within twenty years of the sale.

    C. civ., art. 1641, 1648 and 2232; the buyer proves the defect. Open to every buyer.
    """
    law = in_force(LATENT_DEFECTS, purchase.ordered_on)
    if law is None:
        return Right(
            name="latent_defects",
            applies=False,
            until=None,
            reason="no_rule_for_date",
            reference="",
            rule_version=None,
        )
    latest = years_after(purchase.ordered_on, law.years_from_sale)
    facts: dict[str, FactValue] = {"latest_until": latest}
    reason: Reason = "discovery_needed" if today <= latest else "over"
    until = None if today <= latest else latest
    if history.discovered_on:
        facts["discovered_on"] = history.discovered_on
        until = min(years_after(history.discovered_on, law.years_from_discovery), latest)
        reason = "open" if today <= until else "over"
    return Right(
        name="latent_defects",
        applies=reason != "over",
        until=until,
        reason=reason,
        reference=law.reference,
        rule_version=law.version,
        facts=facts,
    )


def commercial_warranty(purchase: Purchase, terms: Terms, today: date) -> Right:
    """The shop's own warranty, from delivery; beside the law's guarantees, never instead of them.

    Where the part or the structure is unknown, the answer is given only if it is the same for
    every part that it may be; else `open_at_least` or `part_needed`, with both ends in the facts.
    """
    version = terms_on(terms, purchase.ordered_on)
    if version is None:
        return _warranty("no_rule_for_date", None, "")
    law = in_force(COMMERCIAL_WARRANTY, purchase.ordered_on)
    reference = version.warranty_reference + (f" ; {law.reference}" if law else "")
    years = possible_years(purchase, version)
    if not years:
        return _warranty("no_commercial_term", version.version, reference)
    if purchase.delivered_on is None:
        return _warranty("not_delivered", version.version, reference, None, years)
    shortest_until = years_after(purchase.delivered_on, years[0])
    longest_until = years_after(purchase.delivered_on, years[-1])
    if today > longest_until:
        return _warranty("over", version.version, reference, longest_until, years)
    facts: dict[str, FactValue] = {
        "shortest_until": shortest_until,
        "longest_until": longest_until,
    }
    if today > shortest_until:
        return _warranty("part_needed", version.version, reference, None, years, facts)
    if len(years) == 1:
        return _warranty("open", version.version, reference, shortest_until, years)
    return _warranty("open_at_least", version.version, reference, shortest_until, years, facts)


def _warranty(
    reason: Reason,
    version: RuleVersion | None,
    reference: str,
    until: date | None = None,
    years: tuple[int, ...] = (),
    facts: dict[str, FactValue] | None = None,
) -> Right:
    found: dict[str, FactValue] = dict(facts or {})
    if len(years) == 1:
        found["years"] = years[0]
    elif years:
        found |= {"shortest_years": years[0], "longest_years": years[-1]}
    return Right(
        name="commercial_warranty",
        applies=reason in ("open", "open_at_least"),
        until=until,
        reason=reason,
        reference=reference,
        rule_version=version,
        facts=found,
    )
