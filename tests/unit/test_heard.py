"""What was heard, put right by what a shop talks of."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.entities.vocabulary import closed_entries
from bot.understanding.spelling import load_lexicon
from bot.understanding.understand import PHRASES
from channels.voice.heard import mend
from channels.voice.phonetics import distance, sounds_of
from channels.voice.shop_words import ShopWords, build_shop_words, phrases_of

SHOP = ["Canapé Oslo", "Fauteuil Bergen", "Lyon", "Bordeaux", "accoudoir"]


@cache
def shop_words() -> ShopWords:
    closed = [
        form for entry in closed_entries() if entry.language in ("", "fr") for form in entry.forms
    ]
    return build_shop_words([*closed, *SHOP], phrases_of([PHRASES]), load_lexicon([PHRASES]))


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("il y a une déchirure sur la coudoir", "il y a une déchirure sur l'accoudoir"),
        ("Je cherche une table en chaîne", "Je cherche une table en chêne"),
        ("vos horaires le samediallion", "vos horaires le samedi à Lyon"),
        ("ou en est mon dossier", "où en est mon dossier"),
        ("le soumier est cassé", "le sommier est cassé"),
    ],
)
def test_that_the_shops_own_words_are_found(heard: str, meant: str) -> None:
    assert mend(heard, 0.7, shop_words()) == meant


@pytest.mark.parametrize(
    "said",
    [
        "Bonjour, le pied gauche de mon canapé est cassé depuis hier.",
        "Mon nom est Dupontel et j'habite Vaulx.",
        "Les matelas sont-ils garantis cinq ou dix ans chez vous ?",
        "Elle est partie de l'entrepôt ou pas ?",
        "Pouvez-vous créer un ticket ?",
        "Quels outils faut-il prévoir ?",
        "Merci infiniment, vous me retirez une épine du pied.",
        "CMD-2026-000101, c'est 12 euros",
        "",
    ],
)
def test_that_good_french_and_names_stay(said: str) -> None:
    assert mend(said, 0.7, shop_words()) == said


def test_that_known_words_stay_where_the_recogniser_was_sure() -> None:
    assert mend("une table en chaîne", 0.99, shop_words()) == "une table en chaîne"


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=60))
def test_that_any_text_is_survived(text: str) -> None:
    assert isinstance(mend(text, 0.5, shop_words()), str)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("chaîne", "chêne"),
        ("quelles", "quels"),
        ("cadeaut", "cadeau"),
        ("samediallion", "samediàlyon"),
        ("solvents", "solvants"),
        ("laccoudoir", "lacoudoir"),
    ],
)
def test_that_words_which_sound_alike_share_their_sounds(one: str, other: str) -> None:
    assert sounds_of(one) == sounds_of(other)


@given(one=st.text("aieuypbtdkgfvszSZmnlr", max_size=8), other=st.text("aieuypbtdkg", max_size=8))
def test_that_distance_is_one(one: str, other: str) -> None:
    """Zero for the same, alike in both directions, never more than all sounds."""
    assert distance(one, one) == 0
    assert distance(one, other) == distance(other, one)
    assert distance(one, other) <= max(len(one), len(other))
