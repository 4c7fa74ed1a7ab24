"""The searches that an agent comes back to."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.admin.envelope import APIResponse
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from channels.desk import agent_of
from core.errors import NotFound
from core.text import Text
from services.conversations.macros import SavedFilter, delete_filter, list_filters, save_filter

router = APIRouter(prefix="/api/v1/console", tags=["Console"], route_class=StrictRoute)

RowId = Annotated[str, Path(max_length=1_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FilterRequest(_Body):
    name: Text = Field(min_length=1, max_length=80, examples=["Livraisons en retard"])
    query: dict[Annotated[Text, Field(max_length=40)], Annotated[Text, Field(max_length=200)]] = (
        Field(
            max_length=20,
            description="Parameters of `GET …/conversations`.",
            examples=[{"queue": "waiting", "search": "livraison"}],
        )
    )


class FilterView(BaseModel):
    id: str
    name: str
    query: dict[str, Any]


@route(router, "GET", "/filters", summary="List saved filters")
async def read_filters(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[FilterView]]:
    """The caller's own saved filters."""
    person = agent_of(operator)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found = await list_filters(transaction, person)
    return APIResponse(data=[_filter_view(one) for one in found])


@route(router, "POST", "/filters", summary="Save a filter", fails=(409,), status_code=201)
async def keep_filter(
    body: FilterRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[FilterView]:
    """Save a filter for oneself; one of the same name is replaced."""
    person = agent_of(operator)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        made = await save_filter(
            transaction, person, body.name.strip(), body.query, runtime.clock()
        )
    return APIResponse(message="The filter is saved.", data=_filter_view(made))


@route(router, "DELETE", "/filters/{filter_id}", summary="Remove a saved filter", fails=(404,))
async def remove_filter(
    filter_id: RowId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[None]:
    """Remove one of the caller's saved filters."""
    person = agent_of(operator)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        await delete_filter(transaction, person, _id(filter_id, "filter"))
    return APIResponse(message="The filter has been removed.")


def _filter_view(saved: SavedFilter) -> FilterView:
    return FilterView(id=str(saved.id), name=saved.name, query=dict(saved.query))


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(f"There is no such {what}.") from error
