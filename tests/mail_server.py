"""A real SMTP server on this machine for tests: it keeps what it is sent, or refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.serving import free_port

USERNAME, PASSWORD = "shop@example.com", "mail p@ss/word"


@dataclass
class Mailbox:
    """What the server has taken; `answer` is what it says to the next messages."""

    port: int
    answer: str = "250 OK"
    messages: list[EmailMessage] = field(default_factory=list)
    signed_in_as: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
        return self.answer

    def sign_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login.decode(), data.password.decode()) == (USERNAME, PASSWORD)
        if right:
            self.signed_in_as.add(data.login.decode())
        # Unhandled: the server itself answers 535.
        return AuthResult(success=right, handled=right)


@contextmanager
def mail_server(*, credentials: bool = False) -> Iterator[Mailbox]:
    """Serve on a free port until the block ends; with `credentials` it checks what it is given."""
    mailbox = Mailbox(free_port())
    options: dict[str, Any] = {}
    if credentials:
        options = {"authenticator": mailbox.sign_in, "auth_require_tls": False}
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
