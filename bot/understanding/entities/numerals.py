"""Which numbers does a message spell in words? Rewrites them in digits."""

import re
from typing import NamedTuple

from text_to_num import find_numbers  # type: ignore[import-untyped]

from bot.understanding.entities.text import strip_accents

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+(?:[.,]\d+)*|[^\w\s]")
_LIBRARY_LANGUAGES = frozenset({"fr", "en", "es", "de", "it", "nl"})
_MULTIPLIERS = frozenset({1_000, 1_000_000, 1_000_000_000})
# Behind digits these are money: "12 cents".
_MONEY_WORDS = frozenset({"cent", "cents"})
_PLAIN_WORD = re.compile(r"[a-zà-öø-ÿ]+(?:-[a-zà-öø-ÿ]+)*")
_DIGIT_ORDINAL = re.compile(
    r"(?<![\w.,/-])(\d{1,2}(?=er|em|ie|st|nd|rd|th|de)|1?\d)(?:er|ere|eme|e|ieme|st|nd|rd|th|a|o|de|ste)(?![\w€])"
)
# Spellings that the library does not know (no accents, other forms), to those that it does.
_RESPELLED = {
    "fr": {
        "second": "deuxième", "seconde": "deuxième",
        "zero": "zéro", "deuxieme": "deuxième", "troisieme": "troisième", "quatrieme": "quatrième",
        "cinquieme": "cinquième", "sixieme": "sixième", "septieme": "septième",
        "huitieme": "huitième", "neuvieme": "neuvième", "dixieme": "dixième",
        "premiere": "première", "deuxiemes": "deuxième",
    },
    "es": {
        "segundo": "segunda", "tercer": "tercero",
        "veintidos": "veintidós", "veintitres": "veintitrés", "veintiseis": "veintiséis",
        "dieciseis": "dieciséis",
    },
    "de": {
        "fuenf": "fünf", "zwoelf": "zwölf", "fuenfzehn": "fünfzehn", "fuenfzig": "fünfzig",
        "dreissig": "dreißig",
    },
    "it": {"ventitre": "ventitré", "trentatre": "trentatré"},
}  # fmt: skip


class _Word(NamedTuple):
    """A word in the shape that the library expects."""

    content: str
    start: int
    end: int

    def text(self) -> str:
        return self.content

    def nt_separated(self, _previous: "_Word") -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return False


def _words(text: str, language: str) -> list[_Word]:
    """Words of a text; what is no plain word or number is shown to the library as a full stop."""
    spellings = _RESPELLED.get(language, {})
    found = []
    for match in _WORD.finditer(text):
        content = spellings.get(match.group(), match.group())
        if not content.isascii() and not _PLAIN_WORD.fullmatch(content) and "ß" not in content:
            content = "."
        found.append(_Word(content, match.start(), match.end()))
    return found


def _written(value: float) -> str:
    """A number in digits, a comma before its decimals."""
    return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")


def _factor(content: str) -> float | None:
    """The number before "millions" or "mille": at most six digits and a decimal part."""
    match = re.fullmatch(r"(\d{1,6})(?:[.,](\d{1,4}))?", content)
    return float(f"{match[1]}.{match[2] or 0}") if match else None


def spell_digits(text: str, language: str) -> str:
    """Rewrite the numbers of a cleaned text in digits and remove its accents.

    Cardinals become digits ("neuf cents" gives "900"), ordinals "#" and digits ("deuxième" and
    "2e" give "#2"). One and articles become 1: the caller ignores lone ones.
    """
    code = language if language in _LIBRARY_LANGUAGES else "fr"
    words = _words(text, code)
    parts: list[str] = []
    position = 0
    for number in find_numbers(words, code, threshold=0):
        first, last = words[number.start], words[number.end - 1]
        if text[first.start : last.end].replace(".", "").replace(",", "").isdigit():
            continue
        value, start = number.value, first.start
        digits = _written(value)
        previous = words[number.start - 1] if number.start else None
        if previous and previous.content[0].isdigit() and previous.end + 1 >= start:
            if first.content in _MONEY_WORDS:
                continue
            if value in _MULTIPLIERS and first is last and (factor := _factor(previous.content)):
                start, digits = previous.start, _written(factor * value)
        if start < position:
            continue
        parts += [text[position:start], f"#{digits}" if number.is_ordinal else digits]
        position = last.end
    parts.append(text[position:])
    return _DIGIT_ORDINAL.sub(r"#\1", strip_accents("".join(parts)))
