"""What does the customer want? The intent of a message, with how sure we may be of it.

A message's sentence vector is compared with those of the training phrases (a Gaussian kernel), and
its n-grams are weighed beside it; both were fitted together by `bot.understanding.training`. The
sums become probabilities by a temperature found on phrases that the fit had not seen. Where the
best sum itself is under the threshold found there (nothing taught is near the message), or where
the trained `out_of_scope` class wins, there is no intent.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.ngrams import Vocabulary
from bot.understanding.spelling import load_lexicon, normalise
from core.providers.embeddings import Encoder

OUT_OF_SCOPE = "out_of_scope"
KEPT_MODELS = 4
REFUSED_SHARE = 0.015

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class IntentPrediction:
    """What a message is about: `intent` is None out of scope; `ranking` is best first.

    `confidence` is the calibrated probability of the best label; `familiarity` (about -1 to 1) says
    how near the message is to anything taught, which tells strangers better than confidence does.
    """

    intent: str | None
    confidence: float
    ranking: tuple[tuple[str, float], ...]
    familiarity: float = -1.0


@dataclass(frozen=True, eq=False)
class DensePart:
    """The sentence-vector half of a model: centred training vectors and their class weights."""

    mean: Vector
    exemplars: Vector
    weights: Vector
    sharpness: float

    def scores(self, vector: Vector) -> Vector:
        """Compare one raw sentence vector with every training phrase: one score a class."""
        centred = vector - self.mean
        centred /= max(float(np.linalg.norm(centred)), 1e-9)
        nearness = np.exp(2.0 * self.sharpness * (self.exemplars @ centred - 1.0))
        scores: Vector = nearness @ self.weights
        return scores


@dataclass(frozen=True, eq=False)
class IntentModel:
    """A trained model as plain arrays; `encoder` serves the calls that bring no vector."""

    labels: tuple[str, ...]
    bias: Vector
    vocabulary: Vocabulary
    ngram_weights: Vector
    dense: DensePart | None
    temperature: float
    threshold: float
    encoder: Encoder | None = None

    def predict(self, text: str, vector: Vector | None = None) -> IntentPrediction:
        """Name the intent of one message (spelling already normalised).

        `vector` is the message's raw sentence vector where the caller has it already; without it
        the model's own encoder is asked. Raises ValueError where neither is there.
        """
        if not text.strip():
            return IntentPrediction(None, 0.0, ())
        scores = self.scores(text, vector)
        familiarity = float(scores.max())
        powers = np.exp(self.temperature * (scores - familiarity))
        probabilities = powers / powers.sum()
        order = np.argsort(-probabilities, kind="stable")
        ranking = tuple((self.labels[row], float(probabilities[row])) for row in order)
        best, confidence = ranking[0]
        known = best != OUT_OF_SCOPE and familiarity >= self.threshold
        return IntentPrediction(best if known else None, confidence, ranking, familiarity)

    def scores(self, text: str, vector: Vector | None = None) -> Vector:
        """Return each label's score, in the order of `labels`: near 1 for its own phrases."""
        rows, values = self.vocabulary.vector(text)
        scores: Vector = self.bias + values @ self.ngram_weights[rows]
        if self.dense is not None:
            scores = scores + self.dense.scores(self._vector(text, vector))
        return scores

    def _vector(self, text: str, vector: Vector | None) -> Vector:
        if vector is not None:
            return vector
        if self.encoder is None:
            raise ValueError("this intent model needs a sentence vector or an encoder")
        own: Vector = self.encoder.encode([text])[0]
        return own

    def save(self, path: Path) -> None:
        """Write the model as an npz file, whole or not at all."""
        arrays: dict[str, Any] = {
            "labels": np.array(self.labels),
            "bias": self.bias,
            "checksums": self.vocabulary.checksums,
            "ngram_importance": self.vocabulary.weights,
            "ngram_weights": self.ngram_weights,
            "numbers": np.array([self.temperature, self.threshold]),
        }
        if self.dense is not None:
            arrays |= {
                "dense_mean": self.dense.mean,
                "dense_exemplars": self.dense.exemplars,
                "dense_weights": self.dense.weights,
                "dense_sharpness": np.array(self.dense.sharpness),
            }
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.savez(file, **arrays)
        os.replace(file.name, path)


