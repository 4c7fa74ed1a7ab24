"""What the product writes to people about their accounts, in French and English."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import Literal

from core.providers.email import Email

Language = Literal["fr", "en"]
Kind = Literal["reset", "invitation", "membership"]


@dataclass(frozen=True)
class _Wording:
    subject: str
    text: str


_LINK = {"fr": "Ouvrez cette page :\n$link", "en": "Open this page:\n$link"}
_CODE = {"fr": "Voici votre code :\n$code", "en": "Here is your code:\n$code"}

_WORDINGS: dict[tuple[Kind, Language], _Wording] = {
    ("reset", "fr"): _Wording(
        "$organization : choisir un nouveau mot de passe",
        """\
Bonjour,

Vous avez demandé à choisir un nouveau mot de passe pour votre compte $organization.

$how

Cette demande est valable une heure et ne sert qu'une fois. Si elle ne vient pas de vous, ignorez \
ce message : votre mot de passe reste inchangé.
""",
    ),
    ("reset", "en"): _Wording(
        "$organization: choose a new password",
        """\
Hello,

You asked to choose a new password for your $organization account.

$how

This request is valid for one hour and can be used once. If it was not you, ignore this message: \
your password has not changed.
""",
    ),
    ("invitation", "fr"): _Wording(
        "$organization : votre accès est prêt",
        """\
Bonjour,

Un compte vous attend chez $organization. Il ne reste qu'à choisir votre mot de passe.

$how

Cette invitation est valable sept jours et ne sert qu'une fois.
""",
    ),
    ("invitation", "en"): _Wording(
        "$organization: your access is ready",
        """\
Hello,

An account is waiting for you at $organization. All that is left is to choose your password.

$how

This invitation is valid for seven days and can be used once.
""",
    ),
    ("membership", "fr"): _Wording(
        "$organization : votre accès est ouvert",
        """\
Bonjour,

Votre compte donne désormais accès à $organization. Connectez-vous avec votre mot de passe habituel.
""",
    ),
    ("membership", "en"): _Wording(
        "$organization: your access is open",
        """\
Hello,

Your account now gives access to $organization. Sign in with your usual password.
""",
    ),
}


@dataclass(frozen=True)
class Letter:
    """What fills a wording; `link` wins over `code`."""

    kind: Kind
    language: Language
    organization: str
    code: str = ""
    link: str = ""


def write_mail(letter: Letter, key: str, to: str) -> Email:
    """The message of a letter; names cannot break its headers."""
    wording = _WORDINGS[letter.kind, letter.language]
    values = {
        "organization": " ".join(letter.organization.split()),
        "link": letter.link,
        "code": letter.code,
    }
    how = Template((_LINK if letter.link else _CODE)[letter.language]).substitute(values)
    return Email(
        key=key,
        to=to,
        subject=Template(wording.subject).substitute(values),
        text=Template(wording.text).substitute(values, how=how),
    )
