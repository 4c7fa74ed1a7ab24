"""Speech in and speech out: `POST /api/voice/transcribe` and `/api/voice/tts` (seed 003)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints
from starlette.datastructures import FormData, UploadFile

from api.dependencies import CurrentRuntime, KnownChatCaller
from api.json_body import StrictRoute
from api.limits import BODY_LIMIT_BYTES
from api.support.envelope import Answer, failures
from api.support.envelope import Request as RequestBody
from channels.voice.audio import decode_recording, mp3_of
from channels.voice.heard import listen
from channels.voice.reading import read_aloud
from core.errors import InvalidRequest, PayloadTooLarge
from core.text import Text

LANGUAGES = ("fr", "en", "de", "es", "it", "nl")
MAXIMUM_TEXT_LENGTH = 4_000
MAXIMUM_FIELD_BYTES = 1024

Language = Literal["fr", "en", "de", "es", "it", "nl"]
VoiceName = Literal["alloy", "echo", "fable", "onyx", "nova", "shimmer"]

router = APIRouter(prefix="/api/voice", tags=["Voice"], route_class=StrictRoute)

_RECORDING = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["audio_file"],
                    "additionalProperties": False,
                    "properties": {
                        "audio_file": {
                            "type": "string",
                            "format": "binary",
                            "description": "MP3, WAV, WebM, M4A or Ogg; at most 5 MB and three "
                            "minutes.",
                        },
                        "language": {
                            "type": "string",
                            "enum": list(LANGUAGES),
                            "description": "Left out: the language is detected.",
                            "example": "fr",
                        },
                    },
                }
            }
        },
    }
}


class TranscriptAnswer(Answer):
    text: str = Field(examples=["Bonjour, j'ai un problème avec mon canapé"])
    language: str = Field(description="As given, or as detected (ISO 639-1).", examples=["fr"])
    duration: float = Field(description="Seconds that the recording lasts.", examples=[3.5])


class SpeechRequest(RequestBody):
    text: Annotated[Text, StringConstraints(min_length=1, max_length=MAXIMUM_TEXT_LENGTH)] = Field(
        examples=["Votre ticket a été créé avec succès"]
    )
    language: Language = Field("fr", examples=["fr"])
    voice: VoiceName = Field("alloy", examples=["alloy"])


@router.post(
    "/transcribe",
    summary="Write down a recording",
    responses=failures(401, 403, 415),
    openapi_extra=_RECORDING,
)
async def transcribe(
    request: Request, caller: KnownChatCaller, runtime: CurrentRuntime
) -> TranscriptAnswer:
    """What was said, with the shop's own words spelt as the shop spells them.

    The recording is not kept. One without speech is refused.
    """
    caller.principal.require("chat:write")
    content, media_type, language = await _sent_recording(request)
    sound = await decode_recording(runtime, content, media_type)
    heard = await listen(runtime, caller.principal.organization_id, sound, language)
    if not heard.text:
        raise InvalidRequest("No speech was heard in the recording; speak closer and try again.")
    return TranscriptAnswer(
        text=heard.text, language=heard.language, duration=round(sound.duration_seconds, 2)
    )


@router.post(
    "/tts",
    summary="Read a text aloud",
    response_class=Response,
    responses={
        **failures(401, 403),
        200: {
            "description": "The spoken text; it begins to arrive with the first sentence.",
            "content": {"audio/mpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
async def speak(
    body: SpeechRequest, caller: KnownChatCaller, runtime: CurrentRuntime
) -> StreamingResponse:
    """Numbers, prices, dates, references and abbreviations are read as a person reads them."""
    caller.principal.require("chat:write")
    pieces = mp3_of(read_aloud(runtime, body.text, voice=body.voice, language=body.language))
    # Until the first piece is there, what goes wrong can still be answered as an error.
    first = await anext(pieces)
    return StreamingResponse(
        _from_first(first, pieces),
        media_type="audio/mpeg",
        headers={"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"},
    )


async def _from_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(rest):  # type: ignore[type-var]
        yield first
        async for piece in rest:
            yield piece


async def _sent_recording(request: Request) -> tuple[bytes, str, str | None]:
    """The recording, its announced type, and the language if one is given."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidRequest("Send the recording as the field `audio_file` of multipart/form-data.")
    async with request.form(max_files=1, max_fields=1, max_part_size=MAXIMUM_FIELD_BYTES) as form:
        file = _file_of(form)
        return await file.read(), file.content_type or "", _language_of(form)


def _file_of(form: FormData) -> UploadFile:
    file = form.get("audio_file")
    if set(form) - {"audio_file", "language"} or not isinstance(file, UploadFile):
        raise InvalidRequest(
            "The form has a recording in `audio_file`, a `language` if known, and no more."
        )
    if not file.size:
        raise InvalidRequest("The recording is empty.", {"field": "audio_file"})
    if file.size > BODY_LIMIT_BYTES:
        raise PayloadTooLarge("Request body exceeds maximum size of 5.0MB")
    return file


def _language_of(form: FormData) -> str | None:
    language = form.get("language")
    if language in (None, "", "auto"):
        return None
    if not isinstance(language, str) or language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise InvalidRequest(f"language: send one of {known}, or leave it out to have it detected.")
    return language
