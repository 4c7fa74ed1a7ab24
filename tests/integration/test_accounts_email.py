"""E-mail by a real SMTP server, or into a folder: taken, refused, put off, out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from core.errors import ServiceUnavailable
from core.providers.breaker import FAILURE_THRESHOLD, CircuitBreaker, CircuitOpen
from core.providers.email import (
    Email,
    EmailFailed,
    EmailRefused,
    EmailSender,
    SmtpEmail,
    SmtpServer,
    open_email,
    read_smtp_url,
    require_email,
)
from core.settings import Settings
from services.accounts.mails import Letter, write_mail
from tests.mail_server import PASSWORD, USERNAME, Mailbox, mail_server
from tests.serving import free_port

pytestmark = pytest.mark.anyio

EMAIL = Email("key-1", "claude@example.com", "Été : bonjour", "Bonjour Zoé,\n\nvoilà.\n")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


def sender(url: str, breaker: CircuitBreaker | None = None) -> EmailSender:
    settings = Settings(smtp_url=SecretStr(url), email_from="Boutique <aide@shop.example>")
    return open_email(settings, breaker or CircuitBreaker("email"))


async def test_that_a_message_arrives_as_it_was_written(mailbox: Mailbox) -> None:
    await sender(mailbox.url).send(EMAIL)
    (message,) = mailbox.messages
    assert message["to"] == EMAIL.to
    assert message["subject"] == EMAIL.subject
    assert message["from"] == "Boutique <aide@shop.example>"
    assert message["message-id"] == "<key-1@shop.example>"
    assert message.get_content() == EMAIL.text.replace("\n", "\r\n") or EMAIL.text


async def test_that_credentials_are_used(mailbox: Mailbox) -> None:
    with mail_server(credentials=True) as guarded:
        address = f"127.0.0.1:{guarded.port}"
        right = f"smtp://{quote(USERNAME)}:{quote(PASSWORD, safe='')}@{address}"
        await sender(right).send(EMAIL)
        assert guarded.signed_in_as == {USERNAME}
        with pytest.raises(EmailFailed, match="sign-in"):
            await sender(f"smtp://{quote(USERNAME)}:wrong@{address}").send(EMAIL)
        assert len(guarded.messages) == 1


async def test_that_encryption_can_be_required(mailbox: Mailbox) -> None:
    with pytest.raises(EmailFailed):
        await sender(f"{mailbox.url}?starttls=required").send(EMAIL)
    assert mailbox.messages == []


async def test_that_a_refusal_for_good_is_told_from_one_for_now(mailbox: Mailbox) -> None:
    breaker = CircuitBreaker("email")
    mailbox.answer = "550 no such mailbox claude@example.com"
    with pytest.raises(EmailRefused) as refused:
        await sender(mailbox.url, breaker).send(EMAIL)
    assert breaker.failure_count == 0
    mailbox.answer = "451 later, claude@example.com"
    with pytest.raises(EmailFailed) as failed:
        await sender(mailbox.url, breaker).send(EMAIL)
    assert breaker.failure_count == 1
    # What is logged and kept names no address.
    assert "@" not in str(refused.value) + str(failed.value)


async def test_that_a_dead_server_opens_the_breaker() -> None:
    breaker = CircuitBreaker("email")
    dead = sender(f"smtp://127.0.0.1:{free_port()}", breaker)
    for _ in range(FAILURE_THRESHOLD):
        with pytest.raises(EmailFailed):
            await dead.send(EMAIL)
    with pytest.raises(CircuitOpen):
        await dead.send(EMAIL)


async def test_that_a_silent_server_is_given_up() -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        breaker = CircuitBreaker("email")
        server = SmtpServer("127.0.0.1", silent.getsockname()[1], False, "off", None, None)
        with pytest.raises((TimeoutError, EmailFailed)):
            await SmtpEmail(server, "a@shop.example", breaker, timeout_seconds=0.3).send(EMAIL)
        assert breaker.failure_count == 1


async def test_that_development_writes_into_a_folder(tmp_path: Path) -> None:
    folder = open_email(Settings(data_dir=tmp_path), CircuitBreaker("email"))
    await folder.send(EMAIL)
    (file,) = (tmp_path / "mail").iterdir()
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert message["to"] == EMAIL.to
    assert message["subject"] == EMAIL.subject


async def test_that_production_without_a_server_says_so(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, environment="production", secret_key=SecretStr("x" * 40))
    nothing = open_email(settings, CircuitBreaker("email"))
    with pytest.raises(ServiceUnavailable, match="SMTP_URL"):
        require_email(nothing)
    with pytest.raises(EmailFailed):
        await nothing.send(EMAIL)


@pytest.mark.parametrize(
    "url", ["http://host", "smtp://", "smtp://host:x", "smtp://host?starttls=maybe", "host"]
)
def test_that_a_bad_address_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as error:
        read_smtp_url(url.replace("//host", "//user:secret@host"))
    assert "secret" not in str(error.value)


def test_that_addresses_are_read() -> None:
    assert read_smtp_url("smtps://a%40b:p%2Fw@mail.example") == SmtpServer(
        "mail.example", 465, True, "if-offered", "a@b", "p/w"
    )
    assert read_smtp_url("smtp://mail.example:2525?starttls=off") == SmtpServer(
        "mail.example", 2525, False, "off", None, None
    )


@pytest.mark.parametrize("kind", ["reset", "invitation", "membership"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_that_every_wording_is_complete(kind: str, language: str) -> None:
    letter = Letter(kind, language, "Chez\r\nBcc: x@y.z", code="c0de")  # type: ignore[arg-type]
    mail = write_mail(letter, "key", "a@example.com")
    assert "Chez Bcc: x@y.z" in mail.subject
    assert "$" not in mail.subject + mail.text
    assert ("c0de" in mail.text) == (kind != "membership")
    linked = Letter(kind, language, "Chez", code="c0de", link="https://a.example/#code=c0de")  # type: ignore[arg-type]
    assert ("https://a.example/" in write_mail(linked, "key", "a@b.c").text) == (
        kind != "membership"
    )
