"""Editing what the assistant answers from: changes, versions, passages, and asking it (row W16)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.admin.envelope import APIResponse
from api.admin.knowledge import (
    DEFAULT_LANGUAGE,
    DocumentId,
    DocumentWithText,
    Language,
    Tags,
    detected,
    document_id_of,
    document_values,
)
from api.admin.routes import route
from api.dependencies import CurrentOperator, CurrentRuntime
from api.json_body import StrictRoute
from api.support.envelope import Moment
from bot.assistant import Assistant
from bot.relevance import verdict
from bot.searching import documents_for_text
from core.errors import NotFound
from core.runtime import Runtime
from core.security import Principal
from core.text import Text
from knowledge.documents import Document, NewDocument, Status, read_document
from knowledge.editing import (
    Reason,
    Version,
    change_document,
    list_removed,
    list_versions,
    restore_version,
)
from knowledge.health.findings import forget_settled
from knowledge.index import Knowledge
from knowledge.passages import split_passages
from knowledge.search import ExplainedHit
from services.accounts.audit import record_change

READ, WRITE = "knowledge:read", "knowledge:write"
MOST_REMOVED = 200
LONGEST_PREVIEW_CHARACTERS = 200_000

VersionId = Annotated[str, Path(description="The version's id.", max_length=1_000)]

router = APIRouter(prefix="/api/v1/knowledge", tags=["Knowledge"], route_class=StrictRoute)


class ChangedDocumentRequest(BaseModel):
    """The whole document as it is to be; `status` stays as it is where it is left out."""

    model_config = ConfigDict(extra="forbid")

    title: Text = Field(min_length=1, max_length=300, examples=["Délais de livraison"])
    text: Text = Field(min_length=1, examples=["Un canapé en stock est livré en 7 à 10 jours."])
    language: Language | None = Field(None, description="Stays as it is if left out.")
    tags: Tags = Field(default_factory=list, examples=[["livraison"]])
    status: Status | None = None
    if_updated_at: AwareDatetime | None = Field(
        None,
        description="`updated_at` as it was read: 409 where somebody changed it since.",
        examples=["2026-11-22T09:30:00Z"],
    )


class PreviewRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Text = Field(
        max_length=LONGEST_PREVIEW_CHARACTERS,
        examples=["# Livraison\n\nUn canapé en stock est livré en 7 à 10 jours."],
    )


class PassageView(BaseModel):
    """A passage as it is searched and quoted: `text` is what stands from `start` to `end`."""

    position: int
    heading: str
    start: int
    end: int
    text: str


class VersionView(BaseModel):
    id: str
    document_id: str
    title: str
    text: str
    language: str
    tags: list[str]
    status: Status
    reason: Reason
    replaced_at: Moment


class PartsView(BaseModel):
    """What a rank is made of; the parts add up to `total`."""

    meaning: float
    words: float
    subject: float
    language: float
    total: float


class AskRow(BaseModel):
    """A passage that may answer, the best of its document."""

    document_id: str
    title: str
    language: str
    heading: str
    position: int
    passage: str
    quote: str = Field(description="The literal sentences of the passage that answer best.")
    score: float = Field(description="0 to 1, comparable between questions.")
    verdict: str = Field(
        description="What the assistant would do: `sure`, `doubtful` or `silent`.",
        examples=["sure"],
    )
    parts: PartsView


@route(router, "PUT", "/documents/{document_id}", summary="Change a document", fails=(404, 409))
async def replace_document(
    document_id: DocumentId,
    body: ChangedDocumentRequest,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[DocumentWithText]:
    """Replace a document; search finds the new text, and only that, within two seconds.

    What it was is kept for a month.
    """
    operator.require(WRITE)
    id = document_id_of(document_id)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        former = await read_document(transaction, id)
        new = NewDocument(
            title=body.title,
            text=body.text,
            language=body.language or former.language or detected(body.text),
            tags=tuple(body.tags),
            source_kind=former.source_kind,
            status=body.status or former.status,
        )
        changed = await change_document(
            transaction,
            runtime.outbox,
            id,
            new,
            runtime.clock(),
            if_updated_at=body.if_updated_at,
        )
        await forget_settled(transaction, changed)
        if changed != former:
            await record_change(
                runtime, transaction, operator, "knowledge.change", {"document_id": str(id)}
            )
    await _until_searchable(runtime, operator, changed)
    return APIResponse(message="The document has been changed.", data=_with_text(changed))


@route(
    router,
    "GET",
    "/documents/{document_id}/passages",
    summary="Read a document's passages",
    fails=(404,),
)
async def read_passages(
    document_id: DocumentId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[PassageView]]:
    """The passages of a document as they are searched and quoted."""
    operator.require(READ)
    async with runtime.database.reading(operator.organization_id) as transaction:
        document = await read_document(transaction, document_id_of(document_id))
    return APIResponse(data=_passages(document.text))


@route(router, "POST", "/preview", summary="Cut a text into passages")
async def preview_passages(
    body: PreviewRequest, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[PassageView]]:
    """How a text would be cut; nothing is stored."""
    operator.require(READ)
    return APIResponse(data=_passages(body.text))


@route(
    router, "GET", "/documents/{document_id}/versions", summary="List former versions", fails=(404,)
)
async def read_versions(
    document_id: DocumentId, operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[VersionView]]:
    """What a document was within the last month, the latest first; also of one that is gone."""
    operator.require(WRITE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        id = document_id_of(document_id)
        found = await list_versions(transaction, id)
        if not found:
            await read_document(transaction, id)
    return APIResponse(data=[_version_view(one) for one in found])


@route(router, "GET", "/removed", summary="List removed documents")
async def read_removed(
    operator: CurrentOperator, runtime: CurrentRuntime
) -> APIResponse[list[VersionView]]:
    """Documents that were removed within the last month and can be brought back."""
    operator.require(WRITE)
    async with runtime.database.reading(operator.organization_id) as transaction:
        found = await list_removed(transaction, MOST_REMOVED)
    return APIResponse(data=[_version_view(one) for one in found])


@route(
    router,
    "POST",
    "/documents/{document_id}/versions/{version_id}/restore",
    summary="Bring a version back",
    fails=(404, 409),
)
async def restore_former(
    document_id: DocumentId,
    version_id: VersionId,
    operator: CurrentOperator,
    runtime: CurrentRuntime,
) -> APIResponse[DocumentWithText]:
    """Make a document what it was, or bring a removed one back under the id that it had."""
    operator.require(WRITE)
    id = document_id_of(document_id)
    async with runtime.database.transaction(operator.organization_id) as transaction:
        restored = await restore_version(
            transaction, runtime.outbox, id, _version_id(version_id), runtime.clock()
        )
        await forget_settled(transaction, restored)
        await record_change(
            runtime, transaction, operator, "knowledge.restore", {"document_id": str(id)}
        )
    await _until_searchable(runtime, operator, restored)
    return APIResponse(message="The document is back.", data=_with_text(restored))


@route(router, "GET", "/ask", summary="Ask the knowledge and see why")
async def ask_knowledge(
    operator: CurrentOperator,
    runtime: CurrentRuntime,
    q: Annotated[Text, Query(min_length=1, max_length=1_000, examples=["délais de livraison"])],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> APIResponse[list[AskRow]]:
    """Search as the assistant does, with what each passage's rank is made of.

    `meaning` compares sentence vectors, `words` the words in common, `subject` what question and
    title are about; `language` is taken away from documents in another language.
    """
    operator.require(READ)
    read, hits = await documents_for_text(
        runtime, operator.organization_id, q, DEFAULT_LANGUAGE, limit
    )
    assistant = runtime.part(Assistant)
    return APIResponse(
        data=[_ask_row(one, verdict(assistant, read, one.hit)) for one in hits],
        metadata={"language": read.language},
    )


def _ask_row(one: ExplainedHit, judged: str) -> AskRow:
    hit, parts = one.hit, one.parts
    total = parts.meaning + parts.words + parts.subject + parts.language
    return AskRow(
        document_id=str(hit.document_id),
        title=hit.title,
        language=hit.language,
        heading=one.heading,
        position=one.position,
        passage=hit.passage,
        quote=hit.quote,
        score=hit.score,
        verdict=judged,
        parts=PartsView(
            meaning=round(parts.meaning, 4),
            words=round(parts.words, 4),
            subject=round(parts.subject, 4),
            language=round(parts.language, 4),
            total=round(total, 4),
        ),
    )


async def _until_searchable(runtime: Runtime, operator: Principal, document: Document) -> None:
    if document.status == "published":
        await runtime.part(Knowledge).wait_until_searchable(
            operator.organization_id, document.id, written_at=document.updated_at
        )


def _with_text(document: Document) -> DocumentWithText:
    return DocumentWithText(**document_values(document), text=document.text)


def _passages(text: str) -> list[PassageView]:
    return [PassageView.model_validate(one, from_attributes=True) for one in split_passages(text)]


def _version_view(version: Version) -> VersionView:
    return VersionView(
        id=str(version.id),
        document_id=str(version.document_id),
        title=version.title,
        text=version.text,
        language=version.language,
        tags=list(version.tags),
        status=version.status,
        reason=version.reason,
        replaced_at=version.replaced_at,
    )


def _version_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("There is no such version.") from error
