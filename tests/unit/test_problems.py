"""Categories and severities in every spelling that people and programs use."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from core.errors import InvalidRequest
from services.tickets.problems import (
    CATEGORIES,
    SEVERITIES,
    CategoryField,
    SeverityField,
    category_of,
    severity_of,
)


class Problem(BaseModel):
    category: CategoryField
    severity: SeverityField


@pytest.mark.parametrize("category", CATEGORIES)
def test_that_a_category_is_known_in_capitals_and_with_spaces(category: str) -> None:
    assert category_of(category) == category
    assert category_of(category.upper().replace("_", " ")) == category


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("defaut_fabrication", "défaut_fabrication"),
        ("manufacturing defect", "défaut_fabrication"),
        ("casse-transport", "casse_transport"),
        ("piece manquante", "pièce_manquante"),
        ("missing_part", "pièce_manquante"),
        ("wrong_item", "produit_incorrect"),
        ("late delivery", "retard_livraison"),
        ("other", "autre"),
    ],
)
def test_that_a_category_is_known_without_accents_and_in_english(word: str, category: str) -> None:
    assert category_of(word) == category


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Moyen", "moyen"),
        ("medium", "moyen"),
        ("eleve", "élevé"),
        ("Élevée", "élevé"),
        ("HIGH", "élevé"),
        ("low", "faible"),
        ("critical", "urgent"),
        ("urgente", "urgent"),
    ],
)
def test_that_a_severity_is_known_in_every_form(word: str, severity: str) -> None:
    assert severity_of(word) == severity


@pytest.mark.parametrize("word", ["", "catastrophe", "moyen moyen", "é" * 10_000])
def test_that_an_unknown_severity_names_the_accepted_ones(word: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        severity_of(word)
    assert refused.value.details["accepted"] == list(SEVERITIES)


def test_that_a_model_holds_the_french_value_and_publishes_the_list() -> None:
    problem = Problem.model_validate({"category": "missing part", "severity": "high"})
    assert (problem.category, problem.severity) == ("pièce_manquante", "élevé")
    properties = Problem.model_json_schema()["properties"]
    assert properties["category"]["enum"] == list(CATEGORIES)


@pytest.mark.parametrize("value", [3, None, ["moyen"], "inconnu"])
def test_that_a_model_refuses_everything_else(value: object) -> None:
    with pytest.raises(ValidationError):
        Problem.model_validate({"category": "autre", "severity": value})
