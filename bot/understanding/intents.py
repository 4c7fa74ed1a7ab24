"""What does the customer want? The intent of a message, with how sure we may be of it.

A message's sentence vector is compared with those of the training phrases (a Gaussian kernel), and
its n-grams are weighed beside it; both were fitted together by `bot.understanding.training`. The
sums become probabilities by a temperature found on phrases that the fit had not seen. Where the
likeliest label is still in doubt, a second, slower encoder is asked and the message weighed again.
Where best sum and nearest phrase together are under the threshold found in training (nothing taught
is near the message), or where the trained `out_of_scope` class wins, there is no intent. Where no
phrase teaches that class, `bot.understanding.strangers` learns what is none of ours from labels
left out.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.ngrams import Vocabulary
from bot.understanding.scoring import (
    Calibration,
    Fit,
    Membership,
    SecondBudget,
    SecondOpinion,
    Space,
    Vector,
    familiarity,
)
from bot.understanding.spelling import LEXICON_FOLDER, load_lexicon, normalise
from core.providers.embeddings import Encoder, open_encoder, open_second_encoder

OUT_OF_SCOPE = "out_of_scope"
KEPT_MODELS = 4
# Training under two minutes for ten thousand phrases, reading under 10 ms of CPU a message.
BUDGET = SecondBudget(phrases=2_500, doubt=0.6)
REFUSED_SHARE = 0.015


@dataclass(frozen=True)
class IntentPrediction:
    """What a message is about: `intent` is None out of scope; `ranking` is best first.

    `confidence` is the calibrated probability of the best label; what the ranking leaves of 1 is
    the chance that the message is about nothing taught. `familiarity` (-1 to 2.5) says how near the
    message is to anything taught, which tells strangers a little better than confidence does.
    """

    intent: str | None
    confidence: float
    ranking: tuple[tuple[str, float], ...]
    familiarity: float = -1.0


@dataclass(frozen=True, eq=False)
class IntentModel:
    """A trained model as plain arrays; the encoders serve the calls that bring no vector.

    Without `second_encoder` (its wheel exists for x86-64 Linux alone) the first fit's word stands.
    `membership` is None where phrases teach `out_of_scope`: that label's probability tells.
    """

    labels: tuple[str, ...]
    vocabulary: Vocabulary
    space: Space | None
    first: Fit
    second: SecondOpinion | None
    threshold: float
    membership: Membership | None = None
    encoder: Encoder | None = None
    second_encoder: Encoder | None = None

    def predict(self, text: str, vector: Vector | None = None) -> IntentPrediction:
        """Name the intent of one message (spelling already normalised).

        `vector` is the message's raw sentence vector where the caller has it already; without it
        the model's own encoder is asked. Raises ValueError where neither is there. A doubtful
        message costs a second encoding, 15 to 35 ms.
        """
        if not text.strip():
            return IntentPrediction(None, 0.0, ())
        probabilities, familiar = self._read(text, vector)
        if self.membership is not None:
            probabilities = probabilities * self.membership.share(familiar)
        order = np.argsort(-probabilities, kind="stable")
        ranking = tuple((self.labels[row], float(probabilities[row])) for row in order)
        best, confidence = ranking[0]
        known = best != OUT_OF_SCOPE and familiar >= self.threshold
        return IntentPrediction(best if known else None, confidence, ranking, familiar)

    def _read(self, text: str, vector: Vector | None) -> tuple[Vector, float]:
        """Return each label's probability, in the order of `labels`, and the familiarity."""
        ngrams = self.vocabulary.vector(text)
        nearness, nearest = None, 0.0
        if self.space is not None:
            nearness = self.space.nearness(self._vector(text, vector))
            nearest = float(nearness.max())
        scores = self.first.scores(ngrams, nearness)
        probabilities = self.first.calibration.probabilities(scores)
        familiar = float(familiarity(scores, nearest))
        second, encoder = self.second, self.second_encoder
        if second is None or encoder is None or familiar < second.floor:
            return probabilities, familiar
        if probabilities.max() < second.doubt:
            scores = second.scores(ngrams, nearness, encoder.encode([text])[0])
            probabilities = second.fit.calibration.probabilities(scores)
            familiar = float(familiarity(scores, nearest))
        return probabilities, familiar

    def _vector(self, text: str, vector: Vector | None) -> Vector:
        if vector is not None:
            return vector
        if self.encoder is None:
            raise ValueError("this intent model needs a sentence vector or an encoder")
        own: Vector = self.encoder.encode([text])[0]
        return own

    def save(self, path: Path) -> None:
        """Write the model as an npz file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.savez(file, **_arrays(self))
        os.replace(file.name, path)


def load(
    path: Path, encoder: Encoder | None = None, second_encoder: Encoder | None = None
) -> IntentModel:
    """Read a saved model; raise ValueError for a file that is not one."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            model = _model(dict(file))
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(f"{path} holds no intent model") from error
    return replace(model, encoder=encoder, second_encoder=second_encoder)


def _arrays(model: IntentModel) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "labels": np.array(model.labels),
        "checksums": model.vocabulary.checksums,
        "ngram_importance": model.vocabulary.weights,
        "threshold": np.array(model.threshold),
        **_fit_arrays("first", model.first),
    }
    if model.membership is not None:
        arrays["membership"] = np.array([model.membership.slope, model.membership.offset])
    if model.space is not None:
        arrays |= {"mean": model.space.mean, "exemplars": model.space.exemplars}
        if model.space.axes is not None:
            arrays["axes"] = model.space.axes
    if model.second is not None:
        arrays |= {
            "second_mean": model.second.space.mean,
            "second_exemplars": model.second.space.exemplars,
            "second_weights": model.second.weights,
            "second_asked": np.array([model.second.doubt, model.second.floor]),
            **_fit_arrays("second", model.second.fit),
        }
    return arrays


