"""Which day does a customer mean, said in six languages on Tuesday 10 March 2026?"""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.entities import numbers_and_dates

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("fr", "hier", date(2026, 3, 9)),
        ("fr", "avant-hier", date(2026, 3, 8)),
        ("fr", "après demain", date(2026, 3, 12)),
        ("fr", "aujourd’hui", TODAY),
        ("fr", "livré mardi dernier", date(2026, 3, 3)),
        ("fr", "lundi prochain", date(2026, 3, 16)),
        ("fr", "reçu samedi", date(2026, 3, 7)),
        ("fr", "le 3 mars", date(2026, 3, 3)),
        ("fr", "le 1er avril", date(2026, 4, 1)),
        ("fr", "le 24 decembre", date(2025, 12, 24)),
        ("fr", "le 12/03/2026", date(2026, 3, 12)),
        ("fr", "mardi 12/05/25", date(2025, 5, 12)),
        ("fr", "le 2/3", date(2026, 3, 2)),
        ("fr", "2026-02-28", date(2026, 2, 28)),
        ("fr", "il y a 3 jours", date(2026, 3, 7)),
        ("fr", "il y a une quinzaine puis il y a quinze jours", date(2026, 2, 23)),
        ("fr", "depuis la semaine dernière", date(2026, 3, 3)),
        ("fr", "le mois dernier", date(2026, 2, 10)),
        ("fr", "depuis deux semaines", date(2026, 2, 24)),
        ("fr", "dans un mois", date(2026, 4, 10)),
        ("fr", "jeudi 19", date(2026, 3, 19)),
        ("en", "yesterday", date(2026, 3, 9)),
        ("en", "3 days ago", date(2026, 3, 7)),
        ("en", "last tuesday", date(2026, 3, 3)),
        ("en", "on March 3rd, 2026", date(2026, 3, 3)),
        ("en", "next week", date(2026, 3, 17)),
        ("es", "hace 3 días", date(2026, 3, 7)),
        ("es", "el 3 de marzo", date(2026, 3, 3)),
        ("es", "la semana pasada", date(2026, 3, 3)),
        ("de", "gestern", date(2026, 3, 9)),
        ("de", "vor zwei Wochen", date(2026, 2, 24)),
        ("de", "am 3. März", date(2026, 3, 3)),
        ("de", "letzten Dienstag", date(2026, 3, 3)),
        ("it", "tre giorni fa", date(2026, 3, 7)),
        ("it", "lunedì scorso", date(2026, 3, 9)),
        ("nl", "drie dagen geleden", date(2026, 3, 7)),
        ("nl", "vorige week", date(2026, 3, 3)),
    ],
)
def test_days(language: str, text: str, day: date) -> None:
    assert numbers_and_dates(text, language, TODAY).dates == (day,)


@pytest.mark.parametrize(
    "text",
    [
        "30/02/2026", "le 32 mars", "le 0 mai", "24/7", "1/2 heure", "à mars",
        "livraison en 3 jours",
        "garantie 2 ans", "06 12 34 56 78", "2,5 jours", "le 29 février 2025",
    ],
)  # fmt: skip
def test_no_day(text: str) -> None:
    assert numbers_and_dates(text, "fr", TODAY).dates == ()


def test_two_days_come_in_order_of_mention() -> None:
    found = numbers_and_dates("commandé le 3 mars, livré hier", "fr", TODAY).dates
    assert found == (date(2026, 3, 3), date(2026, 3, 9))


MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
)


@settings(max_examples=150, deadline=None)
@given(st.dates(date(2000, 1, 1), date(2049, 12, 31)), st.integers(0, 4))
def test_a_full_date_survives_every_spelling(day: date, spelling: int) -> None:
    month = MONTHS[day.month - 1]
    text = [
        f"le {day.day} {month} {day.year}", f"le {day:%d/%m/%Y}", f"le {day:%d-%m-%y}",
        day.isoformat(), f"{day:%d.%m.%Y}",
    ][spelling]  # fmt: skip
    assert numbers_and_dates(f"acheté {text} en magasin", "fr", TODAY).dates == (day,)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 999))
def test_days_ago_are_counted_back(count: int) -> None:
    found = numbers_and_dates(f"il y a {count} jours", "fr", TODAY).dates
    assert found == (TODAY - timedelta(days=count),)


@settings(max_examples=60, deadline=None)
@given(st.dates(date(2001, 1, 1), date(2060, 1, 1)))
def test_a_day_of_the_year_is_the_nearest_one(today: date) -> None:
    for offset in (-150, -20, 20, 150):
        day = today + timedelta(days=offset)
        if (day.month, day.day) != (2, 29):
            text = f"le {day.day} {MONTHS[day.month - 1]}"
            assert numbers_and_dates(text, "fr", today).dates == (day,)
