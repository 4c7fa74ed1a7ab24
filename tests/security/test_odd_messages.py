"""Messages that nobody expects get a sensible reply, with and without a language model."""

from __future__ import annotations

import pytest

from core.security import random_token
from tests.openai_server import Reply as Answer
from tests.talking import Talk, Told

LANGUAGES = {"fr", "en", "es", "de", "it", "nl"}
GREETINGS = (
    "Hallo Përshëndetje ሰላም مرحبا Բարև Salam Kaixo Прывітанне হ্যালো Zdravo Здравейте Hola "
    "Kumusta 你好 Bonghjornu Bok Ahoj Hej Hello Saluton Tere Hei Bonjour Goeie გამარჯობა Γεια નમસ્તે "
    "Bonjou Sannu Aloha שלום नमस्ते Nyob Szia Halló Ndewo Halo Dia Ciao こんにちは ಹಲೋ Сәлем សួស្តី "
    "안녕하세요 Silav Салам ສະບາຍດີ Salve Sveiki Labas Moien Здраво Salama Helo ഹലോ Ħello Kia "
    "नमस्कार Сайн မင်္ဂလာပါ नमस्ते Hei ନମସ୍କାର سلام درود Cześć Olá ਸਤ Bună Привет Talofa Halò Здраво "
    "Lumela Mhoro "
    "هيلو හෙලෝ Ahoj Zdravo Salaan Hola Sampurasun Habari Hej Салом வணக்கம் హలో สวัสดี Merhaba "
    "Salam Привіт ہیلو Salom Xin Helo Molo העלא Bawo Sawubona Tungjatjeta"
)
EMOJI = "🛋️😡🔥👍🏽👨‍👩‍👧‍👦🇫🇷❤️"
INVISIBLE = "\u200b\u200d\u2060\ufeff\u00ad"
# Cyrillic and mathematical letters that read as "Bonjour".
DISGUISED_GREETINGS = ("B\u043enj\u043eur", "\U0001d401\U0001d428\U0001d427\U0001d423\U0001d428ur")


def _odd_messages() -> list[str]:
    words = GREETINGS.split()
    return [
        "🛋️",
        EMOJI * 40,
        INVISIBLE + "?" + INVISIBLE,
        "\u200b".join("bonjour"),
        GREETINGS,
        *(" ".join(words[start : start + 10]) for start in range(0, len(words), 10)),
        ("Mon canapé grince. " * 1_100)[:20_000],
        "é" * 20_000,
        "?!" * 10_000,
    ]


def _answered(told: Told, text: str) -> None:
    assert told.reply.language in LANGUAGES, text[:80]
    assert 0 < len(told.text) < 2_000, text[:80]
    assert told.reply.owner == "bot", text[:80]


@pytest.mark.parametrize("mode", ["embedded", "model"])
def test_that_odd_messages_get_a_sensible_reply(talk: Talk, mode: str) -> None:
    talk.server.script(*[Answer("Bonjour, que puis-je faire pour vous ?")] * 60)
    before = talk.tickets()
    with talk.set(**({"llm": "embedded"} if mode == "embedded" else {})):
        for text in _odd_messages():
            talk.session = random_token("odd_")
            _answered(talk.say(text), text)
    assert talk.tickets() == before


@pytest.mark.parametrize("text", DISGUISED_GREETINGS)
def test_that_a_greeting_in_disguise_is_a_greeting(talk: Talk, text: str) -> None:
    with talk.set(llm="embedded"):
        assert talk.say(text).reply.intent == "greeting"


def test_that_a_hundred_languages_are_answered_in_one_of_ours(talk: Talk) -> None:
    words = GREETINGS.split()
    assert len(words) == 100
    with talk.set(llm="embedded"):
        for word in words:
            talk.session = random_token("odd_")
            _answered(talk.say(word), word)
