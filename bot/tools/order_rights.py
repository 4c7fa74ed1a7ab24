"""Which after-sales rights run for an order, by the versioned rules: a model never computes one."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from services.orders.orders import Order
from services.rights.facts import Purchase, RightName
from services.rights.rules import right_of

# What the order alone tells; a warranty on a part needs to know which part it is.
RIGHTS_SHOWN: tuple[RightName, ...] = ("withdrawal", "legal_conformity")
ENDED = frozenset({"cancelled", "returned"})


class RightView(BaseModel):
    """A right of the customer: whether it still runs, until when, and by which article."""

    name: str
    applies: bool
    until: date | None
    reason: str
    reference: str = Field(description="The law's article, such as C. consom., art. L221-18.")


def rights_of_order(order: Order, today: date) -> list[RightView]:
    """The rights that begin with the delivery of an order; none before it, or once it has ended."""
    days = [parcel.expected_on for parcel in order.parcels]
    delivered = bool(days) and all(parcel.status == "delivered" for parcel in order.parcels)
    known = [day for day in days if day is not None]
    if order.status in ENDED or not delivered or not known or max(known) > today:
        return []
    purchase = Purchase(
        ordered_on=order.ordered_at.date(),
        delivered_on=max(known),
        distance_sale=True,
        delivery_city=order.delivery_city,
    )
    found = [right_of(name, purchase, today) for name in RIGHTS_SHOWN]
    return [
        RightView(
            name=right.name,
            applies=right.applies,
            until=right.until,
            reason=right.reason,
            reference=right.reference,
        )
        for right in found
    ]
