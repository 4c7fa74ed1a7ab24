"""Numbers in words, and strings of digits as they are dictated."""

from __future__ import annotations

import re
from decimal import Decimal

from channels.voice.spoken.wording import Wording

# Nobody says a longer number: its digits are read one by one.
MOST_DIGITS = 12
MOST_DECIMALS = 4
_SPACE = r"[ \u00a0\u202f]"
_PLAIN = re.compile(r"\d+")


def number_pattern(wording: Wording) -> str:
    """A number as it is written in a language, such as `1 290,50`; without groups."""
    mark = re.escape(wording.thousands.strip())
    between = f"(?:{_SPACE}|{mark})" if mark else _SPACE
    decimal = re.escape(wording.decimal)
    other = "" if wording.language == "en" else r"|\.\d{1,2}(?!\d)"
    return rf"(?<![\d,.])(?:\d{{1,3}}(?:{between}\d{{3}})+(?!\d)|\d+)(?:{decimal}\d+{other})?"


def value_of(written: str, wording: Wording) -> Decimal:
    """What a number written in a language is worth."""
    compact = re.sub(_SPACE, "", written)
    if wording.language == "en":
        return Decimal(compact.replace(",", ""))
    grouped = re.fullmatch(r"(\d{1,3}(?:\.\d{3})+)(?:[,.](\d+))?", compact)
    if wording.thousands == "." and grouped is not None:
        return Decimal(f"{grouped[1].replace('.', '')}.{grouped[2] or '0'}")
    return Decimal(compact.replace(",", "."))


def say_number(value: Decimal | int, wording: Wording, *, feminine: bool = False) -> str:
    """A number in words, `deux cents`, `trois virgule cinq`."""
    from num2words import num2words

    number = Decimal(value)
    if number != number.to_integral_value():
        number = number.normalize()
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
            number = round(number, MOST_DECIMALS)
    whole = number == number.to_integral_value()
    said = str(num2words(int(number) if whole else number, lang=wording.language))
    said = said.replace(", ", " ") if wording.language == "en" else said
    if feminine and wording.language == "fr" and re.search(r"\bun$", said):
        said += "e"
    return said


def say_digits(digits: str, wording: Wording) -> str:
    """A string of digits as it is dictated: in pairs in French, else one by one."""
    if wording.language != "fr":
        return " ".join(say_number(int(digit), wording) for digit in digits)
    zeros = len(digits) - len(digits.lstrip("0"))
    said = [wording.words["zero"]] * zeros
    rest = digits[zeros:]
    if len(rest) <= 3:
        return " ".join([*said, say_number(int(rest), wording)] if rest else said)
    if len(rest) % 2:
        said.append(say_number(int(rest[0]), wording))
        rest = rest[1:]
    for at in range(0, len(rest), 2):
        pair = rest[at : at + 2]
        if pair[0] == "0":
            said.append(wording.words["zero"])
        said.append(say_number(int(pair), wording))
    return " ".join(said)


def say_numbers(text: str, wording: Wording) -> str:
    """Whatever figures are left, each by itself; none remains."""
    pattern = re.compile(rf"({number_pattern(wording)})(?=(?:{_SPACE}+([^\W\d_]+))?)")

    def said(found: re.Match[str]) -> str:
        written, noun = found[1], (found[2] or "").lower()
        if _PLAIN.fullmatch(written) and (
            len(written) > MOST_DIGITS or (written[0] == "0" and len(written) > 1)
        ):
            return say_digits(written, wording)
        return say_number(value_of(written, wording), wording, feminine=noun in wording.feminine)

    return _PLAIN.sub(
        lambda found: f" {say_digits(found[0], wording)} ",
        pattern.sub(lambda found: _apart(found, said(found)), text),
    )


def _apart(found: re.Match[str], said: str) -> str:
    """Words beside letters (`3P`) need a space that figures did without."""
    text = found.string
    before = text[found.start() - 1 : found.start()]
    behind = text[found.end() : found.end() + 1]
    return f"{' ' * before.isalpha()}{said}{' ' * behind.isalpha()}"
