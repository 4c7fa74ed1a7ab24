"""What people have agreed to: which wording, when, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import Row, select, update

from core.database import Transaction
from core.errors import InvalidRequest, NotFound
from core.security import Principal
from services.privacy.tables import consents

FILE = Path(__file__).with_name("consents.yaml")
LANGUAGES = ("fr", "en", "es", "de", "it", "nl")


@dataclass(frozen=True)
class ConsentText:
    """The newest wording of a kind of consent, by language."""

    kind: str
    version: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Consent:
    """One agreement of one person; withdrawn ones stay as proof."""

    id: UUID
    kind: str
    text_version: str
    language: str
    given_at: datetime
    withdrawn_at: datetime | None


@cache
def consent_texts() -> Mapping[str, ConsentText]:
    """The newest wording of each kind."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        kind: ConsentText(
            kind, versions[0]["version"], {name: versions[0][name] for name in LANGUAGES}
        )
        for kind, versions in document.items()
    }


async def give_consent(
    transaction: Transaction,
    principal: Principal,
    kind: str,
    text_version: str,
    language: str,
    now: datetime,
) -> Consent:
    """Note that a person has agreed to the newest wording; agreeing twice changes nothing.

    Raises InvalidRequest for an unknown kind, and for a wording that is not the newest.
    """
    text = _text(kind)
    if text_version != text.version:
        raise InvalidRequest(
            f"The wording of {kind} is now version {text.version}; show that one.",
            {"field": "text_version"},
        )
    standing = await _standing(transaction, principal, kind)
    if standing is not None and standing.text_version == text_version:
        return standing
    values = {
        "actor": principal.actor,
        "customer_id": principal.customer_id,
        "kind": kind,
        "text_version": text_version,
        "language": language,
        "given_at": now,
    }
    id = await transaction.insert(consents, values)
    return Consent(id, kind, text_version, language, now, None)


async def withdraw_consent(
    transaction: Transaction, principal: Principal, kind: str, now: datetime
) -> None:
    """Note that a person no longer agrees; raises NotFound where they had not agreed."""
    changed = await transaction.execute(
        update(consents)
        .where(consents.c.actor == principal.actor, consents.c.kind == _text(kind).kind)
        .where(consents.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    if changed.rowcount == 0:
        raise NotFound("There is no such consent.")


async def has_consent(transaction: Transaction, principal: Principal, kind: str) -> bool:
    """Whether a person has agreed to the newest wording and not withdrawn: ask before recording."""
    standing = await _standing(transaction, principal, kind)
    return standing is not None and standing.text_version == _text(kind).version


async def list_consents(transaction: Transaction, principal: Principal) -> list[Consent]:
    """What a person has agreed to, newest first, withdrawn ones included."""
    mine = select(consents).where(consents.c.actor == principal.actor)
    return [_consent(row) for row in await transaction.all(mine.order_by(consents.c.id.desc()))]


async def _standing(transaction: Transaction, principal: Principal, kind: str) -> Consent | None:
    row = await transaction.first(
        select(consents)
        .where(consents.c.actor == principal.actor, consents.c.kind == kind)
        .where(consents.c.withdrawn_at.is_(None))
        .order_by(consents.c.id.desc())
        .limit(1)
    )
    return _consent(row) if row is not None else None


def _text(kind: str) -> ConsentText:
    try:
        return consent_texts()[kind]
    except KeyError as error:
        kinds = ", ".join(consent_texts())
        raise InvalidRequest(f"kind must be one of: {kinds}.", {"field": "kind"}) from error


def _consent(row: Row[Any]) -> Consent:
    return Consent(**{name: getattr(row, name) for name in Consent.__dataclass_fields__})
