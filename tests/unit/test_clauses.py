"""What a message says is not wanted is not read as what is."""

from __future__ import annotations

import pytest

from bot.understanding.clauses import without_refusal

LONG = 100_000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "je veux pas annuler ma commande, juste savoir où elle est",
            "juste savoir où elle est, ma commande",
        ),
        (
            "Bonjour. Je ne veux pas parler à un humain, je veux savoir les délais",
            "Bonjour. je veux savoir les délais",
        ),
        ("I don't want to cancel it, just know where it is", "just know where it is"),
        (
            "Ich will meinen Tisch nicht zurückgeben, nur die Rechnung",
            "nur die Rechnung",
        ),
        ("je veux pas de velours", "je veux pas de velours"),
        ("je veux pas de velours, plutôt du lin", "je veux pas de velours, plutôt du lin"),
        ("juste une question, vous livrez ?", "juste une question, vous livrez ?"),
        ("", ""),
    ],
)
def test_that_what_is_refused_is_left_out(text: str, wanted: str) -> None:
    assert without_refusal(text) == wanted


@pytest.mark.parametrize("part", ["will ", "will nicht ", "veux pas ", "a", ",", "ma ", "mais "])
def test_that_a_long_text_is_read_in_one_pass(part: str) -> None:
    """Whoever tries every beginning with every end does not come back from this one."""
    text = part * LONG
    assert without_refusal(text) == text
