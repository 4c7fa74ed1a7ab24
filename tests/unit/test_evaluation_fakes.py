"""What a kept test holds instead of personal data."""

from __future__ import annotations

import pytest

from bot.evaluation.fakes import Fakes
from bot.understanding.clauses import asking_clause


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("écrivez à jean.dupont@orange.fr merci", "jean.dupont"),
        ("JEAN@EXAMPLE.COM", "JEAN"),
        ("jean+test@sous.domaine.fr.", "jean+test"),
        ("appelez le 06 12 34 56 78", "12 34 56"),
        ("au +33612345678", "612345678"),
        ("tél. 01.42.68.53.00", "42.68"),
        ("(0)6-12-34-56-78", "12-34"),
        ("ma carte 4970 1012 3456 7890", "4970"),
        ("carte 5555555555554444", "5555555555554444"),
        ("IBAN FR14 2004 1010 0505 0001 3M02 606", "2004"),
        ("iban de89370400440532013000", "370400440532013000"),
        ("je m'appelle Camille Martin et", "Martin"),
        ("My name is John Smith.", "Smith"),
    ],
)
def test_a_personal_value_is_replaced(text: str, secret: str) -> None:
    fakes = Fakes()
    replaced = fakes.replaced(text)
    assert secret.casefold() not in replaced.casefold()
    assert fakes.replaced(text) == replaced


@pytest.mark.parametrize(
    "text",
    [
        "où est ma commande CMD-2026-000123 ?",
        "ticket TKT-2026-000001",
        "un canapé à moins de 1 500 € de 200 x 90 cm",
        "livré le 12/03/2026 au 3e étage, 75011 Paris",
        "le lit Alba 140 x 190 cm, 2 fois",
        "",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert Fakes().replaced(text) == text


def test_the_same_value_has_the_same_fake_and_another_has_another() -> None:
    fakes = Fakes()
    text = fakes.replaced("a@b.fr ou c@d.fr, plutôt A@B.fr ; 06 12 34 56 78 ou 0612345678")
    assert text == (
        "client1@example.org ou client2@example.org, plutôt client1@example.org ; "
        "06 39 98 00 00 ou 06 39 98 00 00"
    )


def test_what_is_known_of_the_customer_is_replaced() -> None:
    fakes = Fakes(
        known_emails={"camille@example.com": "{email:CUST123}"},
        known_names=[("Camille", "Lefèvre")],
        ticket_numbers=frozenset({"TKT-2026-000009"}),
    )
    text = fakes.replaced(
        "Camille LEFÈVRE, Camille@example.com, tkt-2026-000009 et TKT-2026-000010"
    )
    assert text == "Alix Exemple, {email:CUST123}, {ticket} et TKT-2026-000010"


def test_a_name_inside_a_word_stays() -> None:
    assert Fakes(known_names=[("Paul", "Petit")]).replaced("la petite paulownia") == (
        "la petite paulownia"
    )


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("Bonjour, on emménage. Livrez-vous en Corse ?", "Livrez-vous en Corse ?"),
        ("Je le disais : quel est le délai de retour", "quel est le délai de retour"),
        ("Livrez-vous en Corse ?", None),
        ("Merci. Au revoir.", None),
        ("Bonjour. Quoi ?", None),
        ("", None),
    ],
)
def test_the_clause_that_asks_is_found(text: str, clause: str | None) -> None:
    assert asking_clause(text) == clause
