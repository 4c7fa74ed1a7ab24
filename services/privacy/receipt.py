"""The proof of an erasure: what was done, signed, and without saying to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from core.security import keyed_hash
from services.privacy.people import Person

CACHE = (
    "Cached answers hold no contents of conversations; who is signed in is cached for seconds, "
    "and failed look-ups for minutes, under ids."
)
LOGS = (
    "Logs hold ids, paths, durations and states. They hold no message text, name, address or "
    "number, so there is nothing to erase in them."
)
VECTORS = (
    "The vector index holds passages of the shop's own documents only, no conversation. "
    "`mentions` counts documents that contain the person's address or number: read these."
)
BACKUPS = "Copies that the operator keeps of the database follow the operator's own schedule."


def hashed_person(secret_key: str, person: Person) -> list[str]:
    """Keyed hashes by which a receipt is found for an address, without holding it."""
    known = (*person.emails, *person.actors, *(str(id) for id in person.customers))
    return [keyed_hash(secret_key, f"privacy:{item}") for item in known]


def sign_receipt(secret_key: str, receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt with its signature: HMAC-SHA256 over its canonical JSON."""
    return {**receipt, "signature": _signature(secret_key, receipt)}


def receipt_is_genuine(secret_key: str, receipt: Mapping[str, Any]) -> bool:
    """Whether this installation signed exactly this receipt."""
    unsigned = {name: value for name, value in receipt.items() if name != "signature"}
    return receipt.get("signature") == _signature(secret_key, unsigned)


def _signature(secret_key: str, receipt: Mapping[str, Any]) -> str:
    canonical = orjson.dumps(receipt, option=orjson.OPT_SORT_KEYS).decode()
    return keyed_hash(secret_key, f"erasure-receipt:{canonical}")
