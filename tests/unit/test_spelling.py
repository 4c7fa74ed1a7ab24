"""Messages brought to their ordinary spelling."""

import pytest

from bot.understanding.spelling import (
    SpellingLexicon,
    build_lexicon,
    normalise,
    remove_invisible,
)

PHRASES = [
    "je n'ai pas reçu ma commande",
    "où est ma commande",
    "j'ai reçu une armoire cassée",
    "je voudrais un remboursement",
    "quand aurai-je mon remboursement",
    "ma livraison est en retard",
    "la livraison à domicile",
    "le canapé d'angle",
    "un canapé convertible",
    "jai pa recu ma comande",
]


@pytest.fixture(scope="module")
def lexicon() -> SpellingLexicon:
    return build_lexicon(PHRASES, known_words=["Oslo", "Fjord"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jai pa recu ma cmd", "j'ai pas reçu ma commande"),
        ("bjr c koi svp", "bonjour c'est quoi s'il vous plaît"),
        ("larmoire", "l'armoire"),
        ("un canape dangle", "un canapé d'angle"),
        ("livrasion en retard", "livraison en retard"),
        ("un remboursment", "un remboursement"),
        ("la chaise est abimee", "la chaise est abîmée"),
        ("Jattend ma livraison", "J'attends ma livraison"),
        ("canapéééé", "canapé"),
        ("OU EST MA COMMANDE", "ou est ma commande"),
    ],
)
def test_that_french_slips_are_mended(typed: str, meant: str, lexicon: SpellingLexicon) -> None:
    assert normalise(typed, "fr", lexicon) == meant


@pytest.mark.parametrize(
    "text",
    [
        "CANAPÉ-OSLO-3P",
        "marie.dupond@example.com",
        "commande CMD-2026-000123",
        "une tasse en verre sur la table",
        "le fauteuil Fjord",
        "le meuble de chez Shein",
        "3 places à 1299 €",
    ],
)
def test_that_right_words_names_and_numbers_are_kept(text: str, lexicon: SpellingLexicon) -> None:
    assert normalise(text, "fr", lexicon) == text


def test_that_other_languages_are_only_cleaned(lexicon: SpellingLexicon) -> None:
    assert normalise("cc  g pa\u200b", "en", lexicon) == "cc g pa"


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("c\u200bana\u00adpé", "canapé"),
        ("\u202eabc\u202c", "abc"),
        ("ok\U000e0041\U000e0042", "ok"),
        ("e\u0301te\u0301", "été"),
        ("l\u2019ordre\u00a0donné", "l'ordre donné"),
        ("a\nb\tc", "a b c"),
        ("👍\ufe0f", "👍"),
        ("a" + "\u0300" * 50, "à\u0300\u0300"),
        ("B\u043enj\u043eur \u0430 t\u043eus", "Bonjour a tous"),
        ("\U0001d4eb\U0001d4f8\U0001d4f7\U0001d4f3\U0001d4f8\U0001d4fe\U0001d4fb", "bonjour"),
        ("\uff22\uff4f\uff4e \uff11\uff12", "Bon 12"),
        (
            "\u041f\u0440\u0438\u0432\u0435\u0442, \u0433\u0434\u0435?",
            "\u041f\u0440\u0438\u0432\u0435\u0442, \u0433\u0434\u0435?",
        ),
    ],
)
def test_that_what_no_reader_sees_is_removed(text: str, visible: str) -> None:
    assert remove_invisible(text) == visible


def test_that_a_long_message_is_mended_in_bounded_time(lexicon: SpellingLexicon) -> None:
    text = "comande " * 20_000
    mended = normalise(text, "fr", lexicon).split()
    assert len(mended) == 20_000
    assert mended[0] == "commande"
    assert mended[-1] == "comande"


def test_that_a_word_of_the_shops_documents_is_no_slip(lexicon: SpellingLexicon) -> None:
    typed = "ma comande de paddle"
    assert normalise(typed, "fr", lexicon) == "ma commande de paddle"
    assert normalise(typed, "fr", lexicon, lambda word: word == "comande") == typed
