"""Which personal data does a text hold that no provider needs to see?

E-mail addresses, bank accounts, payment cards and telephone numbers. Order and ticket numbers
stay: the model needs them, and they prove nothing without the address, which it never has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import phonenumbers

Span = tuple[int, int]

_EMAIL = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,24}")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]){11,30}(?!\w)", re.I)
_CARD = re.compile(r"(?<![\w-])\d(?:[ .-]?\d){12,18}(?![\w-])")
_REFERENCE = re.compile(r"\b(?:CMD|TKT|ORD)[\s_:#-]*\d[\d-]*", re.I)
_REGIONS = ("FR", "BE", "GB", "DE", "ES", "IT", "NL", "LU", "CH")
_DIGITS = re.compile(r"\d(?:\D{0,3}\d){7}")


def find_emails(text: str) -> list[Span]:
    return [match.span() for match in _EMAIL.finditer(text)]


def find_ibans(text: str) -> list[Span]:
    """Bank accounts whose check digits are right, their blanks and trailing words apart."""
    found = []
    for match in _IBAN.finditer(text):
        end = match.end()
        while end > match.start() + 14 and not _iban_is_valid(text[match.start() : end]):
            end -= 1
        if end > match.start() + 14:
            found.append((match.start(), end))
    return found


def _iban_is_valid(written: str) -> bool:
    code = re.sub(r"[^A-Z0-9]", "", written.upper())
    if written[-1:] in " .-" or not 15 <= len(code) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in code[4:] + code[:4])) % 97 == 1


def find_cards(text: str) -> list[Span]:
    """13 to 19 digits whose Luhn sum is right."""
    return [match.span() for match in _CARD.finditer(text) if _luhn(match.group())]


def _luhn(written: str) -> bool:
    digits = [int(one) for one in written if one.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def find_phones(text: str) -> list[Span]:
    """Telephone numbers that exist in one of the shop's countries; no order numbers."""
    if _DIGITS.search(text) is None:
        return []
    references = [match.span() for match in _REFERENCE.finditer(text)]
    found: list[Span] = []
    for region in _REGIONS:
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            span = (match.start, match.end)
            if match.raw_string[0] not in "+0(" and region not in ("BE", "ES", "IT"):
                continue
            if not any(_overlap(span, other) for other in [*references, *found]):
                found.append(span)
    return found


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# In the order in which they are looked for: an account holds what looks like a telephone number.
DETECTORS: Mapping[str, Callable[[str], list[Span]]] = {
    "iban": find_ibans,
    "credit_card": find_cards,
    "email": find_emails,
    "phone": find_phones,
}


def redact(text: str) -> str:
    """The text with a placeholder for each piece of personal data: `[REDACTED_EMAIL]`."""
    for kind, find in DETECTORS.items():
        for start, end in sorted(find(text), reverse=True):
            text = f"{text[:start]}[REDACTED_{kind.upper()}]{text[end:]}"
    return text


def is_redacted(text: str) -> bool:
    return "[REDACTED_" in text
