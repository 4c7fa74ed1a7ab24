"""How written texts are said: figures, references, times and signs in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from text_to_num import text2num

from channels.voice.spoken import as_spoken

FRENCH = {
    "1 290 €": "mille deux cent quatre-vingt-dix euros",
    "49,90 €": "quarante-neuf euros quatre-vingt-dix",
    "1 €": "un euro",
    "12 €/mois": "douze euros par mois",
    "100-200 €": "cent à deux cents euros",
    "TKT-2025-001234": "T K T, deux mille vingt-cinq, zéro zéro douze trente-quatre",
    "CMD-2026-000101": "C M D, deux mille vingt-six, zéro zéro zéro cent un",
    "CANAPÉ-OSLO-3P": "canapé oslo trois P",
    "90 x 200 cm": "quatre-vingt-dix par deux cents centimètres",
    "90x200": "quatre-vingt-dix par deux cents",
    "3x sans frais": "trois fois sans frais",
    "4 x 50 €": "quatre fois cinquante euros",
    "lun.-ven. 9h30-19h": "du lundi au vendredi de neuf heures trente à dix-neuf heures",
    "sam. 10h-18h30": "samedi de dix heures à dix-huit heures trente",
    "à 14:05": "à quatorze heures cinq",
    "à 21h": "à vingt et une heures",
    "sous 48h": "sous quarante-huit heures",
    "24h/24, 7j/7": "vingt-quatre heures sur vingt-quatre, sept jours sur sept",
    "n° 12": "numéro douze",
    "01 23 45 67 89": "zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf",
    "0123456789": "zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf",
    "+33 1 23 45 67 89": "plus trente-trois, un, vingt-trois, quarante-cinq, soixante-sept, "
    "quatre-vingt-neuf",
    "sav@meuble-de-france.com": "sav arobase meuble tiret de tiret france point com",
    "https://www.meuble-de-france.com/retours?id=3": "meuble tiret de tiret france point com "
    "barre oblique retours",
    "12/03/2026": "douze mars deux mille vingt-six",
    "2026-04-01": "premier avril deux mille vingt-six",
    "le 15/06": "le quinze juin",
    "3,5 kg": "trois virgule cinq kilogrammes",
    "2,5 m²": "deux virgule cinq mètres carrés",
    "25 %": "vingt-cinq pour cent",
    "10-15 jours": "dix à quinze jours",
    "1 table et 21 chaises": "une table et vingt et une chaises",
    "le 1er étage": "le premier étage",
    "la 2e porte": "la deuxième porte",
    "Mme Durand et M. Petit": "madame Durand et monsieur Petit",
    "env. 30 min TTC": "environ trente minutes toutes taxes comprises",
    "le SAV": "le S A V",
    "**Oslo** [1]": "Oslo",
    "[nos retours](https://shop.example/r)": "nos retours",
}
ENGLISH = {
    "€1,290.50": "one thousand two hundred and ninety euros and fifty cents",
    "TKT-2025-001234": "T K T, two thousand and twenty-five, zero zero one two three four",
    "90 x 200 cm": "ninety by two hundred centimeters",
    "3x free of charge": "three times free of charge",
    "Mon-Fri 9:30-19:00": "from Monday to Friday from nine thirty to nineteen o'clock",
    "No. 12": "number twelve",
    "the 3rd": "the third",
    "25%": "twenty-five percent",
    "3.5 kg": "three point five kilograms",
    "help@shop.com": "help at shop dot com",
}
PIECES = st.one_of(
    st.sampled_from([*FRENCH, *ENGLISH]),
    st.integers(0, 10**15).map(str),
    st.decimals(0, 10**6, places=2).map(lambda value: f"{value} €".replace(".", ",")),
    st.text("0123456789 -/.,:xh€%°n+@'", max_size=12),
    st.text(max_size=8),
)


@pytest.mark.parametrize(("written", "said"), [(k, v) for k, v in FRENCH.items()])
def test_that_french_is_read_as_the_french_read(written: str, said: str) -> None:
    assert as_spoken(written, "fr") == said


@pytest.mark.parametrize(("written", "said"), ENGLISH.items())
def test_that_english_is_read_as_english(written: str, said: str) -> None:
    assert as_spoken(written, "en") == said


@pytest.mark.parametrize("language", ["fr", "en", "de", "es", "it", "nl"])
@settings(deadline=None)
@given(pieces=st.lists(PIECES, max_size=6))
@example(pieces=["0.000.0"])
def test_that_no_figure_is_left_in_any_text(language: str, pieces: list[str]) -> None:
    said = as_spoken(" ".join(pieces), language)
    assert re.search(r"[0-9€]", said) is None or "€" in said
    assert not any(sign in "0123456789" for sign in said)


@settings(deadline=None)
@given(pieces=st.lists(PIECES, max_size=6))
def test_that_what_is_said_is_not_said_again(pieces: list[str]) -> None:
    said = as_spoken(" ".join(pieces), "fr")
    assert not any(sign.isdecimal() and sign.isascii() for sign in as_spoken(said, "fr"))


@settings(deadline=None)
@given(number=st.integers(0, 999_999))
def test_that_a_french_number_means_itself(number: int) -> None:
    assert text2num(as_spoken(str(number), "fr"), "fr") == number


@settings(deadline=None)
@given(number=st.integers(1_000, 999_999))
def test_that_grouped_thousands_are_one_number(number: int) -> None:
    written = f"{number:,}".replace(",", "\u202f")
    assert as_spoken(f"{written} €", "fr") == as_spoken(f"{number} €", "fr")
    assert as_spoken(f"{number:,}", "en") == as_spoken(str(number), "en")


@settings(deadline=None)
@given(words=st.lists(st.from_regex(r"[a-zéèà]{5,9}", fullmatch=True), min_size=1, max_size=8))
def test_that_plain_words_are_left_alone(words: list[str]) -> None:
    text = " ".join(words)
    assert as_spoken(text, "fr") == text


def test_that_a_language_of_no_words_stays_as_it_is() -> None:
    assert as_spoken("90 x 200 cm", "ja") == "90 x 200 cm"
