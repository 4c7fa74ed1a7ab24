"""How a conversation goes on by e-mail: an answer to who has left, and their reply to it.

The address that a reply goes to names the conversation and is signed: whoever writes to it has
had our message. It is `support+<token>@…`; the mail server hands such messages to
`POST /api/v1/console/inbound-email`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.policy import default as MODERN
from email.utils import getaddresses, parseaddr
from string import Template
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bot.messages import IncomingMessage
from channels.web_chat import answer
from core.errors import InvalidRequest, NotFound
from core.providers.email import Email, EmailRefused
from core.runtime import Runtime
from core.security import keyed_hash, principal_for_role
from core.telemetry import logger
from core.text import clean_text
from services.accounts.customers import find_customer
from services.accounts.tables import organizations
from services.conversations.desk import read_conversation, stored_message
from services.conversations.tables import messages
from services.tickets.tables import tickets

AGENT_ANSWER_TOPIC = "conversation.answered_by_email"
MAXIMUM_MAIL_BYTES = 1024 * 1024
MAXIMUM_REPLY_CHARACTERS = 20_000
_SIGNATURE_CHARACTERS = 16
# Where the text of a reply ends and what it answers begins.
_QUOTE = re.compile(
    r"^(?:>|-{2,} ?(?:Original Message|Message d'origine|Message original)"
    r"|(?:Le|On|Am|Il|El|Op) .{4,120}(?:écrit|wrote|schrieb|scritto|escribió|schreef)"
    r"[^\n]{0,80}:\s*$"
    r"|_{10,}|De ?: |From: )",
    re.MULTILINE,
)
_WORDINGS = {
    "fr": (
        "$shop : un conseiller vous a répondu",
        "Bonjour,\n\n$agent vous a répondu :\n\n$text\n\n"
        "Répondez simplement à ce message : votre réponse rejoindra la conversation.\n\n$shop\n",
    ),
    "en": (
        "$shop: an adviser has replied",
        "Hello,\n\n$agent has replied to you:\n\n$text\n\n"
        "Just reply to this message: your answer will join the conversation.\n\n$shop\n",
    ),
}

_log = logger("channels.email")


@dataclass(frozen=True)
class InboundMail:
    """A reply by e-mail: whom it is addressed to, who wrote it, and what is new in it."""

    addresses: tuple[str, ...]
    sender: str
    text: str
    message_id: str
    is_automatic: bool


def reply_token(secret_key: str, organization_id: UUID, conversation_id: UUID) -> str:
    """What names a conversation in a reply address: its id and a signature, in lower case.

    43 characters: the part before the `@` has 64 at most (RFC 5321).
    """
    packed = base64.b32encode(conversation_id.bytes).decode().rstrip("=").lower()
    return f"{packed}-{_signature(secret_key, organization_id, conversation_id)}"


def read_reply_token(secret_key: str, organization_id: UUID, token: str) -> UUID:
    """The conversation of an organization's token; raises NotFound for one that is not ours."""
    packed, _, signature = token.lower().partition("-")
    try:
        raw = base64.b32decode(packed.upper() + "=" * (-len(packed) % 8))
        conversation_id = UUID(bytes=raw)
    except (ValueError, binascii.Error):
        raise _unknown_address() from None
    expected = _signature(secret_key, organization_id, conversation_id)
    if not signature.isascii() or not hmac.compare_digest(expected, signature):
        raise _unknown_address()
    return conversation_id


def _signature(secret_key: str, organization_id: UUID, conversation_id: UUID) -> str:
    named = f"reply|{organization_id}|{conversation_id}"
    return keyed_hash(secret_key, named)[:_SIGNATURE_CHARACTERS]


def _unknown_address() -> NotFound:
    return NotFound("No conversation belongs to this reply address.")


async def send_agent_answer(
    runtime: Runtime, organization_id: UUID, payload: Mapping[str, Any]
) -> None:
    """Write to the customer what an agent has answered after the conversation was closed."""
    conversation_id = UUID(payload["conversation_id"])
    async with runtime.database.reading(organization_id) as transaction:
        try:
            row = await read_conversation(transaction, conversation_id)
        except NotFound:
            return  # Erased in the meantime.
        found = await transaction.first(
            select(messages).where(messages.c.id == UUID(payload["message_id"]))
        )
        shop = await transaction.scalar(
            select(organizations.c.name).where(organizations.c.id == organization_id)
        )
        to = await _address_of(transaction, row)
    if found is None or to is None or not runtime.email.is_available:
        return
    message = stored_message(found)
    author = (message.attachments.get("author") or {}).get("name") or shop
    subject, body = _WORDINGS["fr" if row.language == "fr" else "en"]
    values = {"shop": " ".join(str(shop).split()), "agent": author, "text": message.content}
    secret = runtime.settings.secret_key.get_secret_value()
    mail = Email(
        key=f"answer-{message.id}",
        to=to,
        subject=Template(subject).substitute(values),
        text=Template(body).substitute(values),
        reply_to=reply_address(
            runtime.settings.email_from, reply_token(secret, organization_id, conversation_id)
        ),
    )
    try:
        await runtime.email.send(mail)
    except EmailRefused:
        _log.warning("answer_refused", conversation_id=str(conversation_id))


