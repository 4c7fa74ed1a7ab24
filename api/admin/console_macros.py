"""Texts that agents answer with: a shop's macros."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.admin.envelope import APIResponse
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from core.errors import NotFound
from core.text import Text
from services.conversations.macros import (
    MAXIMUM_MACRO_LENGTH,
    Macro,
    NewMacro,
    add_macro,
    change_macro,
    delete_macro,
    list_macros,
)

WORK = "conversations:write"

router = APIRouter(prefix="/api/v1/console", tags=["Console"], route_class=StrictRoute)

RowId = Annotated[str, Path(max_length=1_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MacroRequest(_Body):
    name: Text = Field(min_length=1, max_length=80, examples=["Demander une photo"])
    body: Text = Field(
        min_length=1,
        max_length=MAXIMUM_MACRO_LENGTH,
        description="May hold {customer}, {agent}, {ticket}, {order} and {shop}.",
        examples=["Bonjour {customer}, pouvez-vous nous envoyer une photo de l’étiquette ?"],
    )
    language: Literal["fr", "en", "es", "de", "it", "nl"] | None = None


class MacroView(MacroRequest):
    id: str
    updated_at: Moment


@route(router, "GET", "/macros", summary="List macros")
async def read_macros(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[MacroView]]:
    """The shop's macros, by name."""
    operator.require(WORK)
    async with runtime.database.reading(operator.organization_id) as transaction:
        return APIResponse(data=[_macro_view(one) for one in await list_macros(transaction)])


@route(router, "POST", "/macros", summary="Keep a macro", fails=(409,), status_code=201)
async def keep_macro(
    body: MacroRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[MacroView]:
    """Keep a text that agents answer with."""
    operator.require(WORK)
    new = NewMacro(body.name.strip(), body.body, body.language)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        made = await add_macro(transaction, new, operator.user_id, runtime.clock())
    return APIResponse(message="The macro is kept.", data=_macro_view(made))


@route(router, "PUT", "/macros/{macro_id}", summary="Change a macro", fails=(404, 409))
async def replace_macro(
    macro_id: RowId, body: MacroRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[MacroView]:
    """Replace a macro."""
    operator.require(WORK)
    new = NewMacro(body.name.strip(), body.body, body.language)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        made = await change_macro(
            transaction, _id(macro_id, "macro"), new, operator.user_id, runtime.clock()
        )
    return APIResponse(message="The macro has been changed.", data=_macro_view(made))


@route(router, "DELETE", "/macros/{macro_id}", summary="Remove a macro", fails=(404,))
async def remove_macro(
    macro_id: RowId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[None]:
    """Remove a macro."""
    operator.require(WORK)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        await delete_macro(transaction, _id(macro_id, "macro"))
    return APIResponse(message="The macro has been removed.")


def _macro_view(macro: Macro) -> MacroView:
    return MacroView(
        id=str(macro.id),
        name=macro.name,
        body=macro.body,
        language=macro.language,
        updated_at=macro.updated_at,
    )


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"There is no such {what}.") from error
