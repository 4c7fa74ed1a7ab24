"""Files of customers: `POST /api/upload` (seed 003), and the signed addresses of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.dependencies import (
    API_KEY_HEADERS,
    VISITOR_HEADER,
    CurrentRuntime,
    KnownChatCaller,
    organization_of_public_key,
    signed_in_or_known_visitor,
)
from api.json_body import StrictRoute
from api.limits import UPLOAD_LIMIT_BYTES
from api.support.envelope import Answer, Moment, failures
from core.errors import InvalidRequest, NotFound, PayloadTooLarge, ServiceUnavailable
from core.providers.storage import NO_SPACE, NO_SPACE_LEFT
from core.runtime import Runtime
from core.text import clean_text
from services.uploads.advice import photo_problems
from services.uploads.links import LATEST_EXPIRY, OpenedFile, Variant, link_to, open_link
from services.uploads.uploads import (
    MAXIMUM_DESCRIPTION_LENGTH,
    Upload,
    find_upload,
    keep_upload,
)

MAXIMUM_FIELD_BYTES = 64 * 1024
# A file is only looked at: it may run nothing, embed nothing and be embedded nowhere as a page.
FILE_POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'none'"
SHOWN_INLINE = ("image/", "video/")

router = APIRouter(prefix="/api", tags=["Uploads"], route_class=StrictRoute)

FileId = Annotated[str, Path(description="Such as upload_123.", max_length=1_000)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "JPEG, PNG, WebP, GIF, HEIC or AVIF picture, MP4, "
                            "MOV or WebM video, or PDF; at most 10 MB.",
                        },
                        "description": {
                            "type": "string",
                            "maxLength": MAXIMUM_DESCRIPTION_LENGTH,
                            "example": "Photo du défaut sur le canapé",
                        },
                    },
                }
            }
        },
    }
}


class UploadAnswer(Answer):
    file_url: str = Field(
        description="Opens the file for an hour, to whoever has it.",
        examples=["https://cloudinary.com/.../image.jpg"],
    )
    file_id: str = Field(examples=["upload_123"])
    file_type: str = Field(
        description="Of the file that is kept, known from its content.", examples=["image/jpeg"]
    )
    size_bytes: int = Field(description="Of the file that is kept.", examples=[245760])


class FileView(BaseModel):
    """A file as those see it who may."""

    file_url: str = Field(description="Opens the file for an hour, to whoever has it.")
    file_id: str
    file_type: str
    size_bytes: int
    thumbnail_url: str | None = Field(description="A small JPEG; of a video its poster frame.")
    description: str
    width: int | None
    height: int | None
    duration_seconds: float | None
    photo_problems: list[str] = Field(
        description="What makes a photo hard to judge by: `too_dark`, `blurry`."
    )
    created_at: Moment


class FileAnswer(Answer):
    file: FileView


@router.post(
    "/upload",
    status_code=201,
    summary="Send a file",
    responses=failures(401, 403, 415),
    openapi_extra=_BODY,
)
async def upload_file(
    request: Request, caller: KnownChatCaller, runtime: CurrentRuntime, response: Response
) -> UploadAnswer:
    """Send a picture, a video or a PDF, to be attached to a ticket or a message within a day.

    What is kept is made anew from what was sent: upright, without metadata.
    """
    async with _sent_file(request) as (file, description):
        opened = await run_in_threadpool(_on_disk, file)
        upload = await keep_upload(
            runtime, caller.principal, opened, file.content_type or "", description
        )
    response.headers["location"] = f"/api/upload/{upload.file_id}"
    return UploadAnswer(
        file_url=_link(runtime, upload, request) or "",
        file_id=upload.file_id,
        file_type=upload.media_type,
        size_bytes=upload.size_bytes,
    )


@router.get(
    "/upload/{file_id}", summary="Read about a file", responses=failures(401, 404), tags=["Uploads"]
)
async def read_upload(
    file_id: FileId, request: Request, caller: KnownChatCaller, runtime: CurrentRuntime
) -> FileAnswer:
    """A file of one's own, or for members of staff any of the shop's, with fresh addresses."""
    principal = caller.principal
    async with runtime.database.reading(principal.organization_id) as transaction:
        upload = await find_upload(transaction, file_id, principal)
    return FileAnswer(file=file_view(runtime, upload, request))


@router.get(
    "/files/{file_id}",
    summary="Open a file by its signed address",
    response_class=Response,
    responses={
        **failures(404),
        200: {"description": "The file.", "content": {"*/*": {}}},
        206: {"description": "A part of the file.", "content": {"*/*": {}}},
        307: {"description": "The file is kept elsewhere."},
        416: {"description": "The range lies outside the file."},
    },
)
async def open_file(
    file_id: FileId,
    request: Request,
    runtime: CurrentRuntime,
    expires: Annotated[int, Query(ge=0, le=LATEST_EXPIRY)],
    signature: Annotated[str, Query(max_length=100)],
    variant: Annotated[Variant, Query()] = "content",
) -> Response:
    """The address is the permission; it expires, and credentials of another shop void it."""
    opened = await open_link(runtime, file_id, variant, expires, signature)
    await _refuse_other_organization(request, runtime, opened)
    if isinstance(opened.place, str):
        return RedirectResponse(opened.place, 307)
    if not await run_in_threadpool(opened.place.is_file):
        raise NotFound("This file is not there any more.")
    return FileResponse(
        opened.place,
        media_type=opened.media_type,
        filename=opened.file_name,
        content_disposition_type=_disposition(opened),
        headers=_file_headers(runtime, opened),
    )


def file_view(runtime: Runtime, upload: Upload, request: Request) -> FileView:
    """What someone who may see a file is shown of it."""
    return FileView(
        file_url=_link(runtime, upload, request) or "",
        file_id=upload.file_id,
        file_type=upload.media_type,
        size_bytes=upload.size_bytes,
        thumbnail_url=_link(runtime, upload, request, "thumbnail"),
        description=upload.description,
        width=upload.width,
        height=upload.height,
        duration_seconds=upload.duration_seconds,
        photo_problems=list(photo_problems(upload)),
        created_at=upload.created_at,
    )


def _link(
    runtime: Runtime, upload: Upload, request: Request, variant: Variant = "content"
) -> str | None:
    base_url = runtime.settings.public_url or str(request.base_url)
    return link_to(runtime, upload, base_url, variant)


@asynccontextmanager
async def _sent_file(request: Request) -> AsyncIterator[tuple[UploadFile, str]]:
    """The file and the description of a form; both end with the block."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidRequest("Send the file as the field `file` of multipart/form-data.")
    try:
        async with request.form(
            max_files=1, max_fields=1, max_part_size=MAXIMUM_FIELD_BYTES
        ) as form:
            yield _file_of(form), _description_of(form)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise ServiceUnavailable(NO_SPACE_LEFT) from error


