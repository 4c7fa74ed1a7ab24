"""How the operators' routes are declared: each path with and without its last slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

from api.admin.envelope import failures

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def route(
    router: APIRouter,
    method: str,
    path: str,
    *,
    summary: str,
    fails: tuple[int, ...] = (),
    **options: Any,
) -> Callable[[Endpoint], Endpoint]:
    """Declare a route at `path` and at `path/`; neither redirects, only the first is documented.

    `fails` are the statuses of its errors beside those that every route has.
    """

    def declare(endpoint: Endpoint) -> Endpoint:
        shared = {"methods": [method], "summary": summary, "responses": failures(*fails), **options}
        router.add_api_route(path, endpoint, **shared)
        router.add_api_route(path + "/", endpoint, include_in_schema=False, **shared)
        return endpoint

    return declare