def load(path: Path, encoder: Encoder | None = None) -> IntentModel:
    """Read a saved model; raise ValueError for a file that is not one."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return _from_arrays(dict(file), encoder)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(f"{path} holds no intent model") from error


def _from_arrays(arrays: dict[str, Any], encoder: Encoder | None) -> IntentModel:
    dense = None
    if "dense_mean" in arrays:
        dense = DensePart(
            arrays["dense_mean"],
            arrays["dense_exemplars"],
            arrays["dense_weights"],
            float(arrays["dense_sharpness"]),
        )
    temperature, threshold = arrays["numbers"]
    return IntentModel(
        labels=tuple(str(label) for label in arrays["labels"]),
        bias=arrays["bias"],
        vocabulary=Vocabulary(arrays["checksums"], arrays["ngram_importance"]),
        ngram_weights=arrays["ngram_weights"],
        dense=dense,
        temperature=float(temperature),
        threshold=float(threshold),
        encoder=encoder,
    )


def train(
    examples: Sequence[tuple[str, str]],
    encoder: Encoder | None = None,
    refused_share: float = REFUSED_SHARE,
) -> IntentModel:
    """Learn intents from (phrase, intent) pairs; without an encoder, from n-grams alone.

    `refused_share` is the share of rightly read messages that may be refused so that strangers are
    refused too: raise it where much that comes in is out of scope and little of that is taught.
    Raises ValueError for fewer than two intents. What the fit needs (scipy) is imported here and
    not by a process that loads a trained model.
    """
    from bot.understanding.training import fit

    model = fit(examples, _vectors(examples, encoder), refused_share)
    return replace(model, encoder=encoder)


def load_examples(folders: Sequence[Path]) -> list[tuple[str, str]]:
    """Read the phrases of `<folder>/<language>/<intent>.txt`, spelled as messages will be.

    One phrase a line; blank lines and lines that start with `#` are skipped; a folder that does
    not exist adds nothing; a phrase given twice for one intent counts once.
    """
    lexicon = load_lexicon(folders)
    examples: dict[tuple[str, str], None] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/*.txt")):
            for line in path.read_text("utf-8").splitlines():
                phrase = line.strip()
                if phrase and not phrase.startswith("#"):
                    spelled = normalise(phrase, path.parent.name, lexicon)
                    examples[(spelled, path.stem)] = None
    return list(examples)


def load_or_train(
    folders: Sequence[Path], encoder: Encoder | None, cache_folder: Path
) -> IntentModel:
    """Load the model of these phrases, or train it and keep it for the next start.

    The file's name is a digest of the examples, the encoder's name and this code, so that any
    change of them trains anew; an unreadable file is replaced. Training takes some hundred
    megabytes for seconds: it runs in a process of its own and leaves none of them to the server.
    """
    examples = load_examples(folders)
    path = cache_folder / f"intents-{_digest(examples, encoder)}.npz"
    if path.exists():
        try:
            return load(path, encoder)
        except ValueError:
            path.unlink(missing_ok=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_fit_and_save, examples, _vectors(examples, encoder), path).result()
    _forget_old_models(cache_folder)
    return load(path, encoder)


def _fit_and_save(examples: Sequence[tuple[str, str]], vectors: Vector | None, path: Path) -> None:
    from bot.understanding.training import fit

    fit(examples, vectors, REFUSED_SHARE).save(path)


def _vectors(examples: Sequence[tuple[str, str]], encoder: Encoder | None) -> Vector | None:
    return encoder.encode([phrase for phrase, _ in examples]) if encoder else None


def _digest(examples: Sequence[tuple[str, str]], encoder: Encoder | None) -> str:
    digest = hashlib.blake2b(digest_size=12)
    digest.update((encoder.name if encoder else "no encoder").encode())
    for module in ("intents", "ngrams", "training"):
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    for phrase, intent in examples:
        digest.update(f"{intent}\t{phrase}\n".encode())
    return digest.hexdigest()


def _forget_old_models(cache_folder: Path) -> None:
    models = sorted(cache_folder.glob("intents-*.npz"), key=lambda path: path.stat().st_mtime)
    for path in models[:-KEPT_MODELS]:
        path.unlink(missing_ok=True)
