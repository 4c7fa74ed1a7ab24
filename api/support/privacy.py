"""People and their own data: read all of it, have it erased, agree to recordings (row X11)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from api.dependencies import CurrentRuntime, KnownChatCaller
from api.json_body import StrictRoute
from api.support.envelope import Answer, Moment, Request, failures
from core.text import Text
from services.conversations.calls import forget_recordings_of
from services.privacy.consents import (
    Consent,
    consent_texts,
    give_consent,
    list_consents,
    withdraw_consent,
)
from services.privacy.own import erase_own_data, export_own_data
from services.uploads.uploads import ERASED_TOPIC

RECORDING_CONSENT = "voice_recording"

router = APIRouter(prefix="/api/privacy", tags=["Privacy"], route_class=StrictRoute)

Language = Literal["fr", "en", "es", "de", "it", "nl"]


class Export(Answer):
    exported_at: str
    known_as: dict[str, list[str]]
    data: dict[str, list[dict[str, Any]]] = Field(description="Rows about the person, by table.")


class Erased(Answer):
    receipt: dict[str, Any] = Field(
        description="What was deleted, emptied and kept, and why; signed by the shop."
    )


class NewConsent(Request):
    kind: Text = Field(min_length=1, max_length=40, examples=["voice_recording"])
    text_version: Text = Field(min_length=1, max_length=20, examples=["2026-1"])
    language: Language = Field("fr", description="The language that the wording was shown in.")


class ConsentRow(BaseModel):
    kind: str
    text_version: str
    language: str
    given_at: Moment
    withdrawn_at: Moment | None


class ConsentText(BaseModel):
    kind: str
    text_version: str
    texts: dict[str, str] = Field(description="The wording to show, by language.")


class ConsentGiven(Answer):
    consent: ConsentRow


class Consents(Answer):
    texts: list[ConsentText] = Field(description="What one can agree to now.")
    consents: list[ConsentRow] = Field(description="What the caller has agreed to, newest first.")


class Withdrawn(Answer):
    kind: str


@router.get("/export", summary="Read all that is known of me", responses=failures(401, 403, 409))
async def export_me(caller: KnownChatCaller, runtime: CurrentRuntime, response: Response) -> Export:
    """Everything that the shop's assistant holds about the caller, as one document.

    Signed-in customers get all of their data, visitors the data of their own conversations.
    """
    response.headers["cache-control"] = "no-store"
    return Export(**await export_own_data(runtime, caller.principal))


@router.delete("/me", summary="Erase me", responses=failures(401, 403, 409))
async def erase_me(caller: KnownChatCaller, runtime: CurrentRuntime) -> Erased:
    """Erase the caller: account, conversations, files, and what identifies them elsewhere.

    This cannot be undone. The receipt says what the law makes the shop keep, and why.
    """
    return Erased(receipt=await erase_own_data(runtime, caller.principal))


@router.get("/consents", summary="Read my consents", responses=failures(401, 403))
async def read_consents(caller: KnownChatCaller, runtime: CurrentRuntime) -> Consents:
    """The wordings that can be agreed to, and what the caller has agreed to."""
    async with runtime.database.reading(caller.principal.organization_id) as transaction:
        found = await list_consents(transaction, caller.principal)
    texts = [
        ConsentText(kind=text.kind, text_version=text.version, texts=dict(text.texts))
        for text in consent_texts().values()
    ]
    return Consents(texts=texts, consents=[_view(consent) for consent in found])


@router.post("/consents", summary="Give a consent", status_code=201, responses=failures(401, 403))
async def add_consent(
    body: NewConsent, caller: KnownChatCaller, runtime: CurrentRuntime
) -> ConsentGiven:
    """Agree to the newest wording of a kind; nothing is recorded without."""
    async with runtime.database.transaction(caller.principal.organization_id) as transaction:
        consent = await give_consent(
            transaction,
            caller.principal,
            body.kind,
            body.text_version,
            body.language,
            runtime.clock(),
        )
    return ConsentGiven(consent=_view(consent))


@router.delete("/consents/{kind}", summary="Withdraw a consent", responses=failures(401, 403, 404))
async def remove_consent(
    kind: Annotated[Text, Path(max_length=40)], caller: KnownChatCaller, runtime: CurrentRuntime
) -> Withdrawn:
    """Agree no longer; that one had agreed stays as proof. Recordings of calls are deleted."""
    async with runtime.database.transaction(caller.principal.organization_id) as transaction:
        await withdraw_consent(transaction, caller.principal, kind, runtime.clock())
        if kind == RECORDING_CONSENT:
            keys = await forget_recordings_of(transaction, caller.principal.actor)
            if keys:
                await runtime.outbox.add(transaction, ERASED_TOPIC, {"keys": keys})
    return Withdrawn(kind=kind)


def _view(consent: Consent) -> ConsentRow:
    return ConsentRow(
        kind=consent.kind,
        text_version=consent.text_version,
        language=consent.language,
        given_at=consent.given_at,
        withdrawn_at=consent.withdrawn_at,
    )
