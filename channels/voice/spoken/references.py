"""Telephone numbers, ticket and order references, article codes and ordinals."""

from __future__ import annotations

import re

from channels.voice.spoken.numbers import say_digits, say_number
from channels.voice.spoken.wording import Wording

_PHONE = re.compile(
    r"(?<![\d\w])(?:\+(\d{2})[ .]?(?:\(0\)[ .]?)?|(0))([1-9](?:[ .\-\u00a0]?\d{2}){4})(?!\d)"
)
_REFERENCE = re.compile(r"(?<![\w-])([A-Z]{2,5})-(\d{4})-(\d{2,10})(?![\w-])")
_CODE = re.compile(r"(?<![\w-])[A-ZÀ-Ý0-9]{1,20}(?:-[A-ZÀ-Ý0-9]{1,20}){1,6}(?![\w-])")
_NUMBER_SIGN = re.compile(r"(?<!\w)(?:[nN]\s?°|[nN]º|№|#)\s?(?=\d)")
_ENGLISH_NUMBER = re.compile(r"(?<!\w)[nN]o\.\s?(?=\d)")
_FRENCH_ORDINAL = re.compile(r"(?<!\w)(\d{1,3})(ers?|[eè]res?|res?|(?:[eè]me|e)s?)(?!\w)")
_ENGLISH_ORDINAL = re.compile(r"(?<!\w)(\d{1,3})(?:st|nd|rd|th)(?!\w)")
LONGEST_SPELT = 4


def say_phones(text: str, wording: Wording) -> str:
    """French numbers in pairs, as they are written; in other languages digit by digit."""

    def said(found: re.Match[str]) -> str:
        country, zero, rest = found[1], found[2], re.sub(r"\D", "", found[3])
        begins = wording.words["zero"] if zero else ""
        if country:
            begins = f"{wording.words['plus']} {say_number(int(country), wording)},"
        pairs = [rest[at : at + 2] for at in range(1, len(rest), 2)]
        spoken = [f"{begins} {say_number(int(rest[0]), wording)}"]
        return ", ".join([*spoken, *(say_digits(pair, wording) for pair in pairs)])

    return _PHONE.sub(said, text)


def say_references(text: str, wording: Wording) -> str:
    """`TKT-2025-001234`: letters, a year, and the rest as it is dictated; `CANAPÉ-OSLO-3P`."""
    text = _NUMBER_SIGN.sub(wording.words["number"] + " ", text)
    if wording.language == "en":
        text = _ENGLISH_NUMBER.sub(wording.words["number"] + " ", text)

    def said(found: re.Match[str]) -> str:
        letters = " ".join(found[1])
        year = say_number(int(found[2]), wording)
        return f"{letters}, {year}, {say_digits(found[3], wording)}"

    text = _REFERENCE.sub(said, text)
    return _CODE.sub(lambda found: _code(found[0], wording), text)


def _code(code: str, wording: Wording) -> str:
    if not any(sign.isalpha() for sign in code):
        return code
    return " ".join(_part(part, wording) for part in code.split("-"))


def _part(part: str, wording: Wording) -> str:
    pieces = re.findall(r"\d+|\D+", part)
    return " ".join(
        say_digits(piece, wording) if piece.isdigit() else _letters(piece) for piece in pieces
    )


def _letters(piece: str) -> str:
    """A short run of capitals is spelt, a long one is a word."""
    has_vowel = re.search(r"[AEIOUYÀ-Ý]", piece) is not None
    return piece.lower() if has_vowel and len(piece) >= LONGEST_SPELT else " ".join(piece)


def say_ordinals(text: str, wording: Wording) -> str:
    """`1er`, `2e`, `3rd` in words."""
    if wording.language == "fr":
        return _FRENCH_ORDINAL.sub(lambda found: _french_ordinal(found, wording), text)
    if wording.language == "en":
        return _ENGLISH_ORDINAL.sub(lambda found: _ordinal(int(found[1]), wording), text)
    return text


def _french_ordinal(found: re.Match[str], wording: Wording) -> str:
    number, ending = int(found[1]), found[2]
    plural = "s" if ending.endswith("s") else ""
    if number == 1:
        return ("premier" if ending.startswith("er") else "première") + plural
    return _ordinal(number, wording) + plural


def _ordinal(number: int, wording: Wording) -> str:
    from num2words import num2words

    return str(num2words(number, lang=wording.language, to="ordinal"))
