"""The language of a message, against the language of the conversation so far."""

import pytest

from bot.understanding.language import LANGUAGES, detect_language

SENTENCES = {
    "fr": "Où en est ma commande passée la semaine dernière ?",
    "en": "Where is the order I placed last week?",
    "es": "¿Dónde está el pedido que hice la semana pasada?",
    "de": "Wo ist die Bestellung, die ich letzte Woche gemacht habe?",
    "it": "Dov'è l'ordine che ho fatto la settimana scorsa?",
    "nl": "Waar is de bestelling die ik vorige week heb gedaan?",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("prior", LANGUAGES)
def test_that_a_sentence_is_read_in_its_language_whatever_came_before(
    language: str, prior: str
) -> None:
    assert detect_language(SENTENCES[language], prior) == language


@pytest.mark.parametrize(
    "text",
    ["ok", "merci", "thanks", "CANAPÉ-OSLO-3P", "12345", "CMD-2026-000123", "", "👍", "a@b.fr"],
)
@pytest.mark.parametrize("prior", LANGUAGES)
def test_that_a_message_without_a_language_keeps_the_conversation_s(text: str, prior: str) -> None:
    assert detect_language(text, prior) == prior


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("thank you", "en"),
        ("hello", "en"),
        ("yes please", "en"),
        ("danke", "de"),
        ("guten Tag", "de"),
        ("gracias", "es"),
        ("hola", "es"),
        ("grazie mille", "it"),
        ("bedankt", "nl"),
    ],
)
def test_that_a_customer_who_switches_is_followed_on_a_short_message(
    text: str, language: str
) -> None:
    assert detect_language(text, "fr") == language


@pytest.mark.parametrize("text", ["bonjour", "et en bleu ?", "jai pa recu ma cmd", "d’accord"])
def test_that_a_return_to_french_is_followed(text: str) -> None:
    assert detect_language(text, "en") == "fr"


@pytest.mark.parametrize("text", ["non", "le deuxième", "no", "Canapé Oslo 3 places", "Paris"])
def test_that_short_answers_of_a_french_conversation_stay_french(text: str) -> None:
    assert detect_language(text, "fr") == "fr"


def test_that_an_unknown_prior_falls_back_to_french() -> None:
    assert detect_language("ok", "xx") == "fr"
