"""Who may look at the inside of a running product: anyone in development, else administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from api.dependencies import CurrentRuntime, signed_in

PERMISSION = "monitoring:read"


async def may_monitor(request: HTTPConnection, runtime: CurrentRuntime) -> None:
    """In production, raise unless the caller's token or API key may read the monitoring.

    Raises NotAuthenticated (401) and PermissionDenied (403).
    """
    if runtime.settings.environment == "production":
        (await signed_in(request, runtime)).require(PERMISSION)


Monitored = Annotated[None, Depends(may_monitor)]
