"""Which sentences count as proven: measured on labelled ones, and rule by rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.claims import statement
from bot.evidence import Evidence, from_tool
from bot.grounding import Grounded, Grounder
from core.providers.embeddings import open_encoder
from knowledge.passages import split_passages

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 10, 9)
# Of 41 proven sentences 39 pass, of 45 others 44 do not: what may be lost, what may slip through.
LEAST_KEPT, LEAST_REFUSED = 0.93, 0.97

Case = tuple[str, str, list[Evidence], str]


def passages(article: str) -> list[Evidence]:
    head, _, body = (
        (ROOT / "sample_shop" / "articles" / f"{article}.md")
        .read_text(encoding="utf-8")
        .partition("---\n\n")
    )
    title = yaml.safe_load(head.strip("-\n"))["title"]
    return [
        Evidence("document", one.text, article[:2], article, title, 0.9)
        for one in split_passages(body)
    ]


def cases(label: str) -> Iterator[Case]:
    path = ROOT / "tests" / "evaluation" / "grounding.yaml"
    for group in yaml.safe_load(path.read_text(encoding="utf-8")):
        language = group.get("language", "fr")
        if "tool" in group:
            evidence = from_tool(group["tool"], group["result"], language)
        else:
            evidence = [piece for article in group["articles"] for piece in passages(article)]
        for sentence in group[label]:
            yield label, sentence, evidence, language


def check(sentence: str, evidence: list[Evidence], language: str = "fr") -> Grounded | None:
    return Grounder(language, TODAY, open_encoder("embedded").encode).check(sentence, evidence)


def test_proven_sentences_are_kept() -> None:
    found = [check(sentence, evidence, lang) for _, sentence, evidence, lang in cases("supported")]
    kept = [one for one in found if one is not None and one.is_claim]
    assert len(found) >= 40
    assert len(kept) / len(found) >= LEAST_KEPT


def test_other_sentences_are_refused() -> None:
    found = [
        check(sentence, evidence, lang) for _, sentence, evidence, lang in cases("unsupported")
    ]
    assert len(found) >= 40
    assert found.count(None) / len(found) >= LEAST_REFUSED


def test_quotes_are_literal() -> None:
    for _, sentence, evidence, language in cases("supported"):
        proof = check(sentence, evidence, language)
        for source in proof.sources if proof else ():
            assert any(source.quote in piece.text for piece in evidence if piece.id == source.id)


def facts(text: str, language: str = "fr") -> set[tuple[str, str]]:
    return set(statement(text, language, TODAY).facts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 299 €", "1299.00 €"),
        ("deux ans", "24 mois"),
        ("quatorze jours", "2 semaines"),
        ("de 9h30 à 17h", "de 9 h 30 à 17:00"),
        ("20 %", "20 pour cent"),
        ("le 14 octobre 2026", "le 14/10/2026"),
        ("article L217-3", "l'art. L. 217-3"),
        ("au 04 65 71 30 12", "au +33 4 65 71 30 12"),
        ("CMD-2026-000101", "cmd 2026 000101"),
        ("210 cm", "2,10 m"),
    ],
)
def test_facts_are_one_however_they_are_written(one: str, other: str) -> None:
    assert facts(one)
    assert facts(one) == facts(other)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("La livraison est offerte.", "mark"),
        ("Vous serez remboursé.", "mark"),
        ("Prix : 12 €", "money"),
        ("Sous 3 jours", "days"),
        ("à 18 h", "hour"),
        ("Selon le Code civil", "law"),
        ("Écrivez à a@b.fr", "email"),
        ("Voyez www.exemple.fr/x", "url"),
        ("avec le transporteur Colissimo", "name"),
        ("Il pèse 12 kg", "size"),
    ],
)
def test_what_counts_as_a_fact(text: str, kind: str) -> None:
    assert kind in {one for one, _ in facts(text)}


@pytest.mark.parametrize(
    "sentence",
    [
        "Bonjour, comment puis-je vous aider ?",
        "Je suis désolé pour ce désagrément.",
        "Souhaitez-vous que je regarde votre commande ?",
        "Je ne sais pas répondre à cette question.",
        "Voici ce que j'ai trouvé :",
    ],
)
def test_what_claims_nothing_needs_no_proof(sentence: str) -> None:
    assert check(sentence, []) == Grounded()


@pytest.mark.parametrize(
    "sentence",
    [
        "Saviez-vous que la livraison est gratuite ?",
        "Je suis désolé, votre commande a été annulée.",
        "Merci, votre remboursement est validé.",
        "N'hésitez pas à profiter de votre remise de 20 % !",
        "J'ai ouvert votre ticket.",
        "Le ciel est bleu.",
    ],
)
def test_a_claim_in_the_clothes_of_a_courtesy_is_refused(sentence: str) -> None:
    assert check(sentence, passages("fr/magasin-lyon")) is None


def test_the_customers_words_prove_no_price_and_no_right() -> None:
    said = Evidence("customer", "Vous me devez un remboursement de 5 000 € sous 24 heures", "fr")
    assert check("Vous aurez un remboursement de 5 000 € sous 24 heures.", [said]) is None


def test_the_customers_own_number_may_be_named() -> None:
    said = Evidence("customer", "ma commande CMD-2026-000101", "fr")
    assert check("Parlez-vous de la commande CMD-2026-000101 ?", [said]) == Grounded()
    assert check("Parlez-vous de la commande CMD-2026-000999 ?", [said]) is None


def order(**parcel: Any) -> list[Evidence]:
    result = {
        "found": True,
        "order": {
            "order_number": "CMD-2026-000101",
            "status": "shipped",
            "parcels": [{"tracking_number": "TM260010417", "status": "delivered", **parcel}],
        },
    }
    return from_tool("order_status", result, "fr")


def test_the_state_of_a_parcel_is_not_that_of_its_order() -> None:
    assert check("Le colis TM260010417 est livré.", order()) == Grounded(tool="order_status")
    assert check("Votre commande CMD-2026-000101 est livrée.", order()) is None
    assert check("Votre commande CMD-2026-000101 est expédiée.", order()) is not None
