"""What does a sentence state that could be wrong? Its hard facts, its polarity, or nothing at all.

Facts are normalised, so that "deux ans" and "24 months" are one, and compare across languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.phrasing import catalogue
from bot.understanding.entities.amounts import NUMBER, find_amounts, find_numbers_in, parse_number
from bot.understanding.entities.counts import blank
from bot.understanding.entities.dates import find_dates
from bot.understanding.entities.numerals import spell_digits
from bot.understanding.entities.references import find_references
from bot.understanding.entities.text import clean, strip_accents

Fact = tuple[str, str]

# What a customer may tell us about themselves; a price or a right is the shop's to say.
CUSTOMERS_OWN = frozenset({"reference", "email", "phone", "name", "number", "size", "url"})
SAME_NAME_LETTERS = 4
STATE_GROUPS = ("order_statuses", "parcel_statuses", "ticket_statuses", "stock_words")
_DAYS, _MONTHS = {"day": 1, "week": 7}, {"month": 1, "year": 12}
_LENGTHS = {"mm": Decimal("0.1"), "cm": Decimal(1), "m": Decimal(100)}

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]\"'»]+"
    r"|(?<![\w@.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|fr|net|org|eu|io|example)(?:/\S*)?(?![\w@])",
    re.I,
)
_LAW = re.compile(
    r"\b(?:(?:articles?|art\.?|artikel|articulo)\s*)?([LRD])\.?\s?(\d{3,4}(?:-\d+)*)\b"
    r"|\b(?:articles?|art\.?|artikel|articolo|artículo)\s+(\d{1,4}(?:-\d+)*)\b",
    re.I,
)
_LAW_NAMES = re.compile(
    r"code civil|code de la consommation|code de commerce|rgpd|gdpr|directive|loi \w+|"
    r"civil code|consumer code|règlement \(?(?:ue|ce)",
    re.I,
)
_CODE = re.compile(
    r"\b(?=[A-Z0-9À-Ý-]*\d)(?=[A-Z0-9À-Ý-]*[A-ZÀ-Ý]{2})[A-Z0-9À-Ý]+(?:-[A-Z0-9À-Ý]+)*\b"
)
_NAME = re.compile(r"(?<=[a-zà-ÿ,;:'’(] )(?:[ldnsjmtcLD]['’])?([A-ZÀ-Ý][\w-]{2,})")
_CLOCK = re.compile(
    r"(?<![\d.,:])(\d{1,2}) ?"
    r"(?:(?:h|heures?|uhr|uur|:)(?: ?(\d{2}))?(?![\w:])|(?::(\d{2}))? ?(am|pm)\b)"
)


@dataclass(frozen=True)
class Statement:
    """What a text says: its facts, every number in it, and the words that turn its sense."""

    facts: frozenset[Fact]
    numbers: frozenset[Decimal]
    folded: str
    negative: bool


@cache
def claim_words() -> Any:
    """The word lists of `claims.yaml`."""
    path = Path(__file__).with_suffix(".yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def statement(text: str, language: str, today: date) -> Statement:
    """Read what a sentence states; `today` resolves relative days."""
    facts: set[Fact] = set()
    rest = _take(_URL, text, facts, lambda match: ("url", plain_url(match.group())))
    rest = _take(_LAW, rest, facts, _law)
    rest = _take(_LAW_NAMES, rest, facts, lambda match: ("law", _law_name(match.group())))
    if language != "de":
        facts |= {("name", strip_accents(clean(one))) for one in _names(rest)}
    rest = _take(_CODE, rest, facts, lambda match: ("reference", _reference(match.group())))
    folded = spell_digits(clean(rest), language)
    references = find_references(folded, language, today)
    for kind, found in (
        ("reference", (*references.order_numbers, *references.ticket_numbers)),
        ("email", references.emails),
        ("phone", references.phones),
    ):
        facts |= {(kind, _reference(one) if kind == "reference" else one) for one in found}
    remaining = _quantities(references.remaining, facts)
    days = find_dates(remaining, language, today)
    facts |= {("date", found.day.isoformat()) for found in days}
    remaining = blank(remaining, [(found.start, found.end) for found in days])
    amounts = find_amounts(remaining, language)
    facts |= {("money", str(amount.cents)) for amount in amounts}
    remaining = blank(remaining, [(amount.start, amount.end) for amount in amounts])
    # "Un", "une" and "one" have become 1: alone they count nothing.
    facts |= {("number", str(one)) for one in map(_plain, find_numbers_in(remaining)) if one != 1}
    facts |= {("mark", name) for name, words in _marks() if words.search(folded)}
    return Statement(
        frozenset(facts), _every_number(folded), folded, bool(_negations(language).search(folded))
    )


def contradicts(said: Statement, source: Statement) -> bool:
    """Whether a sentence turns what its source says round: a negation, or an opposite word."""
    return said.negative != source.negative or opposed(said, source)


def opposed(said: Statement, source: Statement) -> bool:
    """Whether a sentence has a word where its source has only the opposite one."""
    for first, second in _opposites():
        for one, other in ((first, second), (second, first)):
            if one.search(said.folded) and not one.search(source.folded):
                if other.search(source.folded):
                    return True
    return False


def missing_facts(facts: Iterable[Fact], sources: Iterable[Statement]) -> set[Fact]:
    """The facts that none of the sources states."""
    sources = list(sources)
    known = {fact for source in sources for fact in source.facts}
    numbers = {number for source in sources for number in source.numbers}
    text = " ".join(source.folded for source in sources)
    return {
        (kind, value)
        for kind, value in facts
        if (kind, value) not in known
        and not (kind == "number" and Decimal(value) in numbers)
        and not (kind == "name" and _named(value, text))
    }


def _named(name: str, folded: str) -> bool:
    """Whether a text has a name, or its like in another language (Corse, Corsica)."""
    return bool(re.search(rf"(?<!\w){re.escape(name[:SAME_NAME_LETTERS])}", folded))


def states(folded: str, language: str) -> frozenset[str]:
    """The states that a sentence says something to be in now: shipped, delivered, out of stock."""
    return frozenset(match[1].rstrip("es") for match in _states(language).finditer(folded))


@cache
def _states(language: str) -> re.Pattern[str]:
    names = {
        strip_accents(clean(name))
        for group in STATE_GROUPS
        for name in catalogue(language).get(group, {}).values()
    }
    # Endings of gender and number are free.
    known = "|".join(sorted((re.escape(name.rstrip("es")) for name in names), key=len)[::-1])
    now = "|".join(map(re.escape, claim_words()["now"]))
    return re.compile(rf"(?<!\w)(?:{now}) ((?:{known})[es]*)(?!\w)")


def claims_nothing(text: str, said: Statement, today: date) -> bool:
    """Whether a sentence is a courtesy, an offer, a question or an admission without a fact."""
    hard = {fact for fact in said.facts if fact[0] != "name"} - {("date", today.isoformat())}
    if hard:
        return False
    if text.rstrip().endswith("?"):
        return True
    announces = text.rstrip().endswith(":")
    if _words("done").search(said.folded) and not announces:
        return False
    short = len(said.folded.split()) <= int(claim_words()["longest_courtesy_words"])
    return short and bool(_words("courtesies").match(said.folded))


def tells_a_deed(said: Statement) -> bool:
    """Whether a sentence says that something was done for this customer."""
    if _words("deeds").search(said.folded):
        return True
    return bool(
        _words("possessives").search(said.folded) and _words("passives").search(said.folded)
    )


def without_marks(text: str) -> str:
    """A folded sentence without the words that promise: what it promises them of."""
    folded = strip_accents(clean(text))
    for _, words in _marks():
        folded = words.sub(" ", folded)
    return folded


def is_greeting(text: str) -> bool:
    """Whether a sentence is nothing but a greeting."""
    folded = strip_accents(clean(text))
    return len(folded.split()) <= 4 and bool(_words("greetings").match(folded))


def _take(pattern: re.Pattern[str], text: str, facts: set[Fact], read: Any) -> str:
    facts |= {read(match) for match in pattern.finditer(text)}
    return pattern.sub(lambda match: " " * len(match.group()), text)


def urls(text: str) -> list[str]:
    """The web addresses of a text as they are written."""
    return [match.group().rstrip(".,;:!?") for match in _URL.finditer(text)]


def plain_url(url: str) -> str:
    """An address without scheme, `www.` and final punctuation: how addresses compare."""
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", url.lower()).rstrip("/.,;:!?")


def _law(match: re.Match[str]) -> Fact:
    letter, coded, plain = match.groups()
    return ("law", f"{(letter or '').lower()}{coded or plain}")


def _law_name(name: str) -> str:
    """One name in every language for the laws that a shop speaks of."""
    name = clean(name)
    for part, canonical in (("civil", "civil"), ("cons", "consumer"), ("rgpd", "gdpr")):
        if part in name:
            return canonical
    return name


def _names(text: str) -> list[str]:
    """Words with a capital inside a sentence: places, brands, carriers, people."""
    return [name for name in _NAME.findall(text) if not any(map(str.isdigit, name))]


def _reference(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", strip_accents(code.lower()))


def _plain(value: Decimal) -> Decimal:
    return value.normalize() if value != value.to_integral_value() else value.quantize(Decimal(1))


def _every_number(folded: str) -> frozenset[Decimal]:
    return frozenset(
        _plain(parse_number(one)) for one in re.findall(NUMBER, folded) if len(one) < 16
    )


def _quantities(text: str, facts: set[Fact]) -> str:
    """Take the hours and the numbers with a unit out of a folded text."""
    text = _take(_CLOCK, text, facts, _hour)
    return _take(_unit_pattern(), text, facts, _quantity)


def _hour(match: re.Match[str]) -> Fact:
    hour, minutes = int(match[1]), match[2] or match[3] or "00"
    hour += 12 if match[4] == "pm" and hour < 12 else 0
    return ("hour", f"{hour}:{minutes}")


def _quantity(match: re.Match[str]) -> Fact:
    value, unit = parse_number(match[1]), _unit_of()[match[2]]
    if unit in _DAYS:
        return ("days", str(_plain(value * _DAYS[unit])))
    if unit in _MONTHS:
        return ("months", str(_plain(value * _MONTHS[unit])))
    if unit in _LENGTHS:
        return ("size", f"{_plain(value * _LENGTHS[unit])} cm")
    kind = "size" if unit in {"kg", "g", "litre", "m2", "watt", "seat"} else unit
    return (kind, f"{_plain(value)} {unit}")


@cache
def _unit_of() -> dict[str, str]:
    return {word: unit for unit, words in claim_words()["units"].items() for word in words}


@cache
def _unit_pattern() -> re.Pattern[str]:
    units = "|".join(sorted(map(re.escape, _unit_of()), key=len, reverse=True))
    return re.compile(rf"(?<![\w.,-])({NUMBER})[ -]?({units})(?!\w)")


@cache
def _marks() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, _any_of(words)) for name, words in claim_words()["marks"].items())


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    pairs = claim_words()["opposites"]
    return tuple((_any_of(first), _any_of(second)) for first, second in pairs)


@cache
def _negations(language: str) -> re.Pattern[str]:
    lists = claim_words()["negations"]
    return _any_of(lists.get(language, lists["fr"]))


@cache
def _words(name: str) -> re.Pattern[str]:
    parts = [re.escape(part.strip()) for part in claim_words()[name].split("|")]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of whole words; a star at the end of one stands for any ending."""
    parts = [re.escape(word.rstrip("*")) + r"\w*" * word.endswith("*") for word in words]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")