def _file_of(form: FormData) -> UploadFile:
    unknown = set(form) - {"file", "description"}
    file = form.get("file")
    if unknown or not isinstance(file, UploadFile):
        raise InvalidRequest("The form has a file in `file`, a text in `description`, and no more.")
    if not file.size:
        raise InvalidRequest("The file is empty.", {"field": "file"})
    if file.size > UPLOAD_LIMIT_BYTES:
        raise PayloadTooLarge("Request body exceeds maximum size of 10.0MB")
    return file


def _description_of(form: FormData) -> str:
    text = form.get("description", "")
    if not isinstance(text, str):
        raise InvalidRequest("description: send a text.", {"field": "description"})
    try:
        return clean_text(text)
    except ValueError as error:
        raise InvalidRequest(f"description: {error}.", {"field": "description"}) from error


def _on_disk(file: UploadFile) -> BinaryIO:
    """The file as one that another process can read: a small one leaves memory only now."""
    opened: BinaryIO = file.file
    opened.fileno()
    opened.seek(0)
    opened.flush()
    return opened


async def _refuse_other_organization(
    request: Request, runtime: Runtime, opened: OpenedFile
) -> None:
    """Whoever shows credentials shows those of the file's own organization."""
    organization_id = opened.upload.organization_id
    named = await organization_of_public_key(request, runtime)
    headers = ("authorization", VISITOR_HEADER, *API_KEY_HEADERS)
    if any(name in request.headers for name in headers):
        caller = await signed_in_or_known_visitor(request, runtime)
        named = caller.principal.organization_id
    if named is not None and named != organization_id:
        raise NotFound("There is no such file, or its link has expired; ask for a new one.")


def _disposition(opened: OpenedFile) -> str:
    return "inline" if opened.media_type.startswith(SHOWN_INLINE) else "attachment"


def _file_headers(runtime: Runtime, opened: OpenedFile) -> Mapping[str, str]:
    seconds = max(0, int((opened.expires_at - runtime.clock()).total_seconds()))
    headers: dict[str, Any] = {
        "Content-Security-Policy": FILE_POLICY,
        "Cache-Control": f"private, max-age={seconds}",
        "Referrer-Policy": "no-referrer",
    }
    return headers
