"""Intents learned from a handful of phrases, on the encoder that the product runs."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.understanding.intents import (
    OUT_OF_SCOPE,
    IntentModel,
    load,
    load_examples,
    load_or_train,
    train,
    train_on_words,
)
from bot.understanding.training import best_calibration, best_threshold
from core.providers.embeddings import Encoder, open_encoder

ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = {
    "greeting": ["bonjour", "salut", "hello", "bonsoir à vous", "coucou", "good morning"],
    "order_status": [
        "où est ma commande",
        "quand arrive mon colis",
        "je n'ai toujours rien reçu",
        "where is my order",
        "le suivi de mon paquet",
        "ma commande est en retard",
    ],
    "store_hours": [
        "à quelle heure ouvrez-vous",
        "le magasin est-il ouvert dimanche",
        "quelles sont vos horaires",
        "when does the shop open",
        "adresse de la boutique",
        "fermez-vous à midi",
    ],
    OUT_OF_SCOPE: [
        "quel temps fait-il",
        "écris un poème",
        "qui a gagné le match",
        "tell me a joke",
        "combien font deux et deux",
        "une recette de crêpes",
    ],
}
PAIRS = [(phrase, intent) for intent, phrases in EXAMPLES.items() for phrase in phrases]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("embedded")


@pytest.fixture(scope="module")
def model(encoder: Encoder) -> IntentModel:
    return train(PAIRS, encoder)


def write_phrases(folder: Path) -> None:
    for intent, phrases in EXAMPLES.items():
        path = folder / "nl" / f"{intent}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# a comment\n\n" + "\n".join(phrases), "utf-8")


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("mon colis arrive quand ?", "order_status"),
        ("where's my parcel?", "order_status"),
        ("wo ist meine Bestellung?", "order_status"),
        ("le magasin ouvre à quelle heure ?", "store_hours"),
        ("bonjour à vous", "greeting"),
    ],
)
def test_that_unseen_messages_are_understood_across_languages(
    model: IntentModel, message: str, intent: str
) -> None:
    prediction = model.predict(message)
    assert prediction.ranking[0][0] == intent


def test_that_the_ranking_is_whole_ordered_and_sums_to_one(model: IntentModel) -> None:
    prediction = model.predict("bonjour")
    shares = [share for _, share in prediction.ranking]
    assert {label for label, _ in prediction.ranking} == set(EXAMPLES)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=1e-4)
    assert prediction.confidence == shares[0]
    assert prediction.intent == "greeting"


def test_that_out_of_scope_has_no_intent(model: IntentModel) -> None:
    assert model.predict("écris-moi un poème sur la mer").intent is None
    assert model.predict("   ").intent is None


def test_that_a_message_s_own_vector_is_taken(model: IntentModel, encoder: Encoder) -> None:
    vector = encoder.encode(["où est ma commande"])[0]
    assert model.predict("où est ma commande", vector) == model.predict("où est ma commande")
    other = encoder.encode(["le magasin est-il ouvert dimanche"])[0]
    assert model.predict("où est ma commande", other) != model.predict("où est ma commande")


def test_that_a_saved_model_answers_the_same(
    model: IntentModel, encoder: Encoder, tmp_path: Path
) -> None:
    path = tmp_path / "models" / "intents.npz"
    model.save(path)
    again = load(path, encoder)
    assert again.predict("ma commande ?") == model.predict("ma commande ?")
    assert list(path.parent.iterdir()) == [path]


def test_that_doubt_alone_asks_the_second_encoder(model: IntentModel, encoder: Encoder) -> None:
    asked: list[str] = []

    class Counting:
        name, dimensions = "counting", 384

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            asked.extend(texts)
            return np.ones((len(texts), 384), dtype=np.float32)

    counting = replace(model, second_encoder=Counting())
    assert counting.predict("où est ma commande").intent == "order_status"
    assert asked == []
    if model.second is not None:
        sure = replace(model.second, doubt=1.1, floor=-2.0)
        replace(counting, second=sure).predict("où est ma commande")
        assert asked == ["où est ma commande"]


def test_that_a_model_serves_without_its_second_encoder(model: IntentModel) -> None:
    alone = replace(model, second_encoder=None)
    assert alone.predict("où est ma commande").intent == "order_status"


def test_that_no_encoder_given_means_the_embedded_one(encoder: Encoder) -> None:
    assert train(PAIRS).encoder is encoder


def test_that_words_alone_can_teach() -> None:
    model = train_on_words(PAIRS)
    assert model.predict("où est ma commande svp").intent == "order_status"


def test_that_one_intent_is_refused() -> None:
    with pytest.raises(ValueError, match="two intents"):
        train([("bonjour", "greeting")])


def test_that_phrases_are_read_without_comments_and_once(tmp_path: Path) -> None:
    write_phrases(tmp_path)
    examples = load_examples([tmp_path, tmp_path, tmp_path / "missing"])
    assert sorted(examples) == sorted(PAIRS)


def test_that_a_second_start_loads_and_a_new_phrase_trains_anew(
    encoder: Encoder, tmp_path: Path
) -> None:
    write_phrases(tmp_path / "phrases")
    folders, cache = [tmp_path / "phrases"], tmp_path / "cache"
    load_or_train(folders, encoder, cache)
    (first,) = cache.iterdir()
    stamp = first.stat().st_mtime_ns
    load_or_train(folders, encoder, cache)
    assert [path.stat().st_mtime_ns for path in cache.iterdir()] == [stamp]
    (tmp_path / "phrases" / "nl" / "returns.txt").write_text("je veux rendre\nretour", "utf-8")
    assert "returns" in load_or_train(folders, encoder, cache).labels
    assert len(list(cache.iterdir())) == 2


def test_that_a_torn_cache_file_is_replaced(encoder: Encoder, tmp_path: Path) -> None:
    write_phrases(tmp_path / "phrases")
    folders, cache = [tmp_path / "phrases"], tmp_path / "cache"
    load_or_train(folders, encoder, cache)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert load_or_train(folders, encoder, cache).predict("bonjour").intent == "greeting"
    assert path.stat().st_size > 1000


def test_that_a_warm_start_imports_no_training_library(model: IntentModel, tmp_path: Path) -> None:
    path = tmp_path / "intents.npz"
    model.save(path)
    code = (
        "import sys; from pathlib import Path; from bot.understanding.intents import load; "
        f"load(Path({str(path)!r})); "
        "print([name for name in ('scipy', 'sklearn', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_that_calibration_makes_confidence_match_accuracy() -> None:
    generator = np.random.default_rng(1)
    classes = generator.integers(0, 2, 4000)
    chosen = np.where(generator.random(4000) < 0.8, classes, 1 - classes)
    scores = np.zeros((4000, 2), dtype=np.float32)
    scores[np.arange(4000), chosen] = 0.5
    confidence = best_calibration(scores, classes).probabilities(scores).max(axis=1)
    assert confidence == pytest.approx(np.full(4000, 0.8), abs=0.03)


def test_that_the_threshold_refuses_its_share_of_known_messages() -> None:
    familiarity = np.linspace(0.0, 1.0, 101, dtype=np.float32)
    scores = np.full((102, 3), -1.0, dtype=np.float32)
    scores[:101, 0] = familiarity
    scores[101, 2] = -0.9
    classes = np.array([0] * 101 + [2])
    assert best_threshold(scores, classes, 2, 0.1) == pytest.approx(0.1, abs=0.01)
    assert best_threshold(scores, classes, 2, 0.0) == pytest.approx(0.0)


def test_that_an_unknown_encoder_setting_is_refused() -> None:
    for setting in ("", "embeded", "sentence-transformers:", "openai:text-embedding-3-small"):
        with pytest.raises(ValueError, match="EMBEDDINGS"):
            open_encoder(setting)


def test_that_vectors_have_length_one_and_long_texts_are_clipped(encoder: Encoder) -> None:
    vectors = encoder.encode(["bonjour", "", "mot " * 200_000])
    assert vectors.shape == (3, encoder.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-4)
    assert encoder.encode([]).shape == (0, encoder.dimensions)
