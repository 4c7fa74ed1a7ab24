"""What may a customer ask for when a delivery is late, damaged or incomplete?"""

from __future__ import annotations

from datetime import date, timedelta

from services.rights.facts import (
    FactValue,
    History,
    Purchase,
    Reason,
    Right,
    calendars_of,
)
from services.rights.law import CARRIER, DELIVERY, in_force
from services.rights.working_days import end_of_open_days


def transport_claim(purchase: Purchase, today: date) -> Right:
    """The reservations against the carrier: three days, Sundays and public holidays left out.

    C. com., art. L133-3. When they are over, a consumer has lost nothing against the shop, which
    bears the transport until the goods are handed over (C. consom., art. L216-2): the facts say so.
    """
    law = in_force(CARRIER, purchase.ordered_on)
    delivery = in_force(DELIVERY, purchase.ordered_on)
    facts: dict[str, FactValue] = {}
    until = None
    reason: Reason
    if law is None:
        reason = "no_rule_for_date"
    elif purchase.collected_by_customer:
        reason = "collected_by_customer"
    elif purchase.delivered_on is None:
        reason = "not_delivered"
    else:
        until = end_of_open_days(purchase.delivered_on, law.days, calendars_of(purchase))
        reason = "open" if today <= until else "over"
        facts["days"] = law.days
        if delivery and purchase.consumer:
            facts["shop_bears_transport"] = True
            facts["shop_bears_transport_reference"] = delivery.risk_reference
    return Right(
        name="transport_claim",
        applies=reason == "open",
        until=until,
        reason=reason,
        reference=law.reference if law else "",
        rule_version=law.version if law else None,
        facts=facts,
    )


def late_delivery_termination(purchase: Purchase, history: History, today: date) -> Right:
    """Ending a contract whose delivery is late: formal notice, further period, termination.

    C. consom., art. L216-1 (the promised day, or 30 days) and L216-6. `applies` means that the
    customer may terminate now, or has done so; the steps before it are told by `reason`.
    """
    law = in_force(DELIVERY, purchase.ordered_on)
    reason: Reason
    facts: dict[str, FactValue] = {}
    if law is None:
        reason = "no_rule_for_date"
    elif not purchase.consumer:
        reason = "not_a_consumer"
    else:
        due_on = history.promised_delivery_on or (
            purchase.ordered_on + timedelta(days=law.default_days)
        )
        reason = _step(purchase, history, due_on, today)
        facts = {"due_on": due_on, "due_reference": law.due_reference}
        if reason in ("formal_notice_first", "notice_running", "may_terminate"):
            facts["payment_may_be_suspended"] = law.payment_may_be_suspended
        if history.additional_period_ends_on:
            facts["additional_period_ends_on"] = history.additional_period_ends_on
    return Right(
        name="late_delivery_termination",
        applies=reason in ("may_terminate", "terminated"),
        until=None,
        reason=reason,
        reference=law.reference if law else "",
        rule_version=law.version if law else None,
        facts=facts,
    )


def _step(purchase: Purchase, history: History, due_on: date, today: date) -> Reason:
    if history.terminated_on:
        return "terminated"
    if purchase.delivered_on:
        return "delivered"
    if history.delivery_refused:
        return "may_terminate"
    if today <= due_on:
        return "not_late"
    if history.delivery_date_essential:
        return "may_terminate"
    if history.additional_period_ends_on is None:
        return "formal_notice_first"
    return "notice_running" if today <= history.additional_period_ends_on else "may_terminate"
