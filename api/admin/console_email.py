"""Where the mail server hands customers' replies over."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.admin.envelope import APIResponse
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from channels.email import MAXIMUM_MAIL_BYTES, join_thread, read_mail
from core.errors import PayloadTooLarge

WORK = "conversations:write"

router = APIRouter(prefix="/api/v1/console", tags=["Console"], route_class=StrictRoute)


class JoinedView(BaseModel):
    conversation_id: str | None = Field(description="null: an automatic reply, which is dropped.")


@route(
    router,
    "POST",
    "/inbound-email",
    summary="Hand over an e-mail",
    fails=(400, 404, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def receive_email(
    request: Request, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[JoinedView]:
    """A message as the mail server has it (RFC 5322); a reply joins its conversation, once."""
    operator.require(WORK)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAXIMUM_MAIL_BYTES:
            raise PayloadTooLarge("The message is too large.", {"limit": MAXIMUM_MAIL_BYTES})
    joined = await join_thread(runtime, operator.organization_id, read_mail(bytes(raw)))
    return APIResponse(data=JoinedView(conversation_id=str(joined) if joined else None))
