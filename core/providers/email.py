"""How does an e-mail leave the product: by SMTP, or into a folder where nothing is set up?

Sending is work for the outbox, never for a request: a mail server may take its time.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Literal, Protocol, get_args
from urllib.parse import parse_qs, unquote, urlsplit

from core.errors import ServiceUnavailable
from core.providers.breaker import CircuitBreaker, ProviderRefused, ask
from core.settings import Settings

TIMEOUT_SECONDS = 20.0
FOLDER = "mail"
_PERMANENT = range(500, 600)
_UNSAFE_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.\-]")

StartTls = Literal["required", "off", "if-offered"]


@dataclass(frozen=True)
class Email:
    """One message in plain text; `key` is the same when it is sent again after a crash."""

    key: str
    to: str
    subject: str
    text: str
    # Where an answer goes, if not to the sender.
    reply_to: str | None = None


class EmailRefused(ProviderRefused):
    """The server will never take this message (RFC 5321: 5yz): sending it again cannot help."""


class EmailFailed(OSError):
    """The message was not taken now; its text names no address, for it is kept and logged."""


class EmailSender(Protocol):
    """Where messages go."""

    kind: str
    # Whether a message can reach anybody; where not, nothing that needs one is begun.
    is_available: bool

    async def send(self, email: Email) -> None:
        """Hand over a message; raises EmailRefused, EmailFailed, TimeoutError or CircuitOpen."""


class FolderEmail:
    """Messages as `.eml` files below one folder, for development."""

    kind = "folder"
    is_available = True

    def __init__(self, folder: Path, sender: str) -> None:
        self.folder = folder
        self._sender = sender

    async def send(self, email: Email) -> None:
        await asyncio.to_thread(self._write, email)

    def _write(self, email: Email) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = _UNSAFE_IN_FILE_NAMES.sub("_", email.key)[:100]
        partial = self.folder / f"{name}.partial"
        partial.write_bytes(as_message(email, self._sender).as_bytes(policy=SMTP_POLICY))
        partial.replace(self.folder / f"{name}.eml")


class NoEmail:
    """Production without a mail server: what needs a message says so."""

    kind = "none"
    is_available = False

    async def send(self, email: Email) -> None:
        raise EmailFailed("SMTP_URL is not set")


@dataclass(frozen=True)
class SmtpServer:
    """What an address such as `smtps://user:password@mail.example.com` says."""

    host: str
    port: int
    implicit_tls: bool
    start_tls: StartTls
    username: str | None
    password: str | None


class SmtpEmail:
    """One SMTP connection a message, behind the breaker `email`."""

    kind = "smtp"
    is_available = True

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        breaker: CircuitBreaker,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._server = server
        self._sender = sender
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds

    async def send(self, email: Email) -> None:
        """One attempt within the time limit: the outbox tries again, waiting longer each time."""
        message = as_message(email, self._sender)
        await ask(
            self._breaker, lambda: self._hand_over(message), timeout_seconds=self._timeout_seconds
        )

    async def _hand_over(self, message: EmailMessage) -> None:
        import aiosmtplib

        server = self._server
        choice = {"required": True, "off": False, "if-offered": None}[server.start_tls]
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.implicit_tls,
                start_tls=None if server.implicit_tls else choice,
                timeout=self._timeout_seconds,
            )
        except aiosmtplib.SMTPAuthenticationError as error:
            raise EmailFailed(f"SMTP sign-in failed ({error.code})") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _answered([refused.code for refused in error.recipients]) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _answered([error.code]) from None
        except (aiosmtplib.SMTPException, ValueError) as error:
            raise EmailFailed(f"SMTP failed: {type(error).__name__}") from None


def _answered(codes: list[int]) -> Exception:
    """The error for a server's refusal: for good, or for now."""
    if codes and all(code in _PERMANENT for code in codes):
        return EmailRefused(f"SMTP refused the message ({codes[0]})")
    return EmailFailed(f"SMTP did not take the message ({codes[0] if codes else 'no code'})")


def as_message(email: Email, sender: str) -> EmailMessage:
    """The message with its headers; raises ValueError for a line break inside one."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = email.to
    message["Subject"] = email.subject
    if email.reply_to is not None:
        message["Reply-To"] = email.reply_to
    message["Message-ID"] = f"<{email.key}@{_domain(sender)}>"
    # RFC 3834: no vacation notice shall answer.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(email.text)
    return message


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].rstrip("> ") or "localhost"


def read_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://` (STARTTLS where offered; `?starttls=required`, `off`) or `smtps://` (TLS).

    Raises ValueError, without repeating what may hold a password.
    """
    try:
        parsed = urlsplit(url)
        default_port = {"smtp": 25, "smtps": 465}[parsed.scheme]
        port = parsed.port or default_port
    except (KeyError, ValueError) as error:
        raise ValueError("SMTP_URL: use smtp://host:port or smtps://host:port") from error
    asked = parse_qs(parsed.query).get("starttls", ["if-offered"])[0]
    start_tls = next((choice for choice in get_args(StartTls) if choice == asked), None)
    if not parsed.hostname or start_tls is None:
        raise ValueError("SMTP_URL: name a host; starttls is required, off or if-offered")
    return SmtpServer(
        host=parsed.hostname,
        port=port,
        implicit_tls=parsed.scheme == "smtps",
        start_tls=start_tls,
        username=unquote(parsed.username) if parsed.username else None,
        password=unquote(parsed.password) if parsed.password else None,
    )


def open_email(settings: Settings, breaker: CircuitBreaker) -> EmailSender:
    """Open what `SMTP_URL` names; empty: a folder in development, nothing in production."""
    url = settings.smtp_url.get_secret_value()
    if url:
        return SmtpEmail(read_smtp_url(url), settings.email_from, breaker)
    if settings.environment == "production":
        return NoEmail()
    return FolderEmail(settings.data_dir / FOLDER, settings.email_from)


def require_email(sender: EmailSender) -> None:
    """Raise ServiceUnavailable where no message can reach anybody."""
    if not sender.is_available:
        raise ServiceUnavailable(
            "No e-mail has been set up here; ask an administrator to set SMTP_URL."
        )