def reply_address(sender: str, token: str) -> str:
    """Our own address with the token: `support+<token>@example.com`."""
    local, _, domain = parseaddr(sender)[1].rpartition("@")
    name = local.partition("+")[0][:20] or "support"
    return f"{name}+{token}@{domain or 'localhost'}"


async def _address_of(transaction: Any, row: Any) -> str | None:
    """Where the person of a conversation reads mail: their customer's address, or a ticket's."""
    if row.customer_id is not None:
        customer = await find_customer(transaction, row.customer_id)
        if customer is not None:
            return customer.email
    found = await transaction.first(
        select(tickets.c.contact_email)
        .where(tickets.c.conversation_id == row.id, tickets.c.contact_email.is_not(None))
        .order_by(tickets.c.id.desc())
        .limit(1)
    )
    return str(found.contact_email) if found is not None else None


def read_mail(raw: bytes) -> InboundMail:
    """Read a message as a mail server hands it over (RFC 5322); raises InvalidRequest."""
    if len(raw) > MAXIMUM_MAIL_BYTES:
        raise InvalidRequest("The message is too large.")
    try:
        parsed = message_from_bytes(raw, policy=MODERN)
        if not isinstance(parsed, EmailMessage):
            raise ValueError("no message")
        return _read(parsed)
    except (ValueError, LookupError, AttributeError, TypeError, HeaderParseError) as error:
        # Malformed headers and unknown encodings make the standard library raise any of these.
        raise InvalidRequest("This e-mail cannot be read; send it as it came.") from error


def _read(parsed: EmailMessage) -> InboundMail:
    headers = [
        str(value)
        for name in ("to", "cc", "delivered-to", "x-original-to")
        for value in parsed.get_all(name, [])
    ]
    automatic = str(parsed.get("auto-submitted", "no")).lower() != "no"
    bulk = str(parsed.get("precedence", "")).lower() in ("bulk", "auto_reply", "junk")
    return InboundMail(
        addresses=tuple(address for _, address in getaddresses(headers)),
        sender=parseaddr(str(parsed.get("from", "")))[1],
        text=clean_text(_new_text(parsed)),
        message_id=clean_text(str(parsed.get("message-id", "")))[:150],
        is_automatic=automatic or bulk,
    )


def _new_text(parsed: EmailMessage) -> str:
    """The plain text without what it quotes."""
    body = parsed.get_body(preferencelist=("plain",))
    if body is None:
        raise ValueError("no plain text")
    content = str(body.get_content()).replace("\r\n", "\n")
    quote = _QUOTE.search(content)
    return content[: quote.start() if quote else None].strip()[:MAXIMUM_REPLY_CHARACTERS]


async def join_thread(runtime: Runtime, organization_id: UUID, mail: InboundMail) -> UUID | None:
    """Let a customer's reply join its conversation; returns the conversation, None for a machine's.

    Raises NotFound where no address is one of ours, InvalidRequest for an empty reply. The same
    message joins once.
    """
    secret = runtime.settings.secret_key.get_secret_value()
    token = next(
        (
            address.partition("+")[2].rpartition("@")[0]
            for address in mail.addresses
            if "+" in address
        ),
        "",
    )
    conversation_id = read_reply_token(secret, organization_id, token)
    if mail.is_automatic:
        return None
    if not mail.text:
        raise InvalidRequest("The reply holds no text of its own.")
    async with runtime.database.reading(organization_id) as transaction:
        row = await read_conversation(transaction, conversation_id)
    message = IncomingMessage(
        principal=principal_for_role(
            organization_id, row.actor, "visitor", customer_id=row.customer_id
        ),
        session_id=row.session_id,
        text=mail.text,
        channel="email",
        client_message_id=f"mail:{mail.message_id}" if mail.message_id else None,
    )
    await answer(message, runtime)
    return conversation_id
