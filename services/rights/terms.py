"""What does the shop itself promise beyond the law, and for how long?

Its versions are data (`terms.yaml`); another shop gives its own file to `read_terms`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from core.errors import InvalidRequest
from services.rights.facts import Purchase, RuleVersion

Element = Literal[
    "seat_structure",
    "sofa_bed_mechanism",
    "wood_structure",
    "other_structure",
    "mattress_core",
    "fabric",
    "foam",
    "electrical",
]
FILE = Path(__file__).with_name("terms.yaml")


@dataclass(frozen=True, kw_only=True)
class CommercialTerms:
    """One version of the shop's terms; the references name what may be quoted for them."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    valid_from: date
    valid_until: date | None
    exchange_days: int
    exchange_reference: str
    mattress_trial_nights: int
    mattress_trial_reference: str
    warranty_reference: str
    warranty_years: dict[Element, int]
    product_years_win_for: frozenset[Element]

    @property
    def version(self) -> RuleVersion:
        return RuleVersion(self.valid_from, self.valid_until)


Terms = tuple[CommercialTerms, ...]
_SHAPE = TypeAdapter(Terms)


def read_terms(file: Path) -> Terms:
    """The versions of a shop's terms, oldest first.

    Raises InvalidRequest for an unknown or missing key, a wrong value, or versions that overlap.
    """
    try:
        terms = _SHAPE.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise InvalidRequest(f"The commercial terms cannot be read: {error}") from error
    for earlier, later in pairwise(terms):
        if earlier.valid_until is None or earlier.valid_until >= later.valid_from:
            raise InvalidRequest(
                "Versions of the commercial terms overlap.",
                {"valid_from": later.valid_from.isoformat()},
            )
    return terms


@cache
def default_terms() -> Terms:
    """The terms that come with the product."""
    return read_terms(FILE)


def terms_on(terms: Terms, day: date) -> CommercialTerms | None:
    """The version for a purchase made on this day, or None."""
    for version in terms:
        if version.valid_from <= day <= (version.valid_until or date.max):
            return version
    return None


def possible_elements(purchase: Purchase) -> tuple[Element, ...]:
    """The elements that the problem may concern, as far as kind, part and structure tell.

    The foam of a sofa bed's mattress is foam: the core of a mattress is that of one sold alone.
    """
    match purchase.kind, purchase.part:
        case _, ("fabric" | "foam") as part:
            return (part,)
        case "mattress", None:
            return ("mattress_core", "fabric")
        case "mattress", _:
            return ("mattress_core",)
        case "electrical", _:
            return ("electrical",)
        case "textile", _:
            return ("fabric",)
        case "other", None:
            return ()
        case _, "core":
            return ("foam",)
        case _, "mechanism":
            return ("sofa_bed_mechanism", "electrical")
        case _, None:
            return (*_structures(purchase), "fabric", "foam")
        case _:
            return _structures(purchase)


def possible_years(purchase: Purchase, terms: CommercialTerms) -> tuple[int, ...]:
    """The years of commercial warranty that the purchase may have, shortest first, each once.

    The catalogue's own figure wins where it is longer and the terms let it. Empty: none.
    """
    own = purchase.warranty_years or 0
    years = {
        max(terms.warranty_years.get(element, 0), own * (element in terms.product_years_win_for))
        for element in possible_elements(purchase)
    } or {own}
    return tuple(sorted(years - {0}))


def _structures(purchase: Purchase) -> tuple[Element, ...]:
    match purchase.structure:
        case "seat":
            return ("seat_structure",)
        case "wood":
            return ("wood_structure",)
        case "other":
            return ("other_structure",)
        case None:
            return ("seat_structure", "wood_structure", "other_structure")
