"""Which order numbers, tickets, e-mail addresses and phone numbers does a message hold?"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import phonenumbers

_MAX_MENTIONS = 8
_EMAIL = re.compile(
    r"(?<![\w.+%-])[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}(?![\w-])"
)
_NUMBER_MARK = r"(?:n(?:o|um|umero|umber|r|ummer)?[ .°#:]{0,3})?"
_CODED = re.compile(
    rf"(?<!\w)(?P<kind>cmd|tkt)[ \-_.:#/]{{0,3}}{_NUMBER_MARK}"
    r"(?P<year>20\d\d)[ \-_./]{0,3}(?P<serial>\d{1,6})(?!\d)"
)
_ORDER_WORDS = (
    r"(?:commandes?|cmd|order|pedido|bestell(?:ung|nummer)|auftrag|ordine|bestel(?:ling|nummer))"
)
_TICKET_WORDS = r"(?:tickets?|tkt|dossier|reclamation|sav|caso|fall|vorgang|pratica)"
_YEAR_SERIAL = re.compile(r"(?<![\w-])(?P<year>20\d\d)-(?P<serial>\d{6})(?![\w-])")
_BARE_ORDER = re.compile(
    rf"(?<!\w){_ORDER_WORDS}[^\d@€]{{0,30}}?(?<![\d.,])(?P<digits>\d{{6,12}})(?!\d| ?(?:€|eur))"
)
_BARE_TICKET = re.compile(
    rf"(?<!\w){_TICKET_WORDS}[ :#\-]{{0,3}}{_NUMBER_MARK}(?P<digits>\d{{1,6}})(?![\d.,]\d|\d| ?€)"
)
# "Commande 126": the last digits, of the current year.
_SHORT_ORDER = re.compile(
    rf"(?<!\w){_ORDER_WORDS}[ :#\-]{{0,3}}{_NUMBER_MARK}(?P<digits>\d{{2,5}})"
    r"(?![\w-]|[.,]\d| ?(?:€|eur|chaise|canape|lit|table|article|produit|meuble))"
)
_PHONE = re.compile(r"(?<![\w.,@])(?:\+|00)?\(?\d(?:[ .\-/()]{0,2}\d){7,14}(?![\w@])")
_REGIONS = {"fr": "FR", "en": "GB", "es": "ES", "de": "DE", "it": "IT", "nl": "NL"}

# Where a national number begins with 0: other digits of the same length are amounts or serials.
_TRUNK_REGIONS = frozenset({"FR", "GB", "DE", "NL"})


@dataclass(frozen=True)
class References:
    """What was found, each once in order of mention, and the text with all of it blanked out."""

    order_numbers: tuple[str, ...]
    ticket_numbers: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    remaining: str


def find_references(text: str, language: str, today: date) -> References:
    """Read the references of a folded text.

    Order and ticket numbers are returned in the shop's form, `CMD-2026-000101` and
    `TKT-2026-000001`; a number without its year belongs to the current one; other digits after
    the word "commande" are returned as they are. Phones: E.164, valid ones only, read as French
    first and then as numbers of the message's language.
    """
    emails: list[str] = []
    phones: list[str] = []
    orders: list[str] = []
    tickets: list[str] = []
    remaining = _take(_EMAIL, text, lambda match: _keep(emails, match.group()))
    remaining = _take(_CODED, remaining, lambda match: _coded(match, orders, tickets))
    remaining = _take(
        _YEAR_SERIAL, remaining, lambda match: _year_serial(match, text, orders, tickets)
    )
    remaining = _take(
        _BARE_ORDER, remaining, lambda match: _bare_order(match["digits"], orders, today)
    )
    remaining = _take(
        _SHORT_ORDER,
        remaining,
        lambda match: _keep(orders, _canonical("CMD", today.year, match["digits"])),
    )
    remaining = _take(
        _BARE_TICKET,
        remaining,
        lambda match: _keep(tickets, _canonical("TKT", today.year, match["digits"])),
    )
    remaining = _take(_PHONE, remaining, lambda match: _phone(match.group(), phones, language))
    return References(tuple(orders), tuple(tickets), tuple(emails), tuple(phones), remaining)


def _take(pattern: re.Pattern[str], text: str, keep: Callable[[re.Match[str]], bool]) -> str:
    """Hand each match to `keep`; blank those that it takes."""
    return pattern.sub(
        lambda match: " " * len(match.group()) if keep(match) else match.group(), text
    )


def _keep(values: list[str], value: str) -> bool:
    if len(values) >= _MAX_MENTIONS:
        return False
    if value not in values:
        values.append(value)
    return True


def _canonical(prefix: str, year: int | str, serial: str) -> str:
    return f"{prefix}-{year}-{int(serial):06d}"


def _coded(match: re.Match[str], orders: list[str], tickets: list[str]) -> bool:
    values, prefix = (orders, "CMD") if match["kind"] == "cmd" else (tickets, "TKT")
    return _keep(values, _canonical(prefix, match["year"], match["serial"]))


def _year_serial(match: re.Match[str], text: str, orders: list[str], tickets: list[str]) -> bool:
    before = text[max(0, match.start() - 30) : match.start()]
    is_ticket = re.search(_TICKET_WORDS, before) and not re.search(_ORDER_WORDS, before)
    values, prefix = (tickets, "TKT") if is_ticket else (orders, "CMD")
    return _keep(values, _canonical(prefix, match["year"], match["serial"]))


def _bare_order(digits: str, orders: list[str], today: date) -> bool:
    if len(digits) == 6:
        return _keep(orders, _canonical("CMD", today.year, digits))
    if len(digits) == 10 and digits.startswith("20"):
        return _keep(orders, _canonical("CMD", digits[:4], digits[4:]))
    return not digits.startswith("0") and _keep(orders, digits)


def _phone(candidate: str, phones: list[str], language: str) -> bool:
    regions = dict.fromkeys(("FR", _REGIONS.get(language, "FR")))
    written = "+" + candidate[2:] if candidate.startswith("00") else candidate
    for region in regions:
        if region in _TRUNK_REGIONS and written.lstrip("(")[0] not in "+0":
            continue
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return _keep(
                phones, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            )
    return False
