"""Are prices, sizes, counts and references read as they are written, whatever the spelling?"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.entities import (
    Dimension,
    Entities,
    extract_entities,
    numbers_and_dates,
    shop_vocabulary,
)

TODAY = date(2026, 3, 10)
VOCABULARY = shop_vocabulary([])


def read(text: str, language: str = "fr") -> Entities:
    return extract_entities(text, language, VOCABULARY, TODAY)


@pytest.mark.parametrize(
    ("language", "text", "lowest", "highest"),
    [
        ("fr", "moins de 1000 €", None, 100_000),
        ("fr", "entre 300 et 500 euros", 30_000, 50_000),
        ("fr", "entre 300 et 500", 30_000, 50_000),
        ("fr", "de 300 à 500€", 30_000, 50_000),
        ("fr", "500-800€", 50_000, 80_000),
        ("fr", "autour de 800", 68_000, 92_000),
        ("fr", "max 1 200,50€", None, 120_050),
        ("fr", "1k max", None, 100_000),
        ("fr", "pas plus de neuf cents euros", None, 90_000),
        ("fr", "mon budget est de 1500", None, 150_000),
        ("fr", "200e maximum", None, 20_000),
        ("fr", "à partir de 500 euros", 50_000, None),
        ("fr", "pas moins de 500 €", 50_000, None),
        ("fr", "moins de 899€99", None, 89_999),
        ("en", "under 1000 euros", None, 100_000),
        ("en", "between €300 and €500", 30_000, 50_000),
        ("en", "less than €1,200.50", None, 120_050),
        ("es", "menos de novecientos euros", None, 90_000),
        ("de", "unter 1.500 Euro", None, 150_000),
        ("de", "zwischen 300 und 500 Euro", 30_000, 50_000),
        ("it", "sotto i mille euro", None, 100_000),
        ("it", "tra 300 e 500 euro", 30_000, 50_000),
        ("nl", "onder de 1000 euro", None, 100_000),
    ],
)
def test_price_bounds(language: str, text: str, lowest: int | None, highest: int | None) -> None:
    found = read(f"canapé {text}", language)
    assert (found.price_min_cents, found.price_max_cents) == (lowest, highest)


@pytest.mark.parametrize(
    "text",
    [
        "moins de 14 jours", "plus de 3 semaines", "moins de 90 cm", "entre 3 et 5 jours",
        "plus de 6 personnes", "ma commande a 2 ans", "max 3 chaises", "le 12 mars 2026",
        "75012 Paris", "CMD-2026-000101",
    ],
)  # fmt: skip
def test_what_is_no_price_sets_no_bound(text: str) -> None:
    found = read(text)
    assert (found.price_min_cents, found.price_max_cents, found.amounts_cents) == (None, None, ())


def test_an_amount_without_bound_is_only_mentioned() -> None:
    found = read("j'ai payé 1299,00 euros")
    assert found.amounts_cents == (129_900,)
    assert (found.price_min_cents, found.price_max_cents) == (None, None)


def french(euros: int, cents: int) -> list[str]:
    grouped = f"{euros:,}".replace(",", " ")
    spaced = grouped.replace(" ", "\u202f")
    dotted = f"{euros:,}".replace(",", ".")
    return [
        f"{euros},{cents:02d} €",
        f"{grouped},{cents:02d} euros",
        f"{spaced},{cents:02d}\u00a0€",
        f"{euros}€{cents:02d}",
        f"{euros}.{cents:02d}€",
        f"{dotted},{cents:02d} EUR",
    ]


@settings(max_examples=120, deadline=None)
@given(st.integers(10, 99_999), st.integers(0, 99), st.integers(0, 5))
def test_a_price_survives_every_spelling(euros: int, cents: int, spelling: int) -> None:
    found = read(f"un canapé à moins de {french(euros, cents)[spelling]}")
    assert found.price_max_cents == euros * 100 + cents


@settings(max_examples=80, deadline=None)
@given(st.integers(20, 9_000), st.integers(20, 9_000))
def test_a_range_is_read_in_order(first: int, second: int) -> None:
    found = read(f"entre {first} et {second} €")
    assert (found.price_min_cents, found.price_max_cents) == (
        min(first, second) * 100,
        max(first, second) * 100,
    )


@settings(max_examples=120, deadline=None)
@given(st.integers(101, 399), st.integers(0, 6))
def test_a_width_survives_every_spelling(cm: int, spelling: int) -> None:
    metres, rest = divmod(cm, 100)
    text = [
        f"{cm} cm de large max", f"max {cm} cm de large", f"{metres}m{rest:02d} de large maximum",
        f"largeur max {cm}", f"moins de {metres},{rest:02d} m de large",
        f"pas plus de {cm * 10} mm de large", f"largeur maximum : {metres} m {rest:02d}",
    ][spelling]  # fmt: skip
    assert read(f"un buffet {text}").width_max_cm == cm


@settings(max_examples=80, deadline=None)
@given(
    st.integers(40, 320),
    st.integers(40, 320),
    st.sampled_from(["x", " x ", "X", "×", " par ", "*"]),
)
def test_a_size_of_two_sides_is_read_as_written(first: int, second: int, by: str) -> None:
    assert read(f"matelas {first}{by}{second} cm").sizes_cm == ((first, second),)


@pytest.mark.parametrize(
    ("language", "text", "field", "value"),
    [
        ("fr", "90 cm max", "width_max_cm", 90),
        ("fr", "1,80 m de haut maximum", "height_max_cm", 180),
        ("fr", "profondeur inférieure à 45 cm", "depth_max_cm", 45),
        ("fr", "pas plus large que 80 cm", "width_max_cm", 80),
        ("fr", "au moins 2 m de long", "length_min_cm", 200),
        ("fr", "entre 80 et 120 cm de large", "width_min_cm", 80),
        ("fr", "entre 80 et 120 cm de large", "width_max_cm", 120),
        ("en", "max 2 m wide", "width_max_cm", 200),
        ("en", "not taller than 75 cm", "height_max_cm", 75),
        ("es", "máximo 90 cm de ancho", "width_max_cm", 90),
        ("de", "höchstens 90 cm breit", "width_max_cm", 90),
        ("it", "massimo 90 cm di larghezza", "width_max_cm", 90),
        ("nl", "maximaal 90 cm breed", "width_max_cm", 90),
    ],
)
def test_size_bounds(language: str, text: str, field: str, value: float) -> None:
    assert getattr(read(text, language), field) == value


def test_a_plain_size_keeps_its_axis_and_bounds_nothing() -> None:
    found = read("2m20 de large")
    assert found.dimensions == (Dimension(220.0, "width", None),)
    assert found.width_max_cm is None


def test_sizes_by_their_letters() -> None:
    found = read("L 200 x P 90 x H 80")
    assert [(size.axis, size.cm) for size in found.dimensions] == [
        ("width", 200), ("depth", 90), ("height", 80),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "orders", "tickets"),
    [
        ("CMD-2026-000101", ("CMD-2026-000101",), ()),
        ("cmd 2026 101", ("CMD-2026-000101",), ()),
        ("commande n°2026-000101", ("CMD-2026-000101",), ()),
        ("ma commande numéro 000101", ("CMD-2026-000101",), ()),
        ("commande 2025000101", ("CMD-2025-000101",), ()),
        ("commande 12345678", ("12345678",), ()),
        ("TKT-2026-000001", (), ("TKT-2026-000001",)),
        ("ticket 123", (), ("TKT-2026-000123",)),
        ("mon ticket 2026-000123", (), ("TKT-2026-000123",)),
        ("CMD-2026-000101 et CMD-2026-000102", ("CMD-2026-000101", "CMD-2026-000102"), ()),
        ("j'ai commandé 2 chaises", (), ()),
        ("commande à 129900 €", (), ()),
    ],
)  # fmt: skip
def test_order_and_ticket_numbers(
    text: str, orders: tuple[str, ...], tickets: tuple[str, ...]
) -> None:
    found = read(text)
    assert (found.order_numbers, found.ticket_numbers) == (orders, tickets)


@pytest.mark.parametrize(
    ("language", "text", "phone"),
    [
        ("fr", "06 12 34 56 78", "+33612345678"),
        ("fr", "mon tel 06.12.34.56.78.", "+33612345678"),
        ("fr", "+33 (0)6 12 34 56 78", "+33612345678"),
        ("fr", "0033 6 12 34 56 78", "+33612345678"),
        ("de", "+49 30 901820", "+4930901820"),
        ("es", "612 345 678", "+34612345678"),
    ],
)
def test_phones_are_written_internationally(language: str, text: str, phone: str) -> None:
    assert read(text, language).phones == (phone,)


@pytest.mark.parametrize("text", ["254000000 euros", "CMD-2026-000101", "le 12/03/2026", "12345"])
def test_other_digits_are_no_phone(text: str) -> None:
    assert read(text).phones == ()


def test_emails_are_read_whole_and_in_lower_case() -> None:
    found = read("écrivez à Marie.Dupont+sav@Exemple.co.uk, merci")
    assert found.emails == ("marie.dupont+sav@exemple.co.uk",)


@pytest.mark.parametrize(
    ("language", "text", "seats"),
    [
        ("fr", "6 personnes", 6), ("fr", "canapé 3 places", 3), ("fr", "six couverts", 6),
        ("fr", "une table pour 8", 8), ("fr", "de 4 à 6 personnes", 6), ("fr", "un 3p", 3),
        ("en", "a 3-seater", 3), ("en", "seats 6", 6), ("de", "ein Dreisitzer", 3),
        ("es", "para 4 personas", 4), ("it", "tre posti", 3), ("nl", "4 personen", 4),
        ("fr", "3 tiroirs", None),
    ],
)  # fmt: skip
def test_seats(language: str, text: str, seats: int | None) -> None:
    assert read(text, language).seats == seats


@pytest.mark.parametrize(
    ("text", "quantities"),
    [
        ("deux chaises", (2,)), ("4 chaises et 2 fauteuils", (4, 2)), ("x3", (3,)),
        ("trois exemplaires", (3,)), ("un canapé", ()), ("3 fois sans frais", ()),
    ],
)  # fmt: skip
def test_quantities(text: str, quantities: tuple[int, ...]) -> None:
    assert read(text).quantities == quantities


@pytest.mark.parametrize(
    ("language", "text", "ordinals"),
    [
        ("fr", "le deuxième", (2,)), ("fr", "la 2eme", (2,)), ("fr", "le second", (2,)),
        ("fr", "le dernier", (-1,)), ("fr", "l'avant-dernier", (-2,)), ("fr", "2", (2,)),
        ("fr", "le 3", (3,)), ("fr", "option 2", (2,)), ("fr", "le premier et le troisième", (1,
        3)),
        ("en", "the second one", (2,)), ("en", "the last one", (-1,)), ("es", "el segundo", (2,)),
        ("de", "das zweite", (2,)), ("it", "il terzo", (3,)), ("nl", "de eerste", (1,)),
        ("fr", "au 2e étage", ()), ("fr", "le 1er mars", ()), ("fr", "mardi dernier", ()),
    ],
)  # fmt: skip
def test_places_in_a_list(language: str, text: str, ordinals: tuple[int, ...]) -> None:
    assert read(text, language).ordinals == ordinals


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("quatre-vingt-quinze", ["95"]), ("trois cent trente et un", ["331"]),
        ("1 234 567,89", ["1234567.89"]), ("2,33 k", ["2330"]), ("3 millions", ["3000000"]),
        ("deux cent virgule trois", ["200.3"]), ("4,800", ["4.8"]), ("-1", ["-1"]),
        ("10 mille", ["10000"]), ("3 douzaines", ["36"]), ("29km", []),
    ],
)  # fmt: skip
def test_numbers(text: str, numbers: list[str]) -> None:
    found = numbers_and_dates(text, "fr", TODAY).numbers
    assert list(found) == [Decimal(number) for number in numbers]


@pytest.mark.parametrize(
    ("text", "cents", "currency"),
    [
        ("75 millions de dollars", 7_500_000_000, "dollar"), ("£ 8,10 millions", 810_000_000,
        "pound"),
        ("12 cents", 12, "euro"), ("1000 eur", 100_000, "euro"), ("125.000,50 $", 12_500_050,
        "dollar"),
        ("treize euros et quarante-cinq cents", 1_345, "euro"), ("2,50 €", 250, "euro"),
    ],
)  # fmt: skip
def test_amounts(text: str, cents: int, currency: str) -> None:
    (amount,) = numbers_and_dates(text, "fr", TODAY).amounts
    assert (amount.cents, amount.currency) == (cents, currency)
