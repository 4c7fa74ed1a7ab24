"""Which addresses are the same, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from services.accounts.emails import MAXIMUM_EMAIL_LENGTH, normalise_email


@pytest.mark.parametrize(
    "spelling",
    ["Admin@Example.com", " admin@example.com ", "ａｄｍｉｎ@example.com", "admin@ⓔxample.com"],
)
def test_that_spellings_that_look_the_same_are_the_same(spelling: str) -> None:
    assert normalise_email(spelling) == "admin@example.com"


def test_that_a_letter_of_another_script_stays_another_address() -> None:
    assert normalise_email("аdmin@example.com") != "admin@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "admin",
        "@example.com",
        "admin@",
        "admin@localhost",
        "a b@example.com",
        "a@b@c.fr",
        "admin\x00@example.com",
        "ad\u200bmin@example.com",
        "ad\ud800min@example.com",
        "a\u202emin@example.com",
        "a@example.com\nBcc: b@c.fr",
        "x" * 300 + "@example.com",
    ],
)
def test_that_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        normalise_email(text)


@given(st.text(max_size=400))
def test_that_normalising_is_final_and_storable(text: str) -> None:
    try:
        address = normalise_email(text)
    except InvalidRequest:
        return
    assert normalise_email(address) == address
    assert len(address) <= MAXIMUM_EMAIL_LENGTH
    assert address.encode("utf-8")
