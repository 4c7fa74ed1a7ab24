"""Past days, groups of questions, contradictions of a corpus, drafts, and cells of spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.admin.figures_csv import FORMULA_BEGINNINGS, cell_text, csv_response
from core.providers.embeddings import EmbeddedEncoder
from knowledge.corpus import KnownDocument, KnownPassage
from knowledge.health.dates import past_dates
from knowledge.health.documents import Finding, examine
from knowledge.health.drafts import draft_article
from knowledge.health.groups import Group, group_questions
from knowledge.passages import split_passages
from knowledge.space import ordinary_questions

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("L’offre est valable jusqu’au 31 août 2026.", date(2026, 8, 31)),
        ("L’offre est valable jusqu’au 31 août 2027.", None),
        ("Soldes du 1er juillet 2025 au 31 juillet 2025.", date(2025, 7, 31)),
        ("Du 1er novembre 2026 au 31 décembre 2026, livraison offerte.", None),
        ("This coupon expires on March 3, 2026.", date(2026, 3, 3)),
        ("Code valable jusqu’au 03/02/2026.", date(2026, 2, 3)),
        ("Offer valid until 2026-01-31.", date(2026, 1, 31)),
        ("Tarifs 2024 de livraison.", date(2024, 12, 31)),
        ("Tarifs 2026 de livraison.", None),
        # A law keeps its date, and so does a company.
        ("Selon l’ordonnance du 29 septembre 2021, vous avez deux ans.", None),
        ("Maison fondée en 2004.", None),
        ("Valable jusqu’au 31 février 2020.", None),
    ],
)
def test_only_what_ended_is_over(text: str, over: date | None) -> None:
    found = list(past_dates(text, TODAY))
    assert [day for _, day in found] == ([over] if over else [])
    for span, _ in found:
        assert text[span.start : span.end]


QUESTIONS = (
    "Louez-vous des meubles ?",
    "Est-ce que vous reprenez les vieux matelas ?",
    "Proposez-vous la location de meubles ?",
    "Vous récupérez mon ancien matelas à la livraison ?",
    "Do you take back my old mattress?",
    "Qui a gagné la coupe du monde ?",
)


@pytest.fixture(scope="module")
def encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder()


def grouped(encoder: EmbeddedEncoder, texts: Sequence[str]) -> list[Group]:
    return group_questions(texts, ["fr"] * len(texts), encoder.encode, ordinary_questions())


def test_questions_that_mean_the_same_are_one_group(encoder: EmbeddedEncoder) -> None:
    groups = {frozenset(one.members) for one in grouped(encoder, QUESTIONS)}
    assert groups == {frozenset({0, 2}), frozenset({1, 3, 4}), frozenset({5})}


def test_groups_do_not_depend_on_order_or_on_how_often(encoder: EmbeddedEncoder) -> None:
    once = {frozenset(QUESTIONS[i] for i in one.members) for one in grouped(encoder, QUESTIONS)}
    many = [*reversed(QUESTIONS), *([QUESTIONS[0]] * 30)]
    groups = grouped(encoder, many)
    assert {frozenset(many[i] for i in one.members) for one in groups} == once
    assert sorted(i for one in groups for i in one.members) == list(range(len(many)))
    assert len(groups[0].members) == 32
    assert all(one.middle in one.members for one in groups)


def test_no_question_makes_no_group(encoder: EmbeddedEncoder) -> None:
    assert grouped(encoder, []) == []
    assert grouped(encoder, ["Bonjour ?"]) == [Group((0,), 0)]


def known(title: str, text: str, *, days_old: int = 1) -> KnownDocument:
    id = uuid4()
    passages = tuple(
        KnownPassage(uuid4(), id, f"d{id.hex}", one.position, one.start, one.end, "", one.text)
        for one in split_passages(text)
    )
    written = NOW - timedelta(days=days_old)
    return KnownDocument(id, uuid4(), title, "fr", (), passages, written)


def test_documents_that_contradict_one_another_are_found_among_many() -> None:
    one = known("Retours", "Vous disposez de 30 jours pour annoncer le retour d’un article.")
    other = known("Rétractation", "Vous disposez de 14 jours pour annoncer le retour d’un article.")
    others = [
        known(f"Article {n}", f"Le plateau numéro {n} mesure {n + 40} cm de large.")
        for n in range(20)
    ]
    found = [
        one_found for one_found in find([one, *others, other]) if one_found.kind == "contradiction"
    ]
    assert len(found) == 1
    assert {found[0].document_id, found[0].other_document_id} == {one.id, other.id}
    assert {found[0].details["quote"][17:19], found[0].details["other_quote"][17:19]} == {
        "30",
        "14",
    }


def find(documents: list[KnownDocument], answers: int = 0) -> list[Finding]:
    created = {one.id: one.updated_at for one in documents}
    cited = {documents[0].id: 3}
    return examine(documents, cited, answers, created, NOW)


def test_old_and_uncited_documents_are_found() -> None:
    cited, young, old = (known(f"N° {n}", "Un texte.", days_old=n) for n in (40, 10, 400))
    assert [one.kind for one in find([cited, young, old])] == ["old"]
    found = find([cited, young, old], answers=50)
    assert [(one.kind, one.document_id) for one in found] == [
        ("old", old.id),
        ("never_cited", old.id),
    ]


def test_a_finding_is_known_again() -> None:
    document = known("Soldes", "Valable jusqu’au 31 août 2025.")
    first, again = find([document]), find([document])
    assert [one.fingerprint for one in first] == [one.fingerprint for one in again]


def test_a_draft_quotes_and_hides_who_asked() -> None:
    question = "Louez-vous  des meubles ? Écrivez à jean@example.com ou au 06 12 34 56 78"
    draft = draft_article("fr", question, ["Peut-on louer un lit ?", question], [])
    assert draft.status == "draft"
    assert draft.title.startswith("Louez-vous des meubles ?")
    assert draft.text.count("Louez-vous") == 1
    assert "- Peut-on louer un lit ?" in draft.text
    for private in ("jean", "06 12"):
        assert private not in draft.text + draft.title


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    written = cell_text(text)
    assert not written.lstrip(" \u00a0").startswith(FORMULA_BEGINNINGS)
    assert written.lstrip("'").replace("'", "") == text.replace("\x00", "").lstrip("'").replace(
        "'", ""
    )


def test_a_table_is_read_back_as_it_was() -> None:
    rows = [("=1+1", 'a "quoted", cell', -3, 0.5, None, date(2026, 11, 1))]
    body = bytes(csv_response("t", ("a", "b", "c", "d", "e", "f"), rows).body).decode("utf-8-sig")
    _, row = csv.reader(io.StringIO(body))
    assert row == ["'=1+1", 'a "quoted", cell', "-3", "0.5", "", "2026-11-01"]
