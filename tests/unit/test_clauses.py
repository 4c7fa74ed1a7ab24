"""What a message says is not wanted is not read as what is, and two wishes are told apart."""

from __future__ import annotations

import pytest

from bot.understanding.clauses import two_wishes, without_refusal

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


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        (
            "fr",
            "où est ma commande et vous livrez le samedi ?",
            ("où est ma commande", "vous livrez le samedi ?"),
        ),
        (
            "fr",
            "Mon canapé est déchiré. Combien de temps dure la garantie ?",
            ("Mon canapé est déchiré", "Combien de temps dure la garantie ?"),
        ),
        (
            "en",
            "where is my order and can I pay in three instalments?",
            ("where is my order", "can I pay in three instalments?"),
        ),
        ("fr", "je cherche un canapé gris et une table basse", None),
        ("fr", "je cherche un canapé gris et beige", None),
        ("fr", "est-il possible de régler en trois fois ?", None),
        ("fr", "savoir quand il y a des soldes ?", None),
        ("fr", "Bonjour ! Vous livrez en Corse ?", None),
        ("fr", "", None),
        ("fr", "vous livrez ? " + "et puis encore " * 40 + "vous reprenez mon lit ?", None),
    ],
)
def test_that_two_wishes_are_told_apart(
    language: str, text: str, parts: tuple[str, str] | None
) -> None:
    assert two_wishes(text, language) == parts


@pytest.mark.parametrize("part", ["\n ", " ", "et\n", "? "])
def test_that_a_long_text_is_no_two_wishes(part: str) -> None:
    text = part * LONG
    assert two_wishes(text, "fr") is None
