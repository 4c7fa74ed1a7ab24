"""What each tool of the retail desk is asked, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tests.retail.records import Address, Order, Product, User, Variant

Identifier = Annotated[str, Field(min_length=1, max_length=100)]
Line = Annotated[str, Field(max_length=200)]
ItemIds = Annotated[list[Identifier], Field(min_length=1, max_length=50)]


class Arguments(BaseModel):
    """Arguments of a tool; one that the tool does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoArguments(Arguments):
    pass


class Email(Arguments):
    email: Line


class NameAndZip(Arguments):
    first_name: Line
    last_name: Line
    zip: Line


class UserId(Arguments):
    user_id: Identifier


class OrderId(Arguments):
    order_id: Identifier


class ProductId(Arguments):
    product_id: Identifier


class ItemId(Arguments):
    item_id: Identifier


class Expression(Arguments):
    expression: Annotated[str, Field(min_length=1, max_length=200)]


class Summary(Arguments):
    summary: Annotated[str, Field(min_length=1, max_length=2000)]


class Cancellation(OrderId):
    reason: Literal["no longer needed", "ordered by mistake"]


class NewAddress(Arguments):
    address1: Line
    address2: Line
    city: Line
    state: Line
    country: Line
    zip: Line

    def address(self) -> Address:
        return Address(**{field: getattr(self, field) for field in Address.model_fields})


class OrderAddress(NewAddress):
    order_id: Identifier


class UserAddress(NewAddress):
    user_id: Identifier


class OrderPayment(OrderId):
    payment_method_id: Identifier


class Return(OrderPayment):
    item_ids: ItemIds


class Replacement(OrderPayment):
    """`new_item_ids` stand in the order of the `item_ids` that they replace."""

    item_ids: ItemIds
    new_item_ids: ItemIds


class FoundUser(BaseModel):
    user_id: str


class UserResult(BaseModel):
    user: User


class OrderResult(BaseModel):
    order: Order


class ProductResult(BaseModel):
    product: Product


class ItemResult(BaseModel):
    """A variant with the product that it is one of."""

    product_id: str
    name: str
    item: Variant


class ProductTypes(BaseModel):
    """Product ids by product name."""

    product_types: dict[str, str]


class Calculated(BaseModel):
    """The value to two decimal places, as the desk writes amounts."""

    value: str


class Transferred(BaseModel):
    transferred: bool
