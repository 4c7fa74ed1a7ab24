"""What the retail desk can look up, and how a conversation proves whose it is."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from core.errors import Conflict, InvalidRequest, NotFound, PermissionDenied
from core.tools import Tool, ToolContext
from tests.retail import arguments as asked
from tests.retail.records import Order, Product, User
from tests.retail.store import every, find, open_to_tools, proven_user, remember

OPERATIONS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


async def find_user_id_by_email(context: ToolContext, wanted: asked.Email) -> asked.FoundUser:
    """Find a customer by email address; the conversation is theirs from then on."""
    return await _prove(context, lambda user: _same(user["email"], wanted.email))


async def find_user_id_by_name_zip(
    context: ToolContext, wanted: asked.NameAndZip
) -> asked.FoundUser:
    """Find a customer by first name, last name and zip code of the default address."""
    return await _prove(
        context,
        lambda user: (
            user["address"]["zip"] == wanted.zip.strip()
            and _same(user["name"]["first_name"], wanted.first_name)
            and _same(user["name"]["last_name"], wanted.last_name)
        ),
    )


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


async def _prove(
    context: ToolContext, matches: Callable[[dict[str, Any]], bool]
) -> asked.FoundUser:
    """Bind the conversation to the one customer who matches; several prove nothing."""
    if context.conversation_id is None:
        raise InvalidRequest("A customer is found within a conversation.")
    known = await open_to_tools(context.effect, context)
    found = await every(context.effect, User, matches)
    if len(found) != 1:
        raise NotFound("No customer was found.")
    user_id = found[0].user_id
    if known not in (None, user_id):
        raise PermissionDenied("One conversation serves one customer.")
    await remember(context, user_id=user_id)
    return asked.FoundUser(user_id=user_id)


async def get_user_details(context: ToolContext, wanted: asked.UserId) -> asked.UserResult:
    """Read the profile of the conversation's customer."""
    async with context.reading() as transaction:
        if wanted.user_id != await proven_user(transaction, context):
            raise PermissionDenied("This profile is not that of the conversation's customer.")
        user = await find(transaction, User, wanted.user_id)
    if user is None:
        raise NotFound("No such customer.")
    return asked.UserResult(user=user)


async def get_order_details(context: ToolContext, wanted: asked.OrderId) -> asked.OrderResult:
    """Read an order of the conversation's customer."""
    async with context.reading() as transaction:
        user_id = await proven_user(transaction, context)
        order = await find(transaction, Order, wanted.order_id)
    if order is None or order.user_id != user_id:
        raise NotFound("The customer has no such order.")
    return asked.OrderResult(order=order)


async def get_product_details(context: ToolContext, wanted: asked.ProductId) -> asked.ProductResult:
    """Read a type of product with all its variants."""
    async with context.reading() as transaction:
        await proven_user(transaction, context)
        product = await find(transaction, Product, wanted.product_id)
    if product is None:
        raise NotFound("No such product.")
    return asked.ProductResult(product=product)


async def get_item_details(context: ToolContext, wanted: asked.ItemId) -> asked.ItemResult:
    """Read one variant of a product."""
    async with context.reading() as transaction:
        await proven_user(transaction, context)
        products = await every(transaction, Product)
    for product in products:
        if item := product.variants.get(wanted.item_id):
            return asked.ItemResult(product_id=product.product_id, name=product.name, item=item)
    raise NotFound("No such item.")


async def list_all_product_types(
    context: ToolContext, wanted: asked.NoArguments
) -> asked.ProductTypes:
    """List every type of product by name."""
    async with context.reading() as transaction:
        await proven_user(transaction, context)
        products = await every(transaction, Product)
    by_name = sorted((product.name, product.product_id) for product in products)
    return asked.ProductTypes(product_types=dict(by_name))


async def calculate(context: ToolContext, wanted: asked.Expression) -> asked.Calculated:
    """Work out a sum of numbers with + - * / and brackets."""
    async with context.reading() as transaction:
        await open_to_tools(transaction, context)
    try:
        value = _value(ast.parse(wanted.expression.strip(), mode="eval").body)
        if not value.is_finite():
            raise ValueError("out of range")
        return asked.Calculated(value=f"{value:.2f}")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidRequest("Only numbers, + - * / and brackets can be worked out.") from error
    except (DivisionByZero, InvalidOperation, Overflow) as error:
        raise InvalidRequest("This sum has no value.") from error


def _value(node: ast.expr) -> Decimal:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Decimal(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return OPERATIONS[type(operation)](_value(left), _value(right))
        case _:
            raise ValueError("not a sum")


async def transfer_to_human_agents(
    context: ToolContext, wanted: asked.Summary
) -> asked.Transferred:
    """Hand the conversation to a human agent; no tool acts in it afterwards."""
    if context.conversation_id is None:
        raise Conflict("Only a conversation can be handed over.")
    await open_to_tools(context.effect, context)
    await remember(context, transferred=True)
    return asked.Transferred(transferred=True)


PERMISSION = "chat:write"
READING_TOOLS = [
    Tool("find_user_id_by_email", asked.Email, asked.FoundUser, find_user_id_by_email,
         PERMISSION, effect=True),
    Tool("find_user_id_by_name_zip", asked.NameAndZip, asked.FoundUser, find_user_id_by_name_zip,
         PERMISSION, effect=True),
    Tool("get_user_details", asked.UserId, asked.UserResult, get_user_details, PERMISSION),
    Tool("get_order_details", asked.OrderId, asked.OrderResult, get_order_details, PERMISSION),
    Tool("get_product_details", asked.ProductId, asked.ProductResult, get_product_details,
         PERMISSION),
    Tool("get_item_details", asked.ItemId, asked.ItemResult, get_item_details, PERMISSION),
    Tool("list_all_product_types", asked.NoArguments, asked.ProductTypes, list_all_product_types,
         PERMISSION),
    Tool("calculate", asked.Expression, asked.Calculated, calculate, PERMISSION),
    Tool("transfer_to_human_agents", asked.Summary, asked.Transferred, transfer_to_human_agents,
         PERMISSION, effect=True),
]  # fmt: skip
