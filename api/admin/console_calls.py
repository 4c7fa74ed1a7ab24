"""What the agents' console is shown of the calls that a conversation was held in."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from api.support.envelope import Moment
from core.database import Transaction
from core.runtime import Runtime
from services.conversations.calls import Call, Recording, TurnTimes, calls_of_conversation
from services.conversations.recordings import link_to_recording


class RecordingView(BaseModel):
    """The sound of a call whose caller has agreed to it."""

    url: str = Field(description="Plays the recording for an hour, to whoever has it.")
    media_type: str = Field(examples=["audio/wav"])
    size_bytes: int
    duration_seconds: float


class CallTurnView(BaseModel):
    """The times of one turn, in milliseconds from the end of the caller's speech."""

    position: int = Field(examples=[1])
    message_id: str | None = Field(description="The reply's message.")
    speech_ms: int = Field(description="How long the caller spoke.")
    transcript_ms: int
    first_token_ms: int | None
    first_audio_ms: int | None
    barge_in_ms: int | None = Field(
        description="From the beginning of speech over the voice to its silence."
    )
    interrupted: bool
    recording_ms: int | None = Field(
        description="Where the caller's speech begins in the recording; null where it does not."
    )


class CallView(BaseModel):
    """A call: how it went, its turns, and its recording."""

    id: str
    carrier: Literal["browser", "twilio"]
    language: str = Field(examples=["fr"])
    started_at: Moment
    ended_at: Moment | None = Field(description="null while it lasts.")
    end_reason: str | None = Field(examples=["goodbye"])
    ticket_id: str | None = Field(description="That the call has left.", examples=["TKT-2026-7"])
    turns: list[CallTurnView]
    recording: RecordingView | None


async def call_views(
    transaction: Transaction, runtime: Runtime, request: Request, conversation_id: UUID
) -> list[CallView]:
    """The calls of a conversation, oldest first."""
    found = await calls_of_conversation(transaction, conversation_id)
    return [_call_view(call, runtime, request) for call in found]


def _call_view(call: Call, runtime: Runtime, request: Request) -> CallView:
    recording = call.recording
    return CallView(
        id=str(call.id),
        carrier=call.carrier,
        language=call.language,
        started_at=call.started_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
        ticket_id=call.ticket_number,
        turns=[_turn_view(turn) for turn in call.turns],
        recording=_recording_view(recording, runtime, request) if recording else None,
    )


def _turn_view(turn: TurnTimes) -> CallTurnView:
    return CallTurnView(
        position=turn.position,
        message_id=str(turn.message_id) if turn.message_id else None,
        speech_ms=turn.speech_ms,
        transcript_ms=turn.transcript_ms,
        first_token_ms=turn.first_token_ms,
        first_audio_ms=turn.first_audio_ms,
        barge_in_ms=turn.barge_in_ms,
        interrupted=turn.interrupted,
        recording_ms=turn.recording_ms,
    )


def _recording_view(recording: Recording, runtime: Runtime, request: Request) -> RecordingView:
    base_url = runtime.settings.public_url or str(request.base_url)
    return RecordingView(
        url=link_to_recording(runtime, recording, base_url),
        media_type=recording.media_type,
        size_bytes=recording.size_bytes,
        duration_seconds=recording.duration_seconds,
    )
