"""`mdf knowledge`: what the shop knows, added and listed in the database, searched by the server.

Adding writes rows and an outbox entry in one transaction; the process that owns the vector index
makes them searchable. Searching asks that process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.assemble import open_product
from api.commands.client import call, product_client
from api.commands.output import fail, progress_bar, results, write_json, write_rows
from bot.understanding.language import detect_language
from core.errors import SupportError
from core.runtime import Runtime
from core.settings import Settings
from knowledge.documents import NewDocument, create_document, list_documents
from knowledge.readers import read_file
from services.accounts.organizations import active_organizations
from services.accounts.sessions import start_session
from services.accounts.tables import memberships
from services.accounts.users import find_account

PAGE = 100
DETECTED_CHARACTERS = 2_000
KNOWLEDGE_ROLES = ("owner", "admin", "manager")


@dataclass(frozen=True)
class Opened:
    """The product without its server parts, and the organization that commands work in."""

    runtime: Runtime
    organization_id: UUID


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Opened]:
    """Open the database; an error of the product ends the command with its sentence."""
    try:
        async with open_product(settings, serve=False) as runtime:
            organizations = await active_organizations(runtime.database)
            if not organizations:
                raise fail("the database holds no shop yet; run: mdf seed")
            yield Opened(runtime, organizations[0].id)
    except SupportError as error:
        raise fail(error.message) from error


def add(settings: Settings, files: Sequence[Path], *, language: str | None, as_json: bool) -> None:
    """Add every document of the files, each file in one transaction."""
    rows = asyncio.run(_add(settings, files, language))
    if as_json:
        write_json(rows)
    else:
        write_rows(rows, ("title", "language", "id"))


async def _add(
    settings: Settings, files: Sequence[Path], language: str | None
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with _opened(settings) as opened:
        with progress_bar("documents") as report:
            for number, file in enumerate(files):
                report(file.name, number, len(files))
                rows += await _add_file(opened, file, language)
    return rows


async def _add_file(opened: Opened, file: Path, language: str | None) -> list[dict[str, Any]]:
    content = await asyncio.to_thread(file.read_bytes)
    try:
        found = await read_file(content, file.name)
    except SupportError as error:
        raise fail(f"{file.name}: {error.message}") from error
    if not found:
        raise fail(f"{file.name} holds no text")
    runtime = opened.runtime
    async with runtime.database.transaction(opened.organization_id) as transaction:
        stored = [
            await create_document(
                transaction, runtime.outbox, _document(item, language), runtime.clock()
            )
            for item in found
        ]
    return [
        {"id": str(document.id), "title": document.title, "language": document.language}
        for document in stored
    ]


def _document(item: Any, language: str | None) -> NewDocument:
    return NewDocument(
        title=item.title,
        text=item.text,
        language=language or detect_language(item.text[:DETECTED_CHARACTERS], "fr"),
        tags=tuple(item.tags),
        source_kind=item.source_kind,
    )


def list_all(settings: Settings, *, as_json: bool) -> None:
    """List every document, newest first."""
    rows = asyncio.run(_list(settings))
    if as_json:
        write_json(rows)
    else:
        write_rows(rows, ("title", "language", "tags", "id"))


async def _list(settings: Settings) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with (
        _opened(settings) as opened,
        opened.runtime.database.reading(opened.organization_id) as transaction,
    ):
        total = 1
        while len(rows) < total:
            found, total = await list_documents(transaction, PAGE, len(rows))
            if not found:
                break
            rows += [
                {
                    "id": str(document.id),
                    "title": document.title,
                    "language": document.language,
                    "tags": ", ".join(document.tags),
                }
                for document in found
            ]
    return rows


def search(
    settings: Settings, question: str, *, limit: int, server: str | None, as_json: bool
) -> None:
    """Search through the process that owns the index, and write what it found."""
    rows = asyncio.run(_search(settings, question, limit, server))
    if as_json:
        write_json(rows)
        return
    for row in rows:
        results.print(f"{row['score']:.2f} {row['title']}", style="bold", markup=False)
        results.print(f"     {row['quote']}", markup=False)
    if not rows:
        results.print("nothing found")


async def _search(
    settings: Settings, question: str, limit: int, server: str | None
) -> list[dict[str, Any]]:
    token = await _operator_token(settings)
    async with product_client(settings, server) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        body = await call(
            client, "GET", "/api/v1/knowledge/search", params={"q": question, "limit": limit}
        )
    rows = body["data"]
    return rows if isinstance(rows, list) else []


async def _operator_token(settings: Settings) -> str:
    """An access token of an account that may read the shop's knowledge.

    Whoever runs this command holds the database and the secret key already.
    """
    async with _opened(settings) as opened:
        async with opened.runtime.database.reading(opened.organization_id) as transaction:
            row = await transaction.first(
                select(memberships.c.user_id)
                .where(memberships.c.role.in_(KNOWLEDGE_ROLES))
                .order_by(memberships.c.id)
                .limit(1)
            )
            account = await find_account(transaction, row.user_id) if row is not None else None
        if account is None:
            raise fail("searching needs an account of a manager, an admin or the owner")
        return (await start_session(opened.runtime, account)).access_token
