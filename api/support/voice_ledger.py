"""How fast calls are answered (row X14), and the signed addresses of their recordings."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.dependencies import CurrentPrincipal, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Answer, Moment, failures
from api.support.upload import FILE_POLICY
from channels.voice.calls import OpenCalls
from channels.voice.ledger import summarise
from core.errors import NotFound, PermissionDenied
from services.conversations.calls import ledger_times
from services.conversations.recordings import LATEST_EXPIRY, open_recording

MONITORING, ANALYTICS = "monitoring:read", "analytics:read"
MAXIMUM_DAYS = 90

router = APIRouter(prefix="/api/voice", tags=["Voice"], route_class=StrictRoute)


class StepFigures(BaseModel):
    """Of one step, in milliseconds; null where there is no time yet."""

    count: int = Field(examples=[120])
    p50_ms: int | None = Field(examples=[980])
    p95_ms: int | None = Field(examples=[1740])


class LedgerSteps(BaseModel):
    """From the end of the caller's speech, but for `barge_in`."""

    transcript: StepFigures = Field(description="What was said is known.")
    first_token: StepFigures = Field(description="The first sentence of the reply is there.")
    first_audio: StepFigures = Field(description="Its first sound has left.")
    barge_in: StepFigures = Field(
        description="From the beginning of speech over the voice to its silence."
    )


class LedgerAnswer(Answer):
    since: Moment
    turns: int = Field(examples=[120])
    calls_in_progress: int = Field(description="In this process.", examples=[2])
    steps: LedgerSteps


@router.get("/ledger", summary="How fast are calls answered?", responses=failures(401, 403))
async def read_ledger(
    principal: CurrentPrincipal,
    runtime: CurrentRuntime,
    days: Annotated[int, Query(ge=1, le=MAXIMUM_DAYS, description="How far back.")] = 7,
) -> LedgerAnswer:
    """The times of all turns of the shop's calls, as percentiles; for managers and monitoring."""
    if not principal.may(ANALYTICS) and not principal.may(MONITORING):
        raise PermissionDenied(
            f"This action needs the permission {MONITORING}.", {"permission": MONITORING}
        )
    since = runtime.clock() - timedelta(days=days)
    async with runtime.database.reading(principal.organization_id) as transaction:
        turns, times = await ledger_times(transaction, since)
    steps = {
        step: StepFigures(count=one.count, p50_ms=one.p50_ms, p95_ms=one.p95_ms)
        for step, one in summarise(times).items()
    }
    return LedgerAnswer(
        since=since,
        turns=turns,
        calls_in_progress=len(OpenCalls.of(runtime)),
        steps=LedgerSteps(**steps),
    )


@router.get(
    "/recordings/{recording_id}",
    summary="Play a recording by its signed address",
    response_class=Response,
    responses={
        **failures(404),
        200: {"description": "The recording.", "content": {"audio/wav": {}}},
        206: {"description": "A part of it.", "content": {"audio/wav": {}}},
        307: {"description": "The recording is kept elsewhere."},
        416: {"description": "The range lies outside the recording."},
    },
)
async def play_recording(
    recording_id: Annotated[str, Path(description="The recording's id.", max_length=1_000)],
    runtime: CurrentRuntime,
    expires: Annotated[int, Query(ge=0, le=LATEST_EXPIRY)],
    signature: Annotated[str, Query(max_length=100)],
) -> Response:
    """The address is the permission; it expires after an hour."""
    opened = await open_recording(runtime, _id(recording_id), expires, signature)
    if isinstance(opened.place, str):
        return RedirectResponse(opened.place, 307)
    if not await run_in_threadpool(opened.place.is_file):
        raise NotFound("This recording is not there any more.")
    return FileResponse(
        opened.place,
        media_type=opened.recording.media_type,
        filename=f"call_{opened.recording.id.hex}.wav",
        content_disposition_type="inline",
        headers={
            "Content-Security-Policy": FILE_POLICY,
            "Cache-Control": "private, no-store",
            "Referrer-Policy": "no-referrer",
        },
    )


def _id(recording_id: str) -> UUID:
    try:
        return UUID(recording_id)
    except ValueError:
        raise NotFound("There is no such recording.") from None
