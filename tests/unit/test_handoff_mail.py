"""Reply addresses that only we can make, and replies read without what they quote."""

from __future__ import annotations

from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import read_mail, read_reply_token, reply_address, reply_token
from core.errors import InvalidRequest, NotFound

SECRET = "a secret of this test"


@given(st.uuids(), st.uuids(), st.uuids())
def test_that_a_reply_address_names_one_conversation_of_one_shop(
    shop: UUID, conversation: UUID, other: UUID
) -> None:
    token = reply_token(SECRET, shop, conversation)
    assert read_reply_token(SECRET, shop, token.upper()) == conversation
    address = reply_address("Meuble de France <ne-pas-repondre-svp@meuble.example>", token)
    assert len(address.split("@")[0]) <= 64
    if other not in (shop, conversation):
        for secret, owner, made in (
            (SECRET, other, token),
            ("another", shop, token),
            (SECRET, shop, reply_token(SECRET, other, conversation)),
        ):
            with pytest.raises(NotFound):
                read_reply_token(secret, owner, made)


@given(st.text(max_size=80))
def test_that_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(NotFound):
        read_reply_token(SECRET, UUID(int=1), token)


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode()))
def test_that_nothing_that_arrives_breaks_the_reader(raw: bytes) -> None:
    for message in (raw, b"To: " + raw, b"Content-Type: text/plain; charset=" + raw + b"\n\nx"):
        try:
            read_mail(message)
        except InvalidRequest:
            continue


@pytest.mark.parametrize(
    "quoted",
    [
        "Le lun. 12 janv. 2026 à 10:00, Meuble <a@example.com> a écrit :\n> Bonjour",
        "On Mon, 12 Jan 2026, Meuble <a@example.com> wrote:\n> Hello",
        "Am 12.01.2026 um 10:00 schrieb Meuble:\n> Hallo",
        "> Bonjour",
        "-----Message d'origine-----\nBonjour",
        "________________________________\nDe : Meuble",
    ],
)
def test_that_what_a_reply_quotes_is_left_out(quoted: str) -> None:
    mail = EmailMessage()
    mail["To"], mail["From"] = "support+x@example.com", "c@example.com"
    mail.set_content(f"Oui, demain matin.\nMerci\n\n{quoted}\n")
    assert read_mail(mail.as_bytes()).text == "Oui, demain matin.\nMerci"
    assert not read_mail(mail.as_bytes()).is_automatic
    mail["Auto-Submitted"] = "auto-replied"
    assert read_mail(mail.as_bytes()).is_automatic
