"""Lines 22 and 23: letters that nobody sees, and addresses that look like another's."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import uuid4

import httpx
import pytest

from tests.conformance.shapes import assert_failure
from tests.serving import Server

QUESTION = "Combien de temps pour me rétracter ?"
# Zero-width space and joiner, soft hyphen, right-to-left override and its end, a tag letter.
HIDDEN = ("\u200b", "\u200d", "\u00ad", "\u202e", "\u202c", "\U000e0041")
# The first letter of each is Cyrillic, or one of its letters is.
LOOKALIKES = ("сustomer@example.com", "custоmer@example.com", "customer@ехample.com")
# These are other ways to write the very address.
SPELLINGS = ("CUSTOMER@Example.com", "ｃustomer@example.com")
WAIT_SECONDS = 10


def ask(client: httpx.Client, text: str) -> tuple[str, dict[str, object]]:
    session_id = uuid4().hex
    body = {"message": text, "session_id": session_id, "language": "fr"}
    answer = client.post("/api/chat", json=body)
    assert answer.status_code == 200, answer.text
    return session_id, answer.json()


def hide_in(text: str, hidden: str) -> str:
    """The text with something that nobody sees after its fourth letter and after each word."""
    return (text[:4] + hidden + text[4:]).replace(" ", hidden + " ")


def test_22_hidden_characters_change_no_answer_and_are_stored(customer: httpx.Client) -> None:
    _, plain = ask(customer, QUESTION)
    for hidden in HIDDEN:
        sent = hide_in(QUESTION, hidden)
        session_id, answer = ask(customer, sent)
        assert answer["intent"] == plain["intent"], hex(ord(hidden))
        assert answer["confidence"] == plain["confidence"]
        assert answer["response"] == plain["response"]
        history = customer.get("/api/chat/history", params={"session_id": session_id}).json()
        assert [one["content"] for one in history["messages"] if one["role"] == "user"] == [sent]


def test_22_nothing_hidden_leaves_in_an_answer(customer: httpx.Client) -> None:
    _, answer = ask(customer, "je cherche un canapé \u202eedrev\u202c\U000e0041\u200b gris")
    assert not set(HIDDEN) & set(str(answer["response"]))


@pytest.mark.parametrize("address", LOOKALIKES)
def test_23_a_lookalike_does_not_sign_in(anyone: httpx.Client, address: str) -> None:
    body = {"email": address, "password": "password123"}
    assert_failure(anyone.post("/api/auth/login", json=body), 401, "unauthorized")


def test_23_another_spelling_is_the_same_account(anyone: httpx.Client) -> None:
    for address in SPELLINGS:
        body = {"email": address, "password": "password123"}
        assert anyone.post("/api/auth/login", json=body).status_code == 200


def letters(server: Server) -> list[EmailMessage]:
    """Every e-mail that the server has sent; development writes them into a folder."""
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (server.data_dir / "mail").glob("*.eml")
    ]


def test_23_a_forgotten_password_goes_to_the_stored_address_alone(
    server: Server, anyone: httpx.Client
) -> None:
    before = len(letters(server))
    # The last one is the very address: once its letter is there, those before it were dealt with.
    for address in (*LOOKALIKES, SPELLINGS[1]):
        answer = anyone.post("/api/auth/password/forgot", json={"email": address})
        assert answer.status_code == 202
    until = time.monotonic() + WAIT_SECONDS
    while len(letters(server)) == before and time.monotonic() < until:
        time.sleep(0.1)
    receivers = {letter["to"] for letter in letters(server)}
    assert "customer@example.com" in receivers
    assert not receivers & set(LOOKALIKES)


def test_23_a_lookalike_is_invited_as_somebody_else(admin: httpx.Client) -> None:
    user = {"name": "Camille Martin", "role": "agent"}
    for address in SPELLINGS:
        refused = admin.post("/api/v1/users", json={**user, "email": address})
        assert refused.status_code == 409, refused.text
    found = admin.get("/api/v1/users", params={"search": "customer@example.com"}).json()["data"]
    (known,) = [one for one in found if one["email"] == "customer@example.com"]
    invited = admin.post("/api/v1/users", json={**user, "email": LOOKALIKES[0]})
    if invited.status_code == 201:
        assert invited.json()["data"]["id"] != known["id"]
        assert invited.json()["data"]["email"] == LOOKALIKES[0]
    else:
        assert invited.status_code in {400, 422}
    assert admin.get(f"/api/v1/users/{known['id']}").json()["data"]["role"] == "customer"