def _fit_arrays(name: str, fit: Fit) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        f"{name}_bias": fit.bias,
        f"{name}_ngram_weights": fit.ngram_weights,
        f"{name}_calibration": np.array([fit.calibration.temperature, fit.calibration.noise]),
    }
    if fit.dense_weights is not None:
        arrays[f"{name}_dense_weights"] = fit.dense_weights
    return arrays


def _model(arrays: dict[str, Any]) -> IntentModel:
    space = (
        Space(arrays["mean"], arrays["exemplars"], arrays.get("axes")) if "mean" in arrays else None
    )
    second = None
    if "second_mean" in arrays:
        second = SecondOpinion(
            Space(arrays["second_mean"], arrays["second_exemplars"]),
            arrays["second_weights"],
            _fit("second", arrays),
            *(float(bound) for bound in arrays["second_asked"]),
        )
    membership = None
    if "membership" in arrays:
        membership = Membership(*(float(value) for value in arrays["membership"]))
    return IntentModel(
        labels=tuple(str(label) for label in arrays["labels"]),
        vocabulary=Vocabulary(arrays["checksums"], arrays["ngram_importance"]),
        space=space,
        first=_fit("first", arrays),
        second=second,
        threshold=float(arrays["threshold"]),
        membership=membership,
    )


def _fit(name: str, arrays: dict[str, Any]) -> Fit:
    temperature, noise = arrays[f"{name}_calibration"]
    return Fit(
        arrays[f"{name}_bias"],
        arrays[f"{name}_ngram_weights"],
        arrays.get(f"{name}_dense_weights"),
        Calibration(float(temperature), float(noise)),
    )


def train(
    examples: Sequence[tuple[str, str]],
    encoder: Encoder | None = None,
    refused_share: float | None = None,
) -> IntentModel:
    """Learn intents from (phrase, intent) pairs with the embedded encoder, or with the one given.

    `refused_share` is the share of rightly read messages that may be refused so that strangers are
    refused too: raise it (0.05) where much that comes in is out of scope. Left out, it is 0.015
    where some phrases teach `out_of_scope`; where none do, the share that serves most customers is
    found on labels left out, and is next to nothing for thousands of phrases.
    Raises ValueError for fewer than two intents. What the fit needs (scipy) is imported here and
    not by a process that loads a trained model.
    """
    from bot.understanding.training import fit

    first = encoder or open_encoder("embedded")
    second = open_second_encoder(first)
    vectors = first.encode(_phrases(examples))
    model = fit(examples, vectors, _rows(examples, second), refused_share, BUDGET)
    return replace(model, encoder=first, second_encoder=second)


def train_on_words(
    examples: Sequence[tuple[str, str]], refused_share: float | None = None
) -> IntentModel:
    """Learn intents from n-grams alone: no encoder, no vectors, one language; see `train`."""
    from bot.understanding.training import fit

    return fit(examples, None, None, refused_share, BUDGET)


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


def load_or_train(folders: Sequence[Path], encoder: Encoder, cache_folder: Path) -> IntentModel:
    """Load the model of these phrases, or train it and keep it for the next start.

    The server reads with the one encoder whose vector it has already: on a shop's two dozen
    intents the second is right about one message in a hundred more, and a message costs half as
    much again. The file's name is a digest of the phrases' files, the encoder's name and this code,
    so that any change of them trains anew; an unreadable file is replaced. Training takes some
    hundred megabytes for seconds: it runs in a process of its own and leaves none to the server.
    """
    path = cache_folder / f"intents-{_digest(folders, encoder)}.npz"
    if path.exists():
        try:
            return load(path, encoder)
        except ValueError:
            path.unlink(missing_ok=True)
    examples = load_examples(folders)
    vectors = encoder.encode(_phrases(examples))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_fit_and_save, examples, vectors, path).result()
    _forget_old_models(cache_folder)
    return load(path, encoder)


def _fit_and_save(examples: Sequence[tuple[str, str]], vectors: Vector, path: Path) -> None:
    from bot.understanding.training import fit

    fit(examples, vectors, None, REFUSED_SHARE, BUDGET).save(path)


def _phrases(examples: Sequence[tuple[str, str]]) -> list[str]:
    return [phrase for phrase, _ in examples]


def _rows(
    examples: Sequence[tuple[str, str]], encoder: Encoder | None
) -> Callable[[NDArray[np.intp]], Vector] | None:
    """A function that encodes the phrases of some rows; None without an encoder."""
    if encoder is None:
        return None
    own = encoder
    return lambda rows: own.encode([examples[row][0] for row in rows])


def _digest(folders: Sequence[Path], encoder: Encoder) -> str:
    digest = hashlib.blake2b(digest_size=12)
    digest.update(encoder.name.encode())
    for module in ("intents", "ngrams", "scoring", "spelling", "strangers", "training"):
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    phrases = [path for folder in folders for path in sorted(folder.glob("*/*.txt"))]
    for path in [*sorted(LEXICON_FOLDER.iterdir()), *phrases]:
        content = path.read_bytes()
        digest.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _forget_old_models(cache_folder: Path) -> None:
    models = sorted(cache_folder.glob("intents-*.npz"), key=lambda path: path.stat().st_mtime)
    for path in models[:-KEPT_MODELS]:
        path.unlink(missing_ok=True)
