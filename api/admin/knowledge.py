"""What the assistant answers from: adding, reading, removing and searching documents (row W16)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from starlette.datastructures import UploadFile

from api.admin.envelope import APIResponse, PaginatedResponse, pagination
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute, is_json
from api.support.envelope import Moment
from bot.searching import documents_for_text
from bot.understanding.language import detect_language
from core.errors import NotFound, PayloadTooLarge
from core.runtime import Runtime
from core.security import Principal
from core.text import Text
from knowledge.documents import (
    Document,
    DocumentFilter,
    NewDocument,
    Sort,
    Status,
    create_document,
    list_documents,
    read_document,
)
from knowledge.editing import remove_document as remove_with_version
from knowledge.index import Knowledge
from knowledge.readers import read_file
from knowledge.reading.source import SourceDocument

MAXIMUM_FILE_BYTES = 10 * 1024 * 1024
MAXIMUM_PAGE_NUMBER = 100_000
MAXIMUM_TAGS = 20
DEFAULT_LANGUAGE = "fr"
DETECTED_CHARACTERS = 2_000

Language = Literal["fr", "en", "es", "de", "it", "nl"]
Tags = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=60)]],
    Field(max_length=MAXIMUM_TAGS),
    FailFast(),
]
DocumentId = Annotated[str, Path(description="The document's id.", max_length=1_000)]

Fields = TypeVar("Fields", bound=BaseModel)

router = APIRouter(prefix="/api/v1/knowledge", tags=["Knowledge"], route_class=StrictRoute)


class NewDocumentRequest(BaseModel):
    """A document as text; Markdown headings are understood."""

    model_config = ConfigDict(extra="forbid")

    title: Text = Field(min_length=1, max_length=300, examples=["Délais de livraison"])
    text: Text = Field(min_length=1, examples=["Un canapé en stock est livré en 7 à 10 jours."])
    language: Language | None = Field(None, description="Found out from the text if left out.")
    tags: Tags = Field(default_factory=list, examples=[["livraison"]])
    status: Status = Field("published", description="A draft is kept and not found by search.")


class FileFields(BaseModel):
    """What may accompany a file."""

    model_config = ConfigDict(extra="forbid")

    title: Text | None = Field(None, min_length=1, max_length=300)
    language: Language | None = None
    tags: Tags = Field(default_factory=list)


class DocumentSummary(BaseModel):
    id: str
    title: str
    language: str


class DocumentView(DocumentSummary):
    tags: list[str]
    source_kind: str = Field(examples=["markdown"])
    status: Status = "published"
    created_at: Moment
    updated_at: Moment


class DocumentWithText(DocumentView):
    text: str


class SearchRow(BaseModel):
    document_id: str
    title: str
    language: str
    quote: str = Field(description="The literal sentences of the document that answer best.")
    score: float = Field(description="0 to 1, comparable between questions.")


_FILE_SCHEMA = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "Markdown, HTML, PDF, DOCX or CSV, at most 10 MB.",
        },
        "title": {"type": "string"},
        "language": {"type": "string"},
        "tags": {"type": "string", "description": "Separated by commas."},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": NewDocumentRequest.model_json_schema()},
            "multipart/form-data": {"schema": _FILE_SCHEMA},
        },
    }
}


@route(
    router,
    "POST",
    "/documents",
    summary="Add a document or a file",
    fails=(400, 413, 415),
    status_code=201,
    openapi_extra=_BODY,
)
async def add_documents(
    request: Request, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[DocumentSummary]:
    """Add a document as JSON, or a file in the multipart field `file`.

    It is found by search within two seconds. A CSV file with a header makes one document of each
    row; `data` is then the first and `metadata.documents` lists them all.
    """
    operator.require("knowledge:write")
    new = await _documents_of(request)
    now = runtime.clock()
    async with runtime.database.transaction(operator.organization_id) as transaction:
        stored = [
            await create_document(transaction, runtime.outbox, document, now) for document in new
        ]
    # Whoever loads many documents cannot run ahead of their indexing.
    if stored[-1].status == "published":
        await runtime.part(Knowledge).wait_until_searchable(operator.organization_id, stored[-1].id)
    summaries = [_summary(document) for document in stored]
    metadata = (
        {"documents": [item.model_dump() for item in summaries]} if len(summaries) > 1 else None
    )
    return APIResponse(data=summaries[0], metadata=metadata)


@route(router, "GET", "/documents", summary="List documents")
async def read_documents(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    page: Annotated[int, Query(ge=1, le=MAXIMUM_PAGE_NUMBER)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    title_part: Annotated[
        Text | None, Query(alias="search", max_length=200, description="Part of the title.")
    ] = None,
    language: Language | None = None,
    status: Status | None = None,
    source_kind: Annotated[Text | None, Query(max_length=10, examples=["pdf"])] = None,
    tag: Annotated[Text | None, Query(max_length=60)] = None,
    sort: Sort = "newest",
) -> PaginatedResponse[DocumentView]:
    """List documents, newest first unless another order is asked for."""
    operator.require("knowledge:read")
    wanted = DocumentFilter(title_part, language, status, source_kind, tag)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found, total = await list_documents(
            transaction, per_page, (page - 1) * per_page, wanted, sort
        )
    return PaginatedResponse(
        data=[DocumentView(**document_values(document)) for document in found],
        pagination=pagination(page, per_page, total),
    )


@route(router, "GET", "/documents/{document_id}", summary="Read a document", fails=(404,))
async def read_one_document(
    document_id: DocumentId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[DocumentWithText]:
    """Read a document with its text."""
    operator.require("knowledge:read")
    async with runtime.database.reading(operator.organization_id) as transaction:
        document = await read_document(transaction, document_id_of(document_id))
    return APIResponse(data=DocumentWithText(**document_values(document), text=document.text))


@route(router, "DELETE", "/documents/{document_id}", summary="Remove a document", fails=(404,))
async def remove_document(
    document_id: DocumentId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[DocumentSummary]:
    """Remove a document; search forgets it within two seconds. It can be brought back."""
    operator.require("knowledge:write")
    id = document_id_of(document_id)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        document = await remove_with_version(transaction, runtime.outbox, id, runtime.clock())
    return APIResponse(message="The document has been removed.", data=_summary(document))


@route(router, "GET", "/search", summary="Search documents")
async def search_documents(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    q: Annotated[Text, Query(min_length=1, max_length=1_000, examples=["délais de livraison"])],
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> APIResponse[list[SearchRow]]:
    """Search as the assistant does: one row for each document, the best first."""
    operator.require("knowledge:read")
    return APIResponse(data=await _search(runtime, operator, q, limit))


async def _search(
    runtime: Runtime, operator: Principal, question: str, limit: int
) -> list[SearchRow]:
    _, found = await documents_for_text(
        runtime, operator.organization_id, question, DEFAULT_LANGUAGE, limit
    )
    return [
        SearchRow(
            document_id=str(hit.document_id),
            title=hit.title,
            language=hit.language,
            quote=hit.quote,
            score=round(hit.score, 4),
        )
        for hit in (one.hit for one in found)
    ]


async def _documents_of(request: Request) -> list[NewDocument]:
    """The documents of a JSON body or of an uploaded file, at least one."""
    content_type = request.headers.get("content-type", "")
    if is_json(content_type):
        return [_document_of_json(await request.json())]
    if content_type.lower().startswith("multipart/form-data"):
        return await _documents_of_form(request)
    raise _violation("body", "send JSON, or a file in the multipart field `file`")


def _document_of_json(body: Any) -> NewDocument:
    fields = _validated(NewDocumentRequest, body)
    return NewDocument(
        title=fields.title.strip(),
        text=fields.text,
        language=fields.language or detected(fields.text),
        tags=tuple(fields.tags),
        source_kind="text",
        status=fields.status,
    )


async def _documents_of_form(request: Request) -> list[NewDocument]:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise _violation("file", "Field required")
        content = await file.read(MAXIMUM_FILE_BYTES + 1)
        name = file.filename or ""
        given: dict[str, Any] = {key: value for key, value in form.items() if key != "file"}
    if len(content) > MAXIMUM_FILE_BYTES:
        raise PayloadTooLarge("Request body exceeds maximum size of 10.0MB")
    if isinstance(given.get("tags"), str):
        given["tags"] = [tag.strip() for tag in str(given["tags"]).split(",") if tag.strip()]
    fields = _validated(FileFields, given)
    found = await read_file(content, name)
    return [_document_of_file(item, fields, alone=len(found) == 1) for item in found]


def _document_of_file(item: SourceDocument, fields: FileFields, *, alone: bool) -> NewDocument:
    return NewDocument(
        title=fields.title if fields.title and alone else item.title,
        text=item.text,
        language=fields.language or item.language or detected(item.text),
        tags=(*item.tags, *fields.tags),
        source_kind=item.source_kind,
    )


def detected(text: str) -> str:
    return detect_language(text[:DETECTED_CHARACTERS], DEFAULT_LANGUAGE)


def _validated(model: type[Fields], values: Any) -> Fields:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**problem, "loc": ("body", *problem["loc"])} for problem in problems]
        ) from None


def _violation(field: str, problem: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "msg": problem, "type": "value_error"}])


def document_id_of(document_id: str) -> UUID:
    try:
        return UUID(document_id)
    except ValueError as error:
        raise NotFound("There is no such document.") from error


def _summary(document: Document) -> DocumentSummary:
    return DocumentSummary(id=str(document.id), title=document.title, language=document.language)


def document_values(document: Document) -> dict[str, Any]:
    return {
        **_summary(document).model_dump(),
        "tags": list(document.tags),
        "source_kind": document.source_kind,
        "status": document.status,
        "created_at": document.created_at,
        "updated_at": document.updated_at,
    }
