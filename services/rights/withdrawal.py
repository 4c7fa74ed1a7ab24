"""May a customer change their mind, until when, and when is the money back?"""

from __future__ import annotations

from datetime import date, timedelta

from services.rights.facts import (
    FactValue,
    History,
    Purchase,
    Reason,
    Right,
    RightName,
    calendars_of,
)
from services.rights.law import DELIVERY, WITHDRAWAL, Rule, WithdrawalLaw, in_force
from services.rights.working_days import end_of_months, end_of_period


def withdrawal(purchase: Purchase, history: History, today: date) -> Right:
    """Withdrawal from a distance sale: 14 days from the receipt of the order's last article.

    C. consom., art. L221-18 to L221-20 and L221-28, 3°. A mattress unwrapped at home keeps the
    right (CJEU, 27 March 2019, C-681/17). It may be used before delivery (art. L221-18, al. 2).
    """
    law = in_force(WITHDRAWAL, purchase.ordered_on)
    if law is None:
        return _refused("withdrawal", None, "no_rule_for_date")
    if not purchase.consumer:
        return _refused("withdrawal", law, "not_a_consumer")
    if not purchase.distance_sale:
        return _refused("withdrawal", law, "bought_in_store")
    if purchase.made_to_measure:
        return _refused("withdrawal", law, "made_to_measure", law.made_to_measure_reference)
    return _within(law, purchase, history, today)


def _within(law: WithdrawalLaw, purchase: Purchase, history: History, today: date) -> Right:
    received_on = purchase.order_delivered_on or purchase.delivered_on
    facts: dict[str, FactValue] = {"days": law.days}
    until = None
    reference = law.reference
    reason: Reason = "open_before_receipt"
    if received_on and purchase.order_complete:
        initial_until, until = _last_days(law, received_on, purchase, history)
        facts |= {"received_on": received_on, "initial_until": initial_until}
        reason = "over" if today > until else "open"
        if until > initial_until:
            reference = law.uninformed_reference
            reason = "over" if today > until else "open_extended"
    notified_on = history.withdrawal_notified_on
    if notified_on:
        facts["withdrawal_notified_on"] = notified_on
        in_time = until is None or notified_on <= until
        reason = "exercised" if in_time else "exercised_too_late"
        if in_time and purchase.delivered_on:
            facts["send_back_until"] = notified_on + timedelta(days=law.send_back_days)
            facts["send_back_reference"] = law.send_back_reference
    return Right(
        name="withdrawal",
        applies=reason not in ("over", "exercised_too_late"),
        until=until,
        reason=reason,
        reference=reference,
        rule_version=law.version,
        facts=facts,
    )


def _last_days(
    law: WithdrawalLaw, received_on: date, purchase: Purchase, history: History
) -> tuple[date, date]:
    """The last day for an informed customer, and the last day for this one (art. L221-20)."""
    calendars = calendars_of(purchase)
    initial = end_of_period(received_on, law.days, calendars)
    if history.informed_of_withdrawal:
        return initial, initial
    extended = end_of_months(initial, law.uninformed_months, calendars)
    informed_on = history.informed_of_withdrawal_on
    if informed_on is None or informed_on > extended:
        return initial, extended
    return initial, max(initial, end_of_period(informed_on, law.days, calendars))


def refund_deadline(purchase: Purchase, history: History, today: date) -> Right:
    """The last day for the shop to pay back after a withdrawal or a termination.

    14 days, never lengthened for a weekend: the shop may pay earlier, and the customer is told a
    day that stands in any case. Art. L221-24 lets the shop wait for the goods or the proof of
    their dispatch, whichever comes first, unless it offered to fetch them; art. L216-7 does not.
    """
    if history.terminated_on:
        delivery = in_force(DELIVERY, purchase.ordered_on)
        if delivery is None:
            return _refused("refund_deadline", None, "no_rule_for_date")
        until = history.terminated_on + timedelta(days=delivery.refund_days)
        facts: dict[str, FactValue] = {"terminated_on": history.terminated_on}
        return _refund(delivery, delivery.refund_reference, until, today, purchase, facts)
    law = in_force(WITHDRAWAL, purchase.ordered_on)
    if law is None:
        return _refused("refund_deadline", None, "no_rule_for_date")
    decision = withdrawal(purchase, history, today)
    notified_on = history.withdrawal_notified_on
    if decision.reason != "exercised" or notified_on is None:
        days = timedelta(days=law.refund_days)
        extra = {"until_if_notified_today": today + days} if decision.applies else {}
        reference = law.refund_reference
        return _refused("refund_deadline", law, "nothing_to_refund", reference, **extra)
    return _refund_after_withdrawal(law, notified_on, purchase, history, today)


def _refund_after_withdrawal(
    law: WithdrawalLaw, notified_on: date, purchase: Purchase, history: History, today: date
) -> Right:
    until = notified_on + timedelta(days=law.refund_days)
    facts: dict[str, FactValue] = {"withdrawal_notified_on": notified_on}
    may_wait = purchase.delivered_on is not None and not history.shop_collects
    if may_wait:
        facts["may_be_deferred"] = True
        back = [day for day in (history.goods_returned_on, history.dispatch_proved_on) if day]
        if back:
            facts["goods_back_on"] = min(back)
            until = max(until, min(back))
        elif today > until:
            return Right(
                name="refund_deadline",
                applies=True,
                until=None,
                reason="waits_for_goods",
                reference=law.refund_reference,
                rule_version=law.version,
                facts=facts,
            )
    return _refund(law, law.refund_reference, until, today, purchase, facts)


def _refund(
    law: Rule,
    reference: str,
    until: date,
    today: date,
    purchase: Purchase,
    facts: dict[str, FactValue],
) -> Right:
    price: dict[str, FactValue] = (
        {} if purchase.price_cents is None else {"price_cents": purchase.price_cents}
    )
    return Right(
        name="refund_deadline",
        applies=True,
        until=until,
        reason="due" if today <= until else "overdue",
        reference=reference,
        rule_version=law.version,
        facts=facts | price,
    )


def _refused(
    name: RightName, law: Rule | None, reason: Reason, reference: str = "", **facts: FactValue
) -> Right:
    return Right(
        name=name,
        applies=False,
        until=None,
        reason=reason,
        reference=reference or (law.reference if law else ""),
        rule_version=law.version if law else None,
        facts=facts,
    )
