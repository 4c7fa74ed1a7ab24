"""Choosing a new password, by the old one or by a code sent by e-mail."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.requests import HTTPConnection
from pydantic import Field

from api.dependencies import CurrentPrincipal, CurrentRuntime, organization_of_visit
from api.json_body import StrictRoute
from api.support.envelope import Answer, Request, failures
from core.text import Text
from services.accounts.passwords import change_password, request_password_reset, reset_password

MAXIMUM_CODE_LENGTH = 200
SENT = "If an account has this address, a message with a code is on its way."

router = APIRouter(prefix="/api/auth/password", tags=["Authentication"], route_class=StrictRoute)


class PasswordChangeRequest(Request):
    current_password: str = Field(min_length=1, max_length=1_000, examples=["password123"])
    new_password: str = Field(
        min_length=1,
        max_length=1_000,
        description="8 to 1,000 characters.",
        examples=["correct horse battery staple"],
    )


class ForgottenPasswordRequest(Request):
    email: Text = Field(min_length=3, max_length=254, examples=["customer@example.com"])
    language: Literal["fr", "en"] = Field("fr", description="Of the message.")


class PasswordResetRequest(Request):
    code: str = Field(
        min_length=1,
        max_length=MAXIMUM_CODE_LENGTH,
        description="From the message.",
        examples=["019aa9c0f0e87c5f8d1e2b3c4d5e6f70.5f3a…"],
    )
    new_password: str = Field(
        min_length=1,
        max_length=1_000,
        description="8 to 1,000 characters.",
        examples=["correct horse battery staple"],
    )


class Sent(Answer):
    message: str = Field(SENT, examples=[SENT])


@router.post("", summary="Change your password", responses=failures(401, 403))
async def change(
    body: PasswordChangeRequest, principal: CurrentPrincipal, runtime: CurrentRuntime
) -> Answer:
    """Choose a new password; every other session of yours ends.

    Five wrong current passwords lock this for a quarter of an hour.
    """
    await change_password(runtime, principal, body.current_password, body.new_password)
    return Answer()


@router.post("/forgot", status_code=202, summary="Ask for a code by e-mail", responses=failures())
async def forgot(
    body: ForgottenPasswordRequest, request: HTTPConnection, runtime: CurrentRuntime
) -> Sent:
    """Send a code to the address, valid for an hour and once, if an account has it.

    The answer and its time are the same for every address; three messages an hour at most.
    """
    organization_id = await organization_of_visit(request, runtime)
    await request_password_reset(runtime, organization_id, body.email, body.language)
    return Sent()


@router.post("/reset", summary="Choose a new password by code", responses=failures())
async def reset(body: PasswordResetRequest, runtime: CurrentRuntime) -> Answer:
    """Choose a password with the code of a message; every session of the account ends."""
    await reset_password(runtime, body.code, body.new_password)
    return Answer()
