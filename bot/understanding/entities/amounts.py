"""Which numbers and amounts of money does a message mention, and between which bounds?"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from bot.understanding.entities.expressions import (
    alternatives,
    bound_after,
    bound_before,
    read_list,
)

AROUND_FRACTION = Decimal("0.15")
"""How far "around 800" reaches on each side."""

_LOWEST_BARE_PRICE = 20
_MAX_MENTIONS = 20
NUMBER = (
    r"(?:\d{1,3}(?:[ .']\d{3}){1,3}(?:,\d{1,2})?(?![\d])"
    r"|\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,2})?(?!\d)"
    r"|\d{1,12}(?:[.,]\d{1,2})?(?!\d))"
)
"""A number: thousands set apart by a space, point, comma or apostrophe, up to two decimals."""

_PLAIN_NUMBER = re.compile(
    r"(?<![\w#.,])(?P<sign>-)?(?P<number>\d{1,3}(?:[ .]\d{3})+(?:,\d{1,8})?(?![\d])"
    r"|\d{1,15}(?:[.,]\d{1,8})?(?!\d)|,\d{1,8})"
    r"(?: ?(?P<scale>k|milliers?|millions?|milliards?|douzaines?|billions?|thousand)(?!\w))?"
    r"(?!\w|\.\d{2})"
)
_SCALES = {
    "k": 1_000, "millier": 1_000, "thousand": 1_000, "million": 10**6, "milliard": 10**9,
    "billion": 10**12, "douzaine": 12,
}  # fmt: skip


@dataclass(frozen=True)
class Amount:
    """An amount of money: `cents` in minor units of `currency` (euro, dollar, pound, or None)."""

    cents: int
    currency: str | None
    start: int
    end: int


@dataclass(frozen=True)
class PriceBounds:
    """Lowest and highest price asked for, in cents; None where the message sets none."""

    min_cents: int | None = None
    max_cents: int | None = None


def parse_number(digits: str) -> Decimal:
    """Value of a number as written: groups of exactly three digits are thousands."""
    digits = digits.replace(" ", "").replace("'", "")
    groups = re.split(r"[.,]", digits)
    if len(groups) == 1:
        return Decimal(digits)
    if len(groups[-1]) == 3 and groups[0]:
        return Decimal("".join(groups))
    return Decimal(f"{''.join(groups[:-1]) or '0'}.{groups[-1]}")


def scale_of(word: str | None) -> int:
    """Factor of a scale word: "k" gives 1000; nothing gives 1."""
    return _SCALES.get((word or "").rstrip("s"), 1)


@cache
def _currencies() -> dict[str, str]:
    section: dict[str, list[str]] = read_list("expressions")["currencies"]
    return {word: currency for currency, words in section.items() for word in words}


@cache
def _amount_pattern() -> re.Pattern[str]:
    signs = "|".join(re.escape(word) for word in _currencies() if not word.isalnum())
    words = alternatives(word for word in _currencies() if word.isalnum() and word != "e")
    return re.compile(
        rf"(?<![\w#.,])(?P<before>(?:(?:usd|aud|cad|nzd)?(?:{signs})|eur|usd) ?)?"
        rf"(?P<number>{NUMBER})"
        r"(?: ?(?P<scale>k|milliers?|millions?|milliards?)(?!\w{2}))?"
        rf"(?P<currency> ?(?:d'|de )?(?:{signs}|(?:{words})(?!\w)|(?:euros?|eur)(?=\d))|e(?!\w))?"
    )


_CENTS = re.compile(
    r" ?(?:et )?(\d{2})(?: ?(?:centimes?|cents?|cts?))?"
    r"(?![\d,.]\d|\d| ?(?:cm|mm|m|x|kg|%|jours?|€)\b)"
)
_FOLLOWED_BY_NOTHING = re.compile(r" *(?:$|[,;.!?)](?!\d))")


def find_amounts(text: str, language: str) -> tuple[Amount, ...]:
    """Amounts with a currency, or without one where the words around mean a price.

    `text`: folded, numbers in digits.
    """
    amounts: list[Amount] = []
    for match in _amount_pattern().finditer(text):
        if len(amounts) == _MAX_MENTIONS:
            break
        if amounts and match.start() < amounts[-1].end:
            continue
        mark = (match["currency"] or match["before"] or "").strip()
        currency = _currencies().get(re.sub(r"^(?:d'|de |[a-z]{3}(?=\W))", "", mark))
        if currency is None and not _means_a_price(text, match, language, amounts):
            continue
        cents = parse_number(match["number"]) * scale_of(match["scale"])
        end = match.end()
        if currency == "cent":
            amounts.append(Amount(int(cents.to_integral_value()), "euro", match.start(), end))
            continue
        cents *= 100
        rest = _CENTS.match(text, end) if match["currency"] and cents == int(cents) else None
        if rest:
            cents, end = cents + int(rest[1]), rest.end()
        amounts.append(Amount(int(cents.to_integral_value()), currency, match.start(), end))
    return tuple(amounts)


def _means_a_price(text: str, match: re.Match[str], language: str, amounts: list[Amount]) -> bool:
    """Whether a number without currency is a price: a bound before it, no unit behind it."""
    patterns = _range_patterns()
    before, after = text[: match.start()], text[match.end() : match.end() + 48]
    if patterns["priced"].match(after):
        return True
    opened = patterns["opening"].search(before[-12:]) is not None
    if opened and patterns["joined_priced"].match(after):
        return True
    if parse_number(match["number"]) < _LOWEST_BARE_PRICE and not match["scale"]:
        return False
    if opened and (joined := patterns["joined"].match(after)):
        return _ends_bare(after[joined.end() :])
    if not _ends_bare(after):
        return False
    if match["scale"] == "k" or bound_before(before, language) in ("max", "min", "around"):
        return True
    if amounts and _is_range_gap(text, amounts[-1], match.start()):
        return True
    return bound_after(after, language) is not None


@cache
def _range_patterns() -> dict[str, re.Pattern[str]]:
    section: dict[str, Any] = read_list("expressions")["range_words"]
    joined = alternatives([*section["between"], *section["between_after_opening"]])
    gap = alternatives(section["between"])
    signs = "|".join(re.escape(word) for word in _currencies() if not word.isalnum())
    priced = rf"{NUMBER} ?k? ?(?:{signs}|(?:euros?|eur|e|k)(?!\w))"
    return {
        "opening": re.compile(rf"\b(?:{alternatives(section['opening_only'])}) (?:{signs})?$"),
        "before": re.compile(rf"\b(?:{alternatives(section['before'])}) (?:{signs})?$"),
        "gap": re.compile(rf" ?(?:{gap}) ?"),
        "joined_gap": re.compile(rf" ?(?:{joined}) ?"),
        "priced": re.compile(rf" ?(?:{gap}) ?{priced}"),
        "joined_priced": re.compile(rf" ?(?:{joined}) ?{priced}"),
        "joined": re.compile(rf" ?(?:{joined}) ?{NUMBER}(?!\w)"),
    }


def _is_range_gap(text: str, first: Amount, second_start: int) -> bool:
    """Whether the words between two amounts join them to a range ("et" only after "entre")."""
    patterns = _range_patterns()
    between = text[first.end : second_start]
    if patterns["gap"].fullmatch(between):
        return True
    opened = patterns["before"].search(text[max(0, first.start - 12) : first.start])
    return bool(opened and patterns["joined_gap"].fullmatch(between))


@cache
def _bare_end() -> re.Pattern[str]:
    words = read_list("expressions")["after_bare_price"]
    return re.compile(rf" (?:{alternatives(words)})(?!\w)")


def _ends_bare(suffix: str) -> bool:
    return bool(_FOLLOWED_BY_NOTHING.match(suffix) or _bare_end().match(suffix))


def price_bounds(text: str, amounts: tuple[Amount, ...], language: str) -> PriceBounds:
    """The bounds that a message sets: "moins de", "entre … et …", "autour de", "à partir de".

    Of two bounds of one kind the later wins (a correction). Amounts with neither bound are ignored.
    """
    lowest: int | None = None
    highest: int | None = None
    position = 0
    while position < len(amounts):
        amount = amounts[position]
        following = amounts[position + 1] if position + 1 < len(amounts) else None
        if following and _is_range_gap(text, amount, following.start):
            lowest, highest = sorted((amount.cents, following.cents))
            position += 2
            continue
        bound = bound_after(text[amount.end :], language) or bound_before(
            text[: amount.start], language
        )
        if bound == "max":
            highest = amount.cents
        elif bound == "min":
            lowest = amount.cents
        elif bound in ("around", "at"):
            margin = int(amount.cents * AROUND_FRACTION)
            lowest, highest = amount.cents - margin, amount.cents + margin
        position += 1
    return PriceBounds(lowest, highest)


def find_numbers_in(text: str) -> tuple[Decimal, ...]:
    """All numbers of a folded text whose numbers are in digits, in order.

    A comma is the decimal mark, a point or space before three digits sets thousands apart.
    """
    values: list[Decimal] = []
    for match in _PLAIN_NUMBER.finditer(text):
        digits = match["number"].replace(" ", "")
        if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", digits):
            digits = digits.replace(".", "")
        value = Decimal(("0" if digits[0] == "," else "") + digits.replace(",", "."))
        value *= scale_of(match["scale"])
        values.append(-value if match["sign"] else value)
        if len(values) == 2 * _MAX_MENTIONS:
            break
    return tuple(values)
