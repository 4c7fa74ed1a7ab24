"""People's words lead to the subject that documents name otherwise; other matters have none."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from core.providers.embeddings import Encoder, open_encoder
from knowledge.readings import Readings
from knowledge.subjects import Subject, SubjectReader, open_subjects, read_subjects

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("embedded")


@pytest.fixture(scope="module")
def reader(encoder: Encoder) -> SubjectReader:
    subjects = read_subjects()
    phrases = [phrase for one in subjects for phrase in one.phrases]
    return SubjectReader(subjects, encoder.encode(phrases))


def agreement(reader: SubjectReader, encoder: Encoder, question: str, title: str) -> float:
    rows = [reader.read(text, encoder.encode([text])[0], "fr") for text in (question, title)]
    return float(rows[0] @ rows[1])


@pytest.mark.parametrize(
    ("question", "title", "other"),
    [
        (
            "combien de bras faut-il prévoir pour le hisser au sixième sans ascenseur ?",
            "Livraison à l'étage",
            "Livraison en Corse",
        ),
        (
            "jai perdu mes identifiants, impossible de me loguer",
            "Mot de passe oublié",
            "Carte cadeau",
        ),
        (
            "le vendeur m'a débité deux fois pour un seul achat",
            "Vous avez été débité deux fois",
            "Entretien du cuir",
        ),
    ],
)
def test_that_a_question_agrees_with_the_title_of_its_subject(
    reader: SubjectReader, encoder: Encoder, question: str, title: str, other: str
) -> None:
    right = agreement(reader, encoder, question, title)
    assert right > 0.2
    assert right > 2 * agreement(reader, encoder, question, other)


def test_that_what_no_help_centre_writes_about_has_no_subject(
    reader: SubjectReader, encoder: Encoder
) -> None:
    text = "La photosynthèse transforme la lumière en énergie chimique"
    row = reader.read(text, encoder.encode([text])[0], "fr")
    assert float((row**2).sum()) < 0.5


def test_that_no_phrase_stands_under_two_subjects() -> None:
    phrases = [phrase.lower() for one in read_subjects() for phrase in one.phrases]
    assert sorted(set(phrases)) == sorted(phrases)


async def test_that_vectors_are_kept_and_damage_is_mended(encoder: Encoder, tmp_path: Path) -> None:
    subjects = (Subject(("Retour",), ("je veux le rendre",)), Subject(("Prix",), ("combien ?",)))
    await open_subjects(encoder, tmp_path, subjects)
    (kept,) = list(tmp_path.glob("subjects-*.npy"))  # noqa: ASYNC240
    good = kept.read_bytes()
    kept.write_bytes(b"garbage")
    await open_subjects(encoder, tmp_path, subjects)
    assert kept.read_bytes() == good


def test_that_readings_are_replaced_removed_and_grow() -> None:
    readings = Readings(3)
    ids = [UUID(int=number) for number in range(200)]
    for number, id in enumerate(ids):
        row = np.eye(3, dtype=np.float32)[number % 3]
        readings.put(id, readings.row(row, {"price_question": 0.64}))
    for id in ids[1:]:
        readings.remove(id)
    asked = readings.row(np.eye(3, dtype=np.float32)[0], {"price_question": 1.0})
    found = readings.agreements(asked, 1.0, 0.5)
    assert found.best(5) == [ids[0]]
    assert found.of(ids[0]) == pytest.approx(1.4)
    assert found.of(ids[1]) == 0.0


def test_that_readings_tell_how_much_of_a_title_the_intents_know() -> None:
    readings = Readings(2)
    known, half, unread = (UUID(int=number) for number in range(3))
    subject = np.zeros(2, dtype=np.float32)
    readings.put(known, readings.row(subject, {"care_question": 0.7, "warranty_question": 0.2}))
    readings.put(half, readings.row(subject, {"care_question": 0.5}))
    assert readings.familiar(known) == pytest.approx(0.9)
    assert readings.familiar(half) == pytest.approx(0.5)
    assert readings.familiar(unread) == 1.0
    readings.remove(known)
    assert readings.familiar(known) == 1.0


def test_that_among_documents_of_other_matters_subjects_count_for_less() -> None:
    readings = Readings(2)
    familiar, foreign = UUID(int=0), UUID(int=1)
    subject = np.eye(2, dtype=np.float32)[0]
    asked = readings.row(subject, {})
    readings.put(familiar, readings.row(subject, {"care_question": 0.8}))
    assert readings.agreements(asked, 1.0, 0.0).of(familiar) == pytest.approx(1.0)
    readings.remove(familiar)
    readings.put(foreign, readings.row(subject, {"care_question": 0.1}))
    assert readings.agreements(asked, 1.0, 0.0).of(foreign) == pytest.approx(0.2)


def test_that_among_foreign_documents_a_title_is_known_by_chance() -> None:
    readings = Readings(2)
    known, *foreign = (UUID(int=number) for number in range(9))
    subject = np.zeros(2, dtype=np.float32)
    readings.put(known, readings.row(subject, {"care_question": 0.8}))
    for id in foreign:
        readings.put(id, readings.row(subject, {"care_question": 0.0125}))
    assert readings.familiar(known) == pytest.approx(0.8 * 0.1 / 0.5)
    readings.put(foreign[0], readings.row(subject, {"care_question": 0.0125}))
    assert readings.familiar(known) == pytest.approx(0.8 * 0.1 / 0.5)
    for id in foreign:
        readings.remove(id)
    assert readings.familiar(known) == pytest.approx(0.8)
