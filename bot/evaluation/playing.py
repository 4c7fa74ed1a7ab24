"""One played conversation: who speaks, what is said, what comes back, what the database holds."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bot.assistant import Assistant
from bot.engine import handle
from bot.messages import IncomingMessage, Reply
from bot.state import DialogueState
from core.errors import NotFound
from core.runtime import Runtime
from core.security import Principal, principal_for_role, random_token
from services.accounts.customers import find_customer_by_reference
from services.accounts.sessions import issue_visitor_token
from services.accounts.users import find_account, find_user
from services.conversations.tables import conversations
from services.tickets.tables import tickets
from services.uploads.uploads import keep_upload

VISITOR = "visitor"
CUSTOMER = "customer:"
PHOTO_PIXELS = 640
EMAIL_OF_CUSTOMER = re.compile(r"\{email:([^{}]{1,40})\}")


@dataclass(frozen=True)
class Conversation:
    """A conversation being played."""

    principal: Principal
    session_id: str

    @property
    def organization_id(self) -> UUID:
        return self.principal.organization_id


@dataclass(frozen=True)
class PlayedTurn:
    """One message and its answer; `sources` are titles, `products` skus."""

    said: str
    answered: str
    language: str
    intent: str
    confidence: float
    sources: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    owner: str = "bot"
    failures: tuple[str, ...] = ()

    def failing(self, failures: Sequence[str]) -> PlayedTurn:
        return replace(self, failures=tuple(failures))


@dataclass(frozen=True)
class Stored:
    """What the database holds of a conversation."""

    state: DialogueState
    owner: str
    tickets: Sequence[Mapping[str, Any]]


def new_conversation(principal: Principal) -> Conversation:
    return Conversation(principal, random_token("scenario_"))


async def speaker_of(runtime: Runtime, organization_id: UUID, speaker: str) -> Principal:
    """Who a test speaks as: `visitor`, an account's e-mail address, or `customer:<reference>`.

    Raises NotFound for anyone else.
    """
    if speaker == VISITOR:
        return issue_visitor_token(runtime, organization_id)[1]
    if speaker.startswith(CUSTOMER):
        return await _customer(runtime, organization_id, speaker.removeprefix(CUSTOMER))
    async with runtime.database.reading(organization_id) as transaction:
        user = await find_user(transaction, speaker)
        account = await find_account(transaction, user.id) if user is not None else None
    if account is None:
        raise NotFound(f"There is no account {speaker}; scenarios speak as a visitor or a user.")
    return account.principal()


async def _customer(runtime: Runtime, organization_id: UUID, reference: str) -> Principal:
    """The shop's customer as their account would be, whether they have one or not."""
    async with runtime.database.reading(organization_id) as transaction:
        customer = await find_customer_by_reference(transaction, reference)
    if customer is None:
        raise NotFound(f"There is no customer {reference}.")
    actor = f"user:{customer.user_id}" if customer.user_id else f"{CUSTOMER}{customer.id}"
    return principal_for_role(
        organization_id,
        actor,
        "customer",
        user_id=customer.user_id,
        customer_id=customer.id,
        email=customer.email,
    )


async def with_addresses(runtime: Runtime, organization_id: UUID, text: str) -> str:
    """The text with each `{email:<reference>}` replaced by that customer's address."""
    for reference in set(EMAIL_OF_CUSTOMER.findall(text)):
        async with runtime.database.reading(organization_id) as transaction:
            customer = await find_customer_by_reference(transaction, reference)
        if customer is not None:
            text = text.replace(f"{{email:{reference}}}", customer.email)
    return text


async def send_photo(runtime: Runtime, conversation: Conversation, description: str) -> str:
    """Upload a photo as the speaker does; returns its file id."""
    with TemporaryFile() as file:
        file.write(_checked_png())
        file.seek(0)
        sent = await keep_upload(runtime, conversation.principal, file, "image/png", description)
    return sent.file_id


def _checked_png() -> bytes:
    """A picture that is bright and sharp enough not to be asked for again."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    size, square = PHOTO_PIXELS, PHOTO_PIXELS // 16
    line = [b"\0" + bytes(255 * ((x // square + row) % 2) for x in range(size)) for row in (0, 1)]
    pixels = b"".join(line[y // square % 2] for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


async def say(
    runtime: Runtime, conversation: Conversation, text: str, file_ids: Sequence[str] = ()
) -> Reply:
    """Say one message and wait for the whole answer."""
    message = IncomingMessage(
        conversation.principal,
        conversation.session_id,
        text,
        channel="evaluation",
        attachments=tuple(file_ids),
    )
    reply = Reply()
    async for event in handle(message, runtime.part(Assistant), runtime):
        reply.add(event)
    return reply


def played(said: str, reply: Reply) -> PlayedTurn:
    """What a report shows of a turn; each source, product and tool once."""
    return PlayedTurn(
        said=said,
        answered=reply.text,
        language=reply.language,
        intent=reply.intent,
        confidence=round(reply.confidence, 3),
        sources=_once(source["title"] for source in reply.sources),
        products=_once(product["sku"] for product in reply.products),
        tools=_once(done["tool"] for done in reply.tool_results),
        owner=reply.owner,
    )


def _once(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


async def stored(runtime: Runtime, conversation: Conversation) -> Stored:
    """Read what the conversation has left; raises NotFound when it was never stored."""
    async with runtime.database.reading(conversation.organization_id) as transaction:
        row = await transaction.first(
            select(conversations.c.id, conversations.c.owner, conversations.c.state).where(
                conversations.c.actor == conversation.principal.actor,
                conversations.c.session_id == conversation.session_id,
            )
        )
        if row is None:
            raise NotFound("The conversation was not stored.")
        opened = await transaction.all(
            select(tickets).where(tickets.c.conversation_id == row.id).order_by(tickets.c.id)
        )
    return Stored(
        DialogueState.from_json(row.state), row.owner, [dict(one._mapping) for one in opened]
    )
