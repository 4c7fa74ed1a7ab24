"""The tool that says where an order is."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from bot.tools.lookups import lookups_are_locked, record_failed_lookup
from bot.tools.order_rights import RightView, rights_of_order
from core.text import Text
from core.tools import Tool, ToolContext
from services.orders.orders import (
    Order,
    find_order,
    find_order_by_number,
    list_customer_orders,
)

LATEST_ORDERS = 5


class OrderStatusArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_number: Text | None = Field(
        None, max_length=60, description="Such as CMD-2026-000101; may be left out when signed in."
    )
    email: Text | None = Field(
        None, max_length=254, description="Address of the order; not needed when signed in."
    )


class LineView(BaseModel):
    sku: str
    name: str
    quantity: int
    unit_price: float = Field(description="In euros.")


class ParcelView(BaseModel):
    tracking_number: str
    carrier: str
    status: str
    expected_on: date | None
    line_skus: list[str]


class OrderView(BaseModel):
    order_number: str
    status: str
    ordered_at: datetime
    delivery_city: str
    payment: str
    note: str | None
    total: float = Field(description="In euros.")
    lines: list[LineView]
    parcels: list[ParcelView]
    rights: list[RightView] = Field(
        default_factory=list, description="After-sales rights that began with the delivery."
    )


class OrderStatusResult(BaseModel):
    """`found` False never says whether the number or the address was wrong."""

    found: bool
    locked: bool = False
    missing: list[str] = Field(
        default_factory=list, description="What must be given before anything is looked up."
    )
    order: OrderView | None = None
    orders: list[OrderView] = Field(
        default_factory=list, description="The latest orders, where no number was given."
    )


async def order_status(context: ToolContext, arguments: OrderStatusArguments) -> OrderStatusResult:
    """Say where an order and its parcels are, given its number and the e-mail address used for it.

    Signed-in customers need no address for their own orders, and see the latest without a number.
    Five failures lock look-ups for half an hour.
    """
    if await lookups_are_locked(context):
        return OrderStatusResult(found=False, locked=True)
    if arguments.order_number is None:
        return await _latest(context)
    order = await _own_order(context, arguments.order_number)
    email = arguments.email or context.principal.email
    if order is None and email is not None:
        async with context.reading() as transaction:
            order = await find_order(transaction, arguments.order_number, email)
    if order is not None:
        return OrderStatusResult(found=True, order=_view(context, order))
    if email is None:
        return OrderStatusResult(found=False, missing=["email"])
    return OrderStatusResult(found=False, locked=await record_failed_lookup(context))


async def _latest(context: ToolContext) -> OrderStatusResult:
    customer_id = context.principal.customer_id
    if customer_id is None:
        return OrderStatusResult(found=False, missing=["order_number"])
    async with context.reading() as transaction:
        orders = await list_customer_orders(transaction, customer_id, LATEST_ORDERS)
    return OrderStatusResult(found=bool(orders), orders=[_view(context, order) for order in orders])


async def _own_order(context: ToolContext, number: str) -> Order | None:
    """The order, where the caller may see it without proof: their own, or any for staff."""
    principal = context.principal
    manages = principal.may("tickets:manage")
    if principal.customer_id is None and not manages:
        return None
    async with context.reading() as transaction:
        order = await find_order_by_number(transaction, number)
    if order is None or not (manages or order.customer_id == principal.customer_id):
        return None
    return order


def _view(context: ToolContext, order: Order) -> OrderView:
    return OrderView(
        order_number=order.number,
        status=order.status,
        ordered_at=order.ordered_at,
        delivery_city=order.delivery_city,
        payment=order.payment,
        note=order.note,
        total=order.total_cents / 100,
        lines=[
            LineView(
                sku=line.sku,
                name=line.name,
                quantity=line.quantity,
                unit_price=line.unit_price_cents / 100,
            )
            for line in order.lines
        ],
        parcels=[
            ParcelView(
                tracking_number=parcel.tracking_number,
                carrier=parcel.carrier,
                status=parcel.status,
                expected_on=parcel.expected_on,
                line_skus=list(parcel.line_skus),
            )
            for parcel in order.parcels
        ],
        rights=rights_of_order(order, context.runtime.clock().date()),
    )


TOOL = Tool(
    name="order_status",
    arguments=OrderStatusArguments,
    result=OrderStatusResult,
    run=order_status,
    permission="chat:write",
)
