"""What stands for personal data in a test that is kept: the same fake for the same value.

Replaced: e-mail addresses, phone, card and account numbers, known names and names that people
introduce themselves with. Order and ticket numbers stay: they name nobody without the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_PERSONAL = re.compile(
    r"(?P<code>\b(?:cmd|tkt)[ \-_.:#/]{0,3}20\d\d[ \-_./]{0,3}\d{1,6}(?!\d))"
    r"|(?P<email>[^\s@<>()\[\],;:«»\"]{1,64}@[^\s@<>()\[\],;:«»\"]{1,250}\.[^\W\d_]{2,24})"
    r"|(?P<iban>\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?\b)"
    r"|(?P<digits>(?<![\w.,])\(?\+?\(?\d(?:[ .\-/()]{0,2}\d){8,18}(?!\w))",
    re.I,
)
_INTRODUCTION = re.compile(
    r"(?P<says>\b(?:je m['’]appelle|je suis (?:m\.|mme|monsieur|madame)|my name is|ich heiße"
    r"|me llamo|mi chiamo|ik heet)\s+)(?P<name>[^\W\d_][\w'’\-]*(?:\s+[A-ZÀ-ÖØ-Þ][\w'’\-]*){0,2})",
    re.I,
)
# Numbers that belong to nobody: set aside for fiction (ARCEP), for tests, or for documentation.
_CARD = "4242 4242 4242 4242"
_IBAN = "FR76 3000 6000 0112 3456 7890 189"
_PHONE = "06 39 98 {:02d} {:02d}"
FIRST_NAME, LAST_NAME = "Alix", "Exemple"
MINIMUM_CARD_DIGITS = 13
SHORTEST_NAME = 3


@dataclass
class Fakes:
    """The fakes of one test.

    `known_emails` maps addresses to what stands for them (`{email:CUST123}`, which is filled in
    again when the test is played); `known_names` are first and last names.
    """

    known_emails: Mapping[str, str] = field(default_factory=dict)
    known_names: Sequence[tuple[str, str]] = ()
    ticket_numbers: frozenset[str] = frozenset()
    _emails: dict[str, str] = field(default_factory=dict)
    _phones: dict[str, str] = field(default_factory=dict)

    def replaced(self, text: str) -> str:
        """The text with a fake in place of each personal value."""
        text = _PERSONAL.sub(self._fake, text)
        text = _INTRODUCTION.sub(lambda found: f"{found['says']}{FIRST_NAME} {LAST_NAME}", text)
        for names in self.known_names:
            for name, fake in zip(names, (FIRST_NAME, LAST_NAME), strict=True):
                if len(name) >= SHORTEST_NAME:
                    text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", fake, text, flags=re.I)
        return text

    def _fake(self, found: re.Match[str]) -> str:
        whole = found.group()
        match found.lastgroup:
            case "code":
                return "{ticket}" if whole.upper() in self.ticket_numbers else whole
            case "email":
                return self._email(whole.casefold())
            case "iban":
                return _IBAN
            case _:
                return self._number(whole)

    def _email(self, address: str) -> str:
        known = self.known_emails.get(address)
        if known is not None:
            return known
        return self._emails.setdefault(address, f"client{len(self._emails) + 1}@example.org")

    def _number(self, written: str) -> str:
        digits = "".join(one for one in written if one.isdigit())
        if len(digits) >= MINIMUM_CARD_DIGITS and _is_card(digits):
            return _CARD
        return self._phones.setdefault(digits, _PHONE.format(*divmod(len(self._phones), 100)))


def _is_card(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812, Luhn)."""
    doubled = (int(one) * 2 for one in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(n - 9 if n > 9 else n for n in doubled)
    return total % 10 == 0
