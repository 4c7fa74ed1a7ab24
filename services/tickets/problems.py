"""What can be wrong and how badly: the categories and severities of a ticket, in French.

Seed 003 shows `défaut_fabrication` and `moyen`; the other values stand beside them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BeforeValidator

from core import text
from core.errors import InvalidRequest

Category = Literal[
    "défaut_fabrication",
    "casse_transport",
    "pièce_manquante",
    "produit_incorrect",
    "usure_anormale",
    "montage",
    "confort",
    "retard_livraison",
    "autre",
]
Severity = Literal["faible", "moyen", "élevé", "urgent"]
Priority = Literal["low", "medium", "high", "urgent"]

CATEGORIES: tuple[Category, ...] = get_args(Category)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

PRIORITY_OF_SEVERITY: dict[Severity, Priority] = {
    "faible": "low",
    "moyen": "medium",
    "élevé": "high",
    "urgent": "urgent",
}

_CATEGORY_WORDS: dict[Category, str] = {
    "défaut_fabrication": "defaut_de_fabrication defaut manufacturing_defect defect defective",
    "casse_transport": "casse casse_au_transport transport_damage shipping_damage damaged broken",
    "pièce_manquante": "piece_manquante pieces_manquantes missing_part missing_parts missing",
    "produit_incorrect": "mauvais_produit mauvais_article erreur_article wrong_product wrong_item",
    "usure_anormale": "usure usure_prematuree abnormal_wear wear",
    "montage": "assemblage assembly",
    "confort": "comfort",
    "retard_livraison": "retard retard_de_livraison late_delivery delivery_delay delay delayed",
    "autre": "autres other",
}
_SEVERITY_WORDS: dict[Severity, str] = {
    "faible": "low minor leger legere mineur mineure bas basse",
    "moyen": "moyenne medium moderate modere moderee normal normale",
    "élevé": "elevee high major haut haute grave serieux serieuse important importante severe",
    "urgent": "urgente critical critique bloquant bloquante dangereux dangereuse",
}


def fold(value: str) -> str:
    """A word without case and accents, its parts joined by `_`."""
    return re.sub(r"[^a-z0-9]+", "_", text.fold(value)).strip("_")


Word = TypeVar("Word", bound=str)


def _index(words: dict[Word, str]) -> dict[str, Word]:
    return {
        form: canonical
        for canonical, others in words.items()
        for form in (fold(canonical), *others.split())
    }


_CATEGORY_FORMS: dict[str, Category] = _index(_CATEGORY_WORDS)
_SEVERITY_FORMS: dict[str, Severity] = _index(_SEVERITY_WORDS)


def category_of(value: str) -> Category:
    """The category of a word, with or without accents, in French or English.

    Raises InvalidRequest, naming the accepted values.
    """
    return _canonical("problem_category", value, _CATEGORY_FORMS, CATEGORIES)


def severity_of(value: str) -> Severity:
    """The severity of a word, with or without accents, in French or English.

    Raises InvalidRequest, naming the accepted values.
    """
    return _canonical("problem_severity", value, _SEVERITY_FORMS, SEVERITIES)


def _canonical(field: str, value: str, forms: dict[str, Word], accepted: tuple[Word, ...]) -> Word:
    found = forms.get(fold(value[:100]))
    if found is None:
        raise InvalidRequest(
            f"{field} must be one of: {', '.join(accepted)}.",
            {"field": field, "accepted": list(accepted)},
        )
    return found


def _category_or_same(value: Any) -> Any:
    return _CATEGORY_FORMS.get(fold(value[:100]), value) if isinstance(value, str) else value


def _severity_or_same(value: Any) -> Any:
    return _SEVERITY_FORMS.get(fold(value[:100]), value) if isinstance(value, str) else value


# For models: accepts every form, holds the French value, and lists it in the JSON schema.
CategoryField = Annotated[Category, BeforeValidator(_category_or_same)]
SeverityField = Annotated[Severity, BeforeValidator(_severity_or_same)]
